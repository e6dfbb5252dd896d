"""Writes to a store without end and tells each number once it is committed; killed by a test."""

import asyncio
import sys

from router.domain.events import Happened
from router.store.engine import SqlStore, open_store
from router.store.unit import SqlUnit
from tests.builders import NOW
from tests.support.fakes import CountingIds, FixedClock

WRITERS = 20


def note(unit: SqlUnit, number: int) -> None:
    """Write ``number`` in two places, which belong together."""
    unit.journal.set_meta(f"note-{number}", "written")
    unit.record(Happened(kind="note_added", facts={"number": number}), at=NOW)


async def write(store: SqlStore, start: int) -> None:
    """Commit numbers from ``start`` in steps of WRITERS, and say so."""
    number = start
    while True:
        await store.transact(note, number)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        number += WRITERS


async def burst(url: str) -> None:
    """Write from several tasks at once, so that they share commits."""
    store = open_store(url, clock=FixedClock(), ids=CountingIds())
    async with asyncio.TaskGroup() as tasks:
        for start in range(WRITERS):
            tasks.create_task(write(store, start))


if __name__ == "__main__":
    asyncio.run(burst(sys.argv[1]))
