"""What needs a person is counted once, and what is foreseen from it holds slots back."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from router.domain.conversation import Offered
from router.domain.forecast import Demand
from router.domain.ids import Skill
from router.domain.prices import Category
from router.service.carry import LEASE
from router.service.desk import accept, wrap_up
from router.service.dispatch import Dispatcher
from router.service.forecast import tally
from router.service.ports import Conflict
from router.service.unit import Unit
from tests.service.conftest import CHAT, FAMILY, PHONE, START, Shop
from tests.service.test_story import publish

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


async def counts(shop: Shop) -> Mapping[tuple[str, Skill | None], int]:
    """Return what was counted, by family and skill, over all quarters."""

    def ask(unit: Unit) -> tuple[Demand, ...]:
        return unit.demands.at_times(range(96), since=START - HOUR, until=START + 48 * HOUR)

    summed: dict[tuple[str, Skill | None], int] = {}
    for each in await shop.store.read(ask):
        summed[each.family, each.skill] = summed.get((each.family, each.skill), 0) + each.count
    return summed


async def a_minute_later(shop: Shop) -> None:
    shop.clock.pass_by(MINUTE)
    await shop.dispatcher.once()


async def test_who_waits_for_a_person_is_counted_with_what_they_need(shop: Shop) -> None:
    await shop.hear(CHAT, "lin", "我要投诉！快递三天没动了，我要找消协")
    await shop.hear(CHAT, "wang", "包裹到哪里了？")
    await shop.settle()
    assert await counts(shop) == {}  # it is not settled yet what they need
    await a_minute_later(shop)
    found = await counts(shop)
    assert found["webchat", None] == 2
    assert found["webchat", Skill("complaint")] == 1
    await a_minute_later(shop)
    assert await counts(shop) == found


async def test_another_dispatcher_counts_on_where_the_first_stopped(shop: Shop) -> None:
    await shop.hear(CHAT, "lin", "包裹到哪里了？")
    await shop.settle()
    await a_minute_later(shop)
    shop.clock.pass_by(MINUTE)
    second = Dispatcher(
        shop.store, policy=shop.policy, families=FAMILY, clock=shop.clock, name="second"
    )
    await second.once()
    assert second.routing
    assert (await counts(shop))["webchat", None] == 1


async def test_who_lost_the_lease_counts_nothing(shop: Shop) -> None:
    await shop.hear(CHAT, "lin", "包裹到哪里了？")
    await shop.settle()
    shop.clock.pass_by(MINUTE)
    with pytest.raises(Conflict):
        await shop.store.transact(
            tally,
            policy=shop.policy,
            families=FAMILY,
            lease=LEASE,
            fence=0,
            at=shop.clock.now(),
        )
    assert await counts(shop) == {}


async def test_a_conversation_of_the_bot_counts_only_once_a_person_is_needed(shop: Shop) -> None:
    await publish(shop)
    await shop.hear(CHAT, "lin", "怎么开发票")
    await shop.settle()
    await a_minute_later(shop)
    assert await counts(shop) == {}
    await shop.hear(CHAT, "lin", "转人工")
    await shop.settle()
    await a_minute_later(shop)
    assert (await counts(shop))["webchat", None] == 1


async def test_what_is_foreseen_prices_the_last_slot_of_who_can_take_calls(shop: Shop) -> None:
    """Six chats and a call in an hour: the floor expects more of both."""
    for number in range(6):
        await shop.hear(CHAT, f"c{number}", "包裹到哪里了？")
    await shop.hear(PHONE, "+8613800138000", "我的订单怎么还没到")
    await shop.settle()
    shop.clock.pass_by(3 * MINUTE)
    await shop.dispatcher.once()
    seen = shop.dispatcher.foresight
    assert seen is not None
    chats = seen.forecast.rates[Category(exclusive=False, skill=None)][0]
    calls = seen.forecast.rates[Category(exclusive=True, skill=None)][0]
    assert 0 < calls < chats
    assert seen.since == START


async def test_a_small_shop_without_calls_leaves_nobody_idle_beside_a_waiting_chat(
    shop: Shop,
) -> None:
    """A complaint was foreseen once; two idle agents have room for eight chats."""
    for name in ("lin", "mei"):
        await shop.staff(name)
    for number in range(6):
        words = "我要投诉！快递三天没动了，我要找消协" if number == 0 else "包裹到哪里了？"
        chat = await shop.hear(CHAT, f"c{number}", words)
        await shop.settle()
        held = await shop.conversation(chat)
        assert isinstance(held.state, Offered), number
        agent = held.state.agent
        given = {"by": agent, "at": shop.clock.now()}
        await shop.store.transact(accept, reservation=held.state.reservation, **given)
        shop.clock.pass_by(4 * MINUTE)
        given["at"] = shop.clock.now()
        await shop.store.transact(
            wrap_up, conversation=chat, disposition="answered", text="", **given
        )
    assert shop.dispatcher.foresight is not None
