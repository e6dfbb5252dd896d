"""A day is read from the log as it was: waits, answers, work, and who was there."""

from datetime import timedelta

import pytest

from router.domain.conversation import Offered
from router.domain.ids import AgentId, ConversationId
from router.domain.recorded import Changes, RecordedDay
from router.domain.workforce import Presence
from router.service import desk
from router.service.recorded import recorded_day
from router.service.unit import Unit
from router.sim.whatif import what_if
from tests.service.conftest import CHAT, FAMILY, WEIBO, Shop

MINUTE = timedelta(minutes=1)


async def the_day(shop: Shop) -> RecordedDay:
    local = shop.clock.now().astimezone(shop.policy.hours.zone).date()

    def ask(unit: Unit) -> RecordedDay:
        return recorded_day(unit, local, policy=shop.policy, families=FAMILY)

    return await shop.store.read(ask)


async def comes(shop: Shop, name: str) -> AgentId:
    agent = await shop.staff(name, presence=Presence.OFFLINE)
    await presence(shop, agent, Presence.AVAILABLE)
    return agent


async def presence(shop: Shop, agent: AgentId, shown: Presence) -> None:
    await shop.store.transact(
        desk.set_presence, agent=agent, presence=shown, by=agent, at=shop.clock.now()
    )


async def accept(shop: Shop, conversation: ConversationId) -> AgentId:
    """Let the agent who has the offer take it."""
    held = await shop.conversation(conversation)
    assert isinstance(held.state, Offered)
    state = held.state
    await shop.store.transact(
        desk.accept, reservation=state.reservation, by=state.agent, at=shop.clock.now()
    )
    return state.agent


async def over(shop: Shop, conversation: ConversationId, agent: AgentId) -> None:
    await shop.store.transact(
        desk.wrap_up,
        conversation=conversation,
        by=agent,
        disposition="answered",
        text="",
        at=shop.clock.now(),
    )


async def test_a_wait_has_its_answer_its_work_and_its_needs(shop: Shop) -> None:
    agent = await comes(shop, "lin")
    chat = await shop.hear(CHAT, "wang", "我要投诉！快递三天没动了，我要找消协")
    await shop.settle()
    shop.clock.pass_by(20 * timedelta(seconds=1))
    assert await accept(shop, chat) == agent
    shop.clock.pass_by(6 * MINUTE)
    await over(shop, chat, agent)
    shop.clock.pass_by(60 * MINUTE)
    await presence(shop, agent, Presence.OFFLINE)

    day = await the_day(shop)
    (wait,) = day.waits
    assert (wait.family, wait.by, wait.transferred) == ("webchat", agent, False)
    assert wait.answered == timedelta(seconds=20)
    assert wait.work == 6 * MINUTE
    assert wait.severity >= 2
    assert "complaint" in {need.skill for need in wait.needs}
    (shift,) = day.shifts
    assert shift.agent.id == agent
    assert shift.length() == timedelta(seconds=20) + 66 * MINUTE


async def test_two_at_once_are_less_work_than_they_took(shop: Shop) -> None:
    agent = await comes(shop, "lin")
    first = await shop.hear(CHAT, "wang", "包裹到哪里了？")
    second = await shop.hear(WEIBO, "zhao", "退货地址是什么？")
    await shop.settle()
    for each in (first, second):
        await accept(shop, each)
    shop.clock.pass_by(10 * MINUTE)
    for each in (first, second):
        await over(shop, each, agent)
    day = await the_day(shop)
    slowdown = shop.policy.routing.work.slowdown
    for wait in day.waits:
        assert wait.work is not None
        assert wait.work.total_seconds() == pytest.approx(600 / (1 + slowdown))


async def test_who_is_never_answered_waits_to_the_end_and_a_transfer_is_a_new_wait(
    shop: Shop,
) -> None:
    agent = await comes(shop, "lin")
    chat = await shop.hear(CHAT, "wang", "包裹到哪里了？")
    await shop.settle()
    await accept(shop, chat)
    shop.clock.pass_by(2 * MINUTE)
    await shop.store.transact(
        desk.transfer,
        conversation=chat,
        by=agent,
        to_agent=None,
        to_queue="aftersales",
        why="",
        policy=shop.policy,
        seen_seq=0,
        at=shop.clock.now(),
    )
    first, second = (await the_day(shop)).waits
    assert (first.transferred, first.work) == (True, 2 * MINUTE)
    assert (second.answered, second.left, second.excluded) == (None, None, agent)
    assert second.previous == agent


async def test_the_bot_s_own_is_no_wait_and_another_day_is_empty(shop: Shop) -> None:
    await comes(shop, "lin")
    await shop.hear(CHAT, "wang", "包裹到哪里了？")
    await shop.settle()
    assert len((await the_day(shop)).waits) == 1
    shop.clock.pass_by(timedelta(days=2))
    assert (await the_day(shop)).waits == ()


async def test_what_was_recorded_can_be_played_again(shop: Shop) -> None:
    agent = await comes(shop, "lin")
    for number in range(6):
        chat = await shop.hear(CHAT, f"c{number}", "包裹到哪里了？")
        await shop.settle()
        await accept(shop, chat)
        shop.clock.pass_by(3 * MINUTE)
        await over(shop, chat, agent)
    day = await the_day(shop)
    found = what_if(day, Changes(agents=1), shop.policy, seeds=(1,))
    assert found.recorded.waits == found.same.waits == 6
    assert found.same.measures["sla"][0] == 1.0
    assert found.changed.agents == 2
