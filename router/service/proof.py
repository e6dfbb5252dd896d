"""A run of the audit, page by page, and what is kept of the last one (G5)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from router.domain.errors import IllegalStep
from router.service import audit
from router.service.audit import Course, Violation
from router.service.ports import Clock, Store
from router.service.unit import Unit

#: How many violations are kept of a run; the rest is counted.
MOST_KEPT = 200
#: How long a run that the pages asked for may take; the command has no limit.
ON_DEMAND = timedelta(seconds=60)
_KEPT = "audit"
_LEASE = "audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What one run found. It ``is_whole`` if it came to the log's end within its time.

    ``seq`` is the last event that was looked at, ``until`` the last that there was; ``total``
    counts all violations, of which the first `MOST_KEPT` are in ``violations``.
    """

    at: datetime
    took: timedelta
    seq: int
    until: int
    total: int
    by_guarantee: Mapping[str, int]
    violations: tuple[Violation, ...]

    @property
    def is_whole(self) -> bool:
        """Return whether the whole log was looked at."""
        return self.seq >= self.until


async def run_through(
    store: Store, *, clock: Clock, within: timedelta | None = None
) -> tuple[Proof, tuple[Violation, ...]]:
    """Re-derive the guarantees in short reads, keep the result, and return it with everything.

    After ``within`` it stops where it is and says so.
    """
    began = clock.now()
    course: Course = await store.read(audit.set_out)
    while not course.is_whole and (within is None or clock.now() - began < within):
        await store.read(audit.go_on, course)
        await asyncio.sleep(0)
    found = await store.read(audit.conclude, course, at=clock.now())
    counted: dict[str, int] = {}
    for each in found:
        counted[each.guarantee] = counted.get(each.guarantee, 0) + 1
    proof = Proof(
        at=began,
        took=clock.now() - began,
        seq=course.seq,
        until=course.until,
        total=len(found),
        by_guarantee=counted,
        violations=found[:MOST_KEPT],
    )
    await store.transact(_keep, proof)
    return proof, found


async def prove(store: Store, *, clock: Clock, holder: str) -> Proof:
    """Run the audit for a page, one at a time; raises IllegalStep while another runs."""
    at = clock.now()
    await store.transact(_begin, holder=holder, at=at)
    try:
        proof, _found = await run_through(store, clock=clock, within=ON_DEMAND)
    finally:
        await store.transact(_end, holder=holder)
    return proof


def last_proof(unit: Unit) -> Proof | None:
    """Return what the last run found; None if there was none."""
    kept = unit.journal.meta(_KEPT)
    return None if kept is None else msgspec.json.decode(kept, type=Proof)


def _keep(unit: Unit, proof: Proof) -> None:
    unit.journal.set_meta(_KEPT, msgspec.json.encode(proof).decode())


def _begin(unit: Unit, *, holder: str, at: datetime) -> None:
    lease = unit.journal.lease(_LEASE, holder=holder, now=at, until=at + 2 * ON_DEMAND)
    if lease is None:
        raise IllegalStep("an audit is running already")


def _end(unit: Unit, *, holder: str) -> None:
    unit.journal.release_lease(_LEASE, holder=holder)
