"""A run of the audit is kept, is done in pages, and is one at a time."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from router.domain.errors import IllegalStep
from router.domain.events import Happened
from router.service import audit
from router.service.proof import last_proof, prove, run_through
from router.service.unit import Unit
from tests.service.conftest import START, Shop
from tests.service.test_audit import complained


@dataclass
class Hurrying:
    """A clock on which each look costs a while."""

    step: timedelta
    looks: list[datetime] = field(default_factory=list)

    def now(self) -> datetime:
        self.looks.append(START + self.step * len(self.looks))
        return self.looks[-1]


async def break_g3(shop: Shop) -> None:
    """Plant a case that was resolved without an acknowledgement."""
    _chat, contact, case = await complained(shop)

    def plant(unit: Unit) -> None:
        unit.record(Happened(kind="case_resolved", contact=contact, case=case), at=shop.clock.now())

    await shop.store.transact(plant)


async def test_nothing_is_known_before_the_first_run(shop: Shop) -> None:
    assert await shop.store.read(last_proof) is None


async def test_what_a_run_found_is_kept_until_the_next(shop: Shop) -> None:
    await break_g3(shop)
    proof = await prove(shop.store, clock=shop.clock, holder="one")

    assert proof.is_whole
    assert (proof.total, proof.by_guarantee) == (1, {"G3": 1})
    assert [each.code for each in proof.violations] == ["not_acknowledged"]
    assert await shop.store.read(last_proof) == proof


async def test_a_run_in_pages_finds_what_one_look_finds(shop: Shop) -> None:
    await break_g3(shop)

    def fill(unit: Unit) -> None:
        for _ in range(2500):
            unit.record(Happened(kind="article_changed"), at=shop.clock.now())

    await shop.store.transact(fill)
    _proof, found = await run_through(shop.store, clock=shop.clock)
    assert found == await shop.store.read(audit.audit, at=shop.clock.now())


async def test_a_run_that_is_out_of_time_says_how_far_it_came(shop: Shop) -> None:
    def fill(unit: Unit) -> None:
        for _ in range(2500):
            unit.record(Happened(kind="article_changed"), at=shop.clock.now())

    await shop.store.transact(fill)
    clock = Hurrying(timedelta(seconds=25))
    proof, _found = await run_through(shop.store, clock=clock, within=timedelta(seconds=40))
    assert not proof.is_whole
    assert (proof.seq, proof.until) == (1000, 2500)


async def test_a_second_run_is_refused_while_one_runs(shop: Shop) -> None:
    def busy(unit: Unit) -> None:
        at = shop.clock.now()
        unit.journal.lease("audit", holder="other", now=at, until=at + timedelta(minutes=1))

    await shop.store.transact(busy)
    with pytest.raises(IllegalStep):
        await prove(shop.store, clock=shop.clock, holder="one")
    shop.clock.pass_by(timedelta(minutes=2))
    assert (await prove(shop.store, clock=shop.clock, holder="one")).is_whole
