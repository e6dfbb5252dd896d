"""A queue's hours, what a customer is told outside of them, and the clocks that platforms keep."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from router.domain.content import plain_text
from router.domain.conversation import Offered
from router.domain.hours import AROUND_THE_CLOCK, Hours
from router.domain.ids import AgentId, ChannelName, ConversationId, QueueName
from router.domain.timeline import Direction
from router.service import closed
from router.service.board import QueueLine, board
from router.service.cards import Card
from router.service.clocks import anything_due, ring
from router.service.desk import accept
from router.service.records import Alert
from router.service.unit import Unit
from tests.service.conftest import ABLE, CHAT, PHONE, Shop

ZONE = ZoneInfo("Asia/Shanghai")
DAYTIME = Hours(zone=ZONE, week=dict.fromkeys(range(7), ((time(9), time(21)),)), days={})
LINE = {"en": "We are back at {opens}.", "zh": "我们将于 {opens} 上班。"}
GENERAL = QueueName("general")
NIGHT = datetime(2026, 11, 11, 23, 30, tzinfo=ZONE)


@pytest.fixture(autouse=True)
def _hours(shop: Shop) -> None:
    queues = {
        name: replace(queue, hours=DAYTIME, closed=LINE)
        for name, queue in shop.policy.queues.items()
    }
    shop.policy = replace(shop.policy, queues=queues)


async def tell(shop: Shop) -> tuple[ConversationId, ...]:
    given = {"policy": shop.policy, "capabilities": ABLE, "at": shop.clock.now()}
    expected: bool = await shop.store.read(closed.any_untold, **given)
    told: tuple[ConversationId, ...] = await shop.store.transact(closed.tell, **given)
    assert expected == bool(told)
    return told


async def said(shop: Shop, chat: ConversationId) -> list[str]:
    timeline = await shop.timeline(chat)
    return [plain_text(each.content) for each in timeline if each.direction is Direction.OUT]


async def waits(shop: Shop, words: str = "我要找人工客服") -> ConversationId:
    chat = await shop.hear(CHAT, "wang", words)
    await shop.settle()
    return chat


async def seen(shop: Shop) -> tuple[QueueLine, Card]:
    """Return the queue and the one who waits in it, as the supervisor sees them."""

    def ask(unit: Unit) -> tuple[QueueLine, Card]:
        found = board(unit, me=AgentId("boss"), policy=shop.policy, weights={}, at=shop.clock.now())
        line = next(each for each in found.queues if each.policy.name == GENERAL)
        return line, found.waiting[0]

    return await shop.store.read(ask)


async def test_who_comes_at_night_is_told_once_when_the_queue_opens(shop: Shop) -> None:
    shop.clock.moment = NIGHT
    chat = await waits(shop)
    before = (await shop.conversation(chat)).waiting_since
    assert await tell(shop) == (chat,)
    assert (await said(shop, chat))[-1] == "我们将于 2026-11-12 09:00 上班。"
    assert (await shop.conversation(chat)).waiting_since == before
    shop.clock.pass_by(timedelta(minutes=1))
    await shop.hear(CHAT, "wang", "在吗")
    await shop.settle()
    assert await tell(shop) == ()


async def test_nobody_is_told_while_the_queue_is_open_or_cannot_answer(shop: Shop) -> None:
    await waits(shop)
    assert await tell(shop) == ()
    shop.clock.moment = NIGHT
    await shop.hear(PHONE, "li", "我要投诉")
    await shop.settle()
    told = await tell(shop)
    assert len(told) == 1  # who has waited since the day; the call cannot be answered in words


async def test_an_answer_to_words_of_the_night_is_due_in_the_morning(shop: Shop) -> None:
    shop.clock.moment = NIGHT
    await waits(shop)
    shop.clock.pass_by(timedelta(hours=2))
    line, card = await seen(shop)
    assert line.opens_at == datetime(2026, 11, 12, 9, tzinfo=ZONE)
    assert card.due_at == line.opens_at + card.within
    assert not card.late
    shop.clock.moment = datetime(2026, 11, 12, 9, 5, tzinfo=ZONE)
    line, card = await seen(shop)
    assert line.opens_at is None
    assert card.late


def clocked(shop: Shop, hours: Hours = AROUND_THE_CLOCK) -> None:
    """Give web chat a clock of three minutes, in queues that never close by default."""
    shop.policy = replace(
        shop.policy,
        queues={name: replace(each, hours=hours) for name, each in shop.policy.queues.items()},
        routing=replace(
            shop.policy.routing,
            answer_within={ChannelName("chat"): timedelta(minutes=3)},
            alarm_before=timedelta(seconds=30),
        ),
    )


async def alarms(shop: Shop, agent: str = "boss", *, boss: bool = True) -> list[Alert]:
    """Let the clocks ring and return the alarms that somebody sees."""
    if await shop.store.read(anything_due, policy=shop.policy, at=shop.clock.now()):
        await shop.store.transact(ring, policy=shop.policy, at=shop.clock.now())

    def ask(unit: Unit) -> list[Alert]:
        found = unit.journal.alerts(AgentId(agent), supervisor=boss)
        return [each for each in found if each.kind == "answer_due"]

    return await shop.store.read(ask)


async def test_supervisors_hear_once_that_a_platform_s_clock_is_nearly_over(shop: Shop) -> None:
    clocked(shop)
    chat = await waits(shop)
    shop.clock.pass_by(timedelta(seconds=149))
    assert await alarms(shop) == []
    shop.clock.pass_by(timedelta(seconds=1))
    (alarm,) = await alarms(shop)
    assert alarm.conversation == chat
    assert alarm.agent is None
    shop.clock.pass_by(timedelta(seconds=40))
    assert len(await alarms(shop)) == 1


async def test_the_agent_who_holds_it_hears_of_the_clock(shop: Shop) -> None:
    clocked(shop)
    lin = await shop.staff("lin")
    state = (await shop.conversation(await waits(shop))).state
    assert isinstance(state, Offered)
    await shop.store.transact(accept, reservation=state.reservation, by=lin, at=shop.clock.now())
    shop.clock.pass_by(timedelta(seconds=150))
    (alarm,) = await alarms(shop, "lin", boss=False)
    assert alarm.agent == lin


async def test_a_platform_s_clock_stands_still_while_the_queue_is_closed(shop: Shop) -> None:
    clocked(shop, DAYTIME)
    shop.clock.moment = NIGHT
    await waits(shop)
    shop.clock.pass_by(timedelta(hours=1))
    assert await alarms(shop) == []
    shop.clock.moment = datetime(2026, 11, 12, 9, 2, 30, tzinfo=ZONE)
    assert len(await alarms(shop)) == 1


def test_no_target_is_longer_than_the_channel_s_clock_or_the_complaint_s(shop: Shop) -> None:
    clocked(shop)
    slow = replace(shop.policy.queues[GENERAL], answer_within=timedelta(hours=1))
    policy = replace(shop.policy, queues={**shop.policy.queues, GENERAL: slow})
    chat, other = ChannelName("chat"), ChannelName("weibo")
    assert policy.answer_within(GENERAL, other, complains=False) == timedelta(hours=1)
    assert policy.answer_within(GENERAL, chat, complains=False) == timedelta(minutes=3)
    assert policy.answer_within(GENERAL, chat, complains=True) == timedelta(seconds=20)
