"""Figures from what was recorded: resolution, levels and waits, all and in groups."""

from datetime import timedelta
from typing import Any

import pytest

from router.domain.content import Text
from router.domain.ids import AccountName, AgentId, ConversationId
from router.service import cases, desk, supervise
from router.service.figures import Figures, figures
from router.service.reply import reply
from router.service.unit import Unit
from tests.service.conftest import ABLE, CHAT, WEIBO, Shop, phone
from tests.service.test_story import ANGRY, NUMBER

LIN = AgentId("lin")


async def talked(
    shop: Shop,
    account: AccountName,
    words: str,
    *,
    number: str,
    answered_after: timedelta | None,
) -> ConversationId:
    """Have a conversation that is answered after a time, or not at all, and then closed."""
    talk = await shop.hear(account, number, words, claims=(phone(number),))
    await shop.read_all()
    shop.clock.pass_by(answered_after or timedelta(minutes=9))

    def end(unit: Unit) -> None:
        at = shop.clock.now()
        given: dict[str, Any] = {"conversation": talk, "by": LIN, "at": at}
        desk.give(unit, unit.conversations.get(talk), to=LIN, by=LIN, seen_seq=0, at=at)
        if answered_after is not None:
            reply(unit, content=Text(text="您好"), capabilities=ABLE[account], **given)
        desk.wrap_up(unit, disposition="answered", text="", **given)

    await shop.store.transact(end)
    return talk


async def look(shop: Shop, by: str = "day", days: int = 30) -> Figures:
    at = shop.clock.now()
    found: Figures = await shop.store.read(
        figures, since=at - timedelta(days=days), until=at, policy=shop.policy, by=by
    )
    return found


async def test_a_weeks_figures(shop: Shop) -> None:
    await shop.staff(LIN)
    other, third = "+8613800138001", "+8613800138002"
    soon, late = timedelta(seconds=10), timedelta(seconds=50)
    order = "物流到哪了，订单20261111001234"
    await talked(shop, CHAT, order, number=NUMBER, answered_after=soon)
    shop.clock.pass_by(timedelta(days=1))
    await talked(shop, WEIBO, order, number=NUMBER, answered_after=late)
    await talked(shop, CHAT, ANGRY, number=other, answered_after=soon)
    await talked(shop, CHAT, "物流到哪了", number=third, answered_after=None)
    nobody = await shop.hear(CHAT, "spammer", "在吗")
    await shop.store.transact(
        supervise.close, conversation=nobody, by=LIN, why="spam", at=shop.clock.now()
    )
    assert (await look(shop)).total.resolved_at_first is None, "it is too early to say"

    shop.clock.pass_by(timedelta(days=8))
    found = await look(shop)
    total = found.total
    assert (total.conversations, total.judged, total.complaints) == (5, 5, 1)
    assert total.resolved_at_first == pytest.approx(4 / 5)
    assert total.service_level == pytest.approx(2 / 4)
    assert total.complaints_level == 1.0
    assert total.answered_after == (soon + late + soon) / 3
    assert total.abandoned == pytest.approx(1 / 4)
    assert [(name, row.conversations) for name, row in found.rows] == [
        ("2026-11-11", 1),
        ("2026-11-12", 4),
    ]
    channels = dict((await look(shop, "channel")).rows)
    assert channels["chat"].resolved_at_first == pytest.approx(3 / 4)
    assert channels["weibo"].service_level == 0.0
    topics = dict((await look(shop, "topic")).rows)
    assert topics["logistics"].conversations >= 3
    assert (await look(shop, days=1)).total.service_level is None


async def test_a_complaint_counts_as_acknowledged_in_time_until_it_would_climb(shop: Shop) -> None:
    await shop.staff(LIN)
    for name in ("a", "b", "c"):
        await shop.hear(WEIBO, name, ANGRY)
    await shop.read_all()
    first, second, _third = await shop.store.read(lambda unit: unit.cases.all_open())
    assert (await look(shop)).acknowledged is None, "nothing is due yet"
    shop.clock.pass_by(timedelta(minutes=5))
    await shop.store.transact(cases.acknowledge, case=first.id, by=LIN, at=shop.clock.now())
    shop.clock.pass_by(timedelta(hours=5))
    await shop.store.transact(cases.acknowledge, case=second.id, by=LIN, at=shop.clock.now())
    found = await look(shop)
    assert (found.cases, found.acknowledged) == (3, pytest.approx(1 / 3))
