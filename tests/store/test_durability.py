"""What was acknowledged survives whatever happens to the daemon, whole and once."""

import asyncio
import sys
from pathlib import Path

import asyncpg
import pytest

from router.domain.events import Logged
from router.service.ports import StoreUnavailable
from router.store.engine import SqlStore, open_store
from router.store.unit import SqlUnit
from tests.builders import NOW, a_contact
from tests.support.fakes import CountingIds, FixedClock
from tests.support.postgres import USER, Postgres
from tests.support.processes import LOOPBACK

ROOT = Path(__file__).parents[2]
ACKNOWLEDGED = 300  # what the killed writer has told us before we kill it


async def test_what_was_acknowledged_before_a_kill_is_there_and_nothing_stands_half(
    sqlite_database: str, clock: FixedClock, ids: CountingIds
) -> None:
    writer = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.store.burst",
        sqlite_database,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert writer.stdout is not None
    try:
        async with asyncio.timeout(30):
            told = [int(await writer.stdout.readline()) for _ in range(ACKNOWLEDGED)]
    finally:
        writer.kill()
        rest, _ = await writer.communicate()
    told += [int(line) for line in rest.splitlines(keepends=True) if line.endswith(b"\n")]

    def kept(unit: SqlUnit) -> tuple[Logged, ...]:
        return unit.journal.events_since(0, limit=1_000_000)

    def written(unit: SqlUnit) -> list[bool]:
        return [unit.journal.meta(f"note-{number}") == "written" for number in sorted(logged)]

    store = open_store(sqlite_database, clock=clock, ids=ids)
    log = await store.read(kept)
    logged = {entry.event.facts["number"] for entry in log if entry.event.facts}
    assert set(told) <= logged
    assert len(log) == len(logged)
    assert all(await store.read(written))
    await store.close()


async def test_a_full_disk_acknowledges_nothing_and_the_store_goes_on_once_there_is_room(
    sqlite_store: SqlStore,
) -> None:
    heard: list[Logged] = []
    sqlite_store.listen(heard.extend)

    def fill(unit: SqlUnit, number: int) -> None:
        unit.contacts.add(a_contact(f"c-{number}", note="满" * 2000, created_at=NOW))

    def limit(unit: SqlUnit, pages: int) -> None:
        unit.journal._connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")  # noqa: SLF001

    def count(unit: SqlUnit) -> int:
        return len(unit.contacts.search("", limit=10_000))

    await sqlite_store.transact(limit, 100)
    ended = await asyncio.gather(
        *(sqlite_store.transact(fill, number) for number in range(200)), return_exceptions=True
    )
    acknowledged = sum(each is None for each in ended)
    assert all(each is None or isinstance(each, StoreUnavailable) for each in ended)
    assert acknowledged < 200
    assert await sqlite_store.read(count) == acknowledged

    await sqlite_store.transact(limit, 1_000_000)
    await sqlite_store.transact(fill, 1000)
    assert await sqlite_store.read(count) == acknowledged + 1


async def test_connections_that_were_cut_while_idle_are_made_anew(
    postgres_server: Postgres, postgres_database: str, clock: FixedClock, ids: CountingIds
) -> None:
    store = open_store(postgres_database, clock=clock, ids=ids)
    await store.transact(lambda unit: unit.journal.set_meta("before", "cut"))
    name = postgres_database.rsplit("/", 1)[-1]
    operator = await asyncpg.connect(
        host=LOOPBACK, port=postgres_server.port, user=USER, database="postgres", ssl=False
    )
    cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1"
    assert await operator.fetchval(cut, name) == 1
    await operator.close()

    assert await store.read(lambda unit: unit.journal.meta("before")) == "cut"
    await store.close()


@pytest.mark.parametrize("question", [True, False])
async def test_a_schema_that_was_never_made_is_an_error_and_not_silence(
    tmp_path: Path, clock: FixedClock, ids: CountingIds, *, question: bool
) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'empty.db'}", clock=clock, ids=ids)
    ask = store.read if question else store.transact
    with pytest.raises(Exception, match="no such table"):
        await ask(lambda unit: unit.journal.meta("anything"))
    await store.close()
