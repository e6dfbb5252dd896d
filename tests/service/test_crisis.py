"""A burst of complaints is noticed, and its statement is what everybody says first."""

from datetime import timedelta
from typing import Any

import pytest

from router.domain.content import plain_text
from router.domain.conversation import Offered, Queued
from router.domain.crisis import Crisis, subject_of
from router.domain.errors import IllegalStep, Invalid
from router.domain.ids import AgentId, ConversationId, QueueName
from router.domain.timeline import Direction
from router.service import crisis, desk
from router.service.audit import audit
from router.service.statement import (
    about,
    route_together,
    state,
    state_together,
    statements_for,
)
from router.service.unit import Unit
from tests.service.conftest import ABLE, CHAT, FAMILY, PHONE, WECHAT, WEIBO, Shop
from tests.service.test_story import publish

BOSS = AgentId("boss")
BROKEN = "你们的沙发送来就是坏的，打了三次电话没人管，我要投诉！"
LATE = "快递一个星期了还没到，太差劲了，我要投诉物流！"
WORDS = {
    "any": {"zh": "沙发质量问题我们已知悉。", "en": "We know about the sofas."},
    "social": {"zh": "大家好，沙发的问题我们已知悉。", "en": "Hello, we know about the sofas."},
}


async def complain(shop: Shop, count: int, words: str = BROKEN, start: int = 0) -> None:
    for number in range(start, start + count):
        await shop.hear(WEIBO, f"weibo-{number}", words)
    await shop.read_all()


async def watch(shop: Shop) -> list[str]:
    raised = await shop.store.transact(crisis.watch, policy=shop.policy, at=shop.clock.now())
    return sorted(each.subject.key for each in raised)


async def standing(shop: Shop, key: str = "product:sofa") -> Crisis:
    """Declare a crisis and pin its statement."""
    given: dict[str, Any] = {"by": BOSS, "at": shop.clock.now()}
    found: Crisis = await shop.store.transact(
        crisis.declare, subject=subject_of(key), policy=shop.policy, **given
    )
    await shop.store.transact(crisis.draft, crisis=found.id, wordings=WORDS, **given)
    await shop.store.transact(crisis.approve, crisis=found.id, **given)
    return await shop.store.transact(crisis.pin, crisis=found.id, **given)


async def said(shop: Shop, conversation: ConversationId) -> list[str]:
    """Return what our side said in a conversation, oldest first."""

    def ask(unit: Unit) -> list[str]:
        return [
            plain_text(each.content)
            for each in unit.conversations.said_in(conversation)
            if each.direction is Direction.OUT
        ]

    return await shop.store.read(ask)


async def test_a_burst_raises_a_crisis_once_and_alerts_every_supervisor(shop: Shop) -> None:
    await complain(shop, 4)
    assert await watch(shop) == []
    await complain(shop, 2, start=4)
    assert "product:sofa" in await watch(shop)
    assert await watch(shop) == []

    alerts = await shop.store.read(lambda unit: unit.journal.alerts(BOSS, supervisor=True))
    raised = {each.facts["subject"] for each in alerts if each.kind == "crisis_raised"}
    assert "product:sofa" in raised


async def test_to_be_angry_is_no_subject_by_itself(shop: Shop) -> None:
    await complain(shop, 12, "投诉！你们太过分了，我非常生气，必须给我一个说法！")
    found = await shop.store.read(lambda unit: unit.cases.all_open())
    assert {case.topic for case in found} == {"complaint"}
    assert await watch(shop) == []

    with pytest.raises(Invalid, match="subject"):
        await shop.store.transact(
            crisis.declare,
            subject=subject_of("topic:complaint"),
            by=BOSS,
            policy=shop.policy,
            at=shop.clock.now(),
        )


async def test_a_young_shop_has_a_short_past(shop: Shop) -> None:
    """Four an hour are usual from the first day on: the baseline is what there is of it."""
    for hour in range(10):
        await complain(shop, 4, start=10 * hour)
        shop.clock.pass_by(timedelta(hours=1))
    await complain(shop, 6, start=900)
    assert await watch(shop) == []
    await complain(shop, 12, start=1000)
    assert "product:sofa" in await watch(shop)


async def test_one_person_who_complains_often_is_no_crisis(shop: Shop) -> None:
    for _ in range(9):
        await shop.hear(WEIBO, "weibo-1", BROKEN)
    await shop.read_all()
    assert await watch(shop) == []


async def test_what_is_usual_for_a_subject_is_no_crisis(shop: Shop) -> None:
    for day in range(13):
        for hour in range(6):
            await complain(shop, 4, start=1000 * day + 10 * hour)
            shop.clock.pass_by(timedelta(hours=4))
    await complain(shop, 5, start=90_000)
    assert await watch(shop) == []
    await complain(shop, 9, start=95_000)
    assert "product:sofa" in await watch(shop)


async def test_an_ended_crisis_is_not_raised_again_by_the_same_complaints(shop: Shop) -> None:
    await complain(shop, 6)
    await watch(shop)
    at = shop.clock.now()
    for each in await shop.store.read(lambda unit: unit.crises.live()):
        await shop.store.transact(crisis.end, crisis=each.id, by=BOSS, at=at)
    assert await watch(shop) == []
    shop.clock.pass_by(timedelta(days=1))
    await complain(shop, 6, start=50)
    assert "product:sofa" in await watch(shop)


async def test_two_crises_on_one_subject_cannot_stand_together(shop: Shop) -> None:
    await standing(shop)
    with pytest.raises(IllegalStep):
        await standing(shop)


async def test_the_bot_says_the_pinned_statement_first_and_once(shop: Shop) -> None:
    await publish(shop)
    await standing(shop)
    chat = await shop.hear(CHAT, "member", "沙发怎么开发票")
    await shop.settle()
    words = await said(shop, chat)
    assert words[0] == WORDS["any"]["zh"]
    assert len(words) == 2

    await shop.hear(CHAT, "member", "那沙发怎么开发票呢")
    await shop.settle()
    assert (await said(shop, chat)).count(WORDS["any"]["zh"]) == 1
    assert await shop.store.read(audit, at=shop.clock.now()) == ()


async def test_the_bot_says_nothing_of_a_crisis_that_is_over_or_not_pinned(shop: Shop) -> None:
    await publish(shop)
    found = await standing(shop)
    await shop.store.transact(crisis.end, crisis=found.id, by=BOSS, at=shop.clock.now())
    chat = await shop.hear(CHAT, "member", "沙发怎么开发票")
    await shop.settle()
    assert WORDS["any"]["zh"] not in await said(shop, chat)


async def test_an_agent_is_offered_the_statement_in_the_channels_tone_and_says_it_once(
    shop: Shop,
) -> None:
    lin = await shop.staff("lin")
    found = await standing(shop)
    talk = await shop.hear(WEIBO, "weibo-7", BROKEN)
    await shop.settle()
    held = await shop.conversation(talk)
    assert isinstance(held.state, Offered)
    at = shop.clock.now()
    await shop.store.transact(desk.accept, reservation=held.state.reservation, by=lin, at=at)
    given: dict[str, Any] = {"policy": shop.policy, "families": FAMILY}
    (first,) = await shop.store.read(statements_for, await shop.conversation(talk), **given)
    assert first.text == WORDS["social"]["zh"]

    for _ in range(2):
        await shop.store.transact(
            state,
            crisis=found.id,
            conversation=talk,
            by=lin,
            families=FAMILY,
            capabilities=ABLE[WEIBO],
            at=at,
        )
    assert await said(shop, talk) == [WORDS["social"]["zh"]]
    assert await shop.store.read(statements_for, await shop.conversation(talk), **given) == ()


async def test_conversations_on_it_are_listed_and_answered_together(shop: Shop) -> None:
    found = await standing(shop)
    post = await shop.hear(WEIBO, "weibo-7", BROKEN)
    wechat = await shop.hear(WECHAT, "o-1", "沙发的事怎么说")
    call = await shop.hear(PHONE, "+8613800138000", "沙发坏了")
    other = await shop.hear(CHAT, "member", LATE)
    await shop.read_all()

    held = await shop.store.read(about, found, policy=shop.policy)
    assert [each.id for each in held] == [post, wechat, call]
    waiting = (await shop.conversation(wechat)).waiting_since
    done = await shop.store.transact(
        state_together,
        crisis=found.id,
        conversations=(post, wechat, call, post),
        by=await shop.staff("boss"),
        families=FAMILY,
        capabilities=ABLE,
        at=shop.clock.now(),
    )
    assert (done.done, dict(done.left_out)) == ((post, wechat), {call: "cannot_reply"})
    assert await said(shop, post) == [WORDS["social"]["zh"]]
    assert await said(shop, wechat) == [WORDS["any"]["zh"]]
    assert await said(shop, other) == []
    after = await shop.conversation(wechat)
    assert (isinstance(after.state, Queued), after.waiting_since) == (True, waiting)


async def test_conversations_on_it_are_routed_together(shop: Shop) -> None:
    await shop.staff("boss")
    one = await shop.hear(WEIBO, "weibo-7", BROKEN)
    two = await shop.hear(WECHAT, "o-1", "沙发的事怎么说")
    await shop.read_all()
    done = await shop.store.transact(
        route_together,
        conversations=(one, two),
        queue=QueueName("complaints"),
        by=BOSS,
        policy=shop.policy,
        at=shop.clock.now(),
    )
    assert done.done == (one, two)
    assert {(await shop.conversation(each)).queue for each in (one, two)} == {"complaints"}
