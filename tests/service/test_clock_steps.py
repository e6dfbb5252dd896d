"""The clock is set, forward or back: everything goes on, nothing is lost, order stays."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from router.domain.conversation import Offered, Queued
from router.domain.ids import AgentId
from router.service import clocks
from router.service.carry import LEASE
from router.service.dispatch import Dispatcher
from tests.service.conftest import CHAT, FAMILY, Shop

LIN = AgentId("lin")
HOUR = timedelta(hours=1)


@dataclass
class Passing:
    """Time that goes by, whatever the clock says."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


def router(shop: Shop, name: str, passing: Passing) -> Dispatcher:
    return Dispatcher(
        shop.store,
        policy=shop.policy,
        families=FAMILY,
        clock=shop.clock,
        name=name,
        passed=passing,
    )


@pytest.mark.parametrize("step", [HOUR, -HOUR])
async def test_whoever_routes_goes_on_routing(shop: Shop, step: timedelta) -> None:
    await shop.staff(LIN, capacity=2.0)
    passing = Passing()
    ours = router(shop, "ours", passing)
    await ours.once()
    shop.clock.pass_by(step)
    passing.seconds += 3
    chat = await shop.hear(CHAT, "member-1", "我想修改收货地址")
    await shop.read_all()
    await ours.once()
    assert isinstance((await shop.conversation(chat)).state, Offered)
    lease = await shop.store.read(lambda unit: unit.journal.leased(LEASE))
    assert lease is not None
    assert timedelta(0) < lease.until - shop.clock.now() <= timedelta(seconds=4)


async def test_a_lease_that_ends_in_the_far_future_is_taken_over_once_nobody_renews_it(
    shop: Shop,
) -> None:
    """The daemon that died had taken it while its clock was an hour ahead."""
    shop.clock.pass_by(HOUR)
    await router(shop, "dead", Passing()).once()
    shop.clock.pass_by(-HOUR)
    passing = Passing()
    ours = router(shop, "ours", passing)
    await ours.once()
    assert not ours.routing
    passing.seconds += 3.9
    await ours.once()
    assert not ours.routing
    passing.seconds += 0.2
    await ours.once()
    assert ours.routing


async def test_a_lease_that_is_renewed_is_left_alone_however_the_clocks_differ(shop: Shop) -> None:
    theirs, passing = router(shop, "theirs", Passing()), Passing()
    ours = router(shop, "ours", passing)
    for _ in range(5):
        shop.clock.pass_by(HOUR)
        await theirs.once()
        shop.clock.pass_by(-HOUR)
        await ours.once()
        assert not ours.routing
        passing.seconds += 3
        shop.clock.pass_by(timedelta(seconds=3))


@pytest.mark.parametrize("step", [HOUR, -HOUR])
async def test_what_is_said_stays_in_order_and_what_was_offered_lapses(
    shop: Shop, step: timedelta
) -> None:
    await shop.staff(LIN)
    chat = await shop.hear(CHAT, "member-1", "我想修改收货地址")
    await shop.read_all()
    await shop.dispatcher.once()
    assert isinstance((await shop.conversation(chat)).state, Offered)
    shop.clock.pass_by(step)
    for words in ("在吗", "还在吗", "有人吗"):
        await shop.hear(CHAT, "member-1", words)
        shop.clock.pass_by(timedelta(seconds=1))
    await shop.read_all()
    said = await shop.store.read(lambda unit: unit.conversations.said_in(chat))
    assert [each.seq for each in said] == [1, 2, 3, 4]
    assert len({each.external_id for each in said}) == 4
    shop.clock.pass_by(2 * HOUR)
    await shop.dispatcher.once()
    state = (await shop.conversation(chat)).state
    assert isinstance(state, Queued)
    await shop.store.transact(clocks.ring, policy=shop.policy, at=shop.clock.now())
