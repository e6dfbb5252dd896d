"""Two daemons on one PostgreSQL: who holds a person or an agent holds them against the other."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from router.domain.events import Happened
from router.domain.ids import AgentId, ContactId, OutboxId
from router.service.records import OutboxState
from router.store.engine import SqlStore, open_store
from router.store.postgres import postgres_engine
from router.store.unit import SqlUnit
from tests.builders import NOW, a_contact, an_agent, an_outbox_row
from tests.support.fakes import CountingIds, FixedClock

PERSON, OTHER, AGENT = ContactId("contact-1"), ContactId("contact-2"), AgentId("agent-1")
ROUNDS = 15


@pytest.fixture
async def two_daemons(
    postgres_database: str, clock: FixedClock, ids: CountingIds
) -> AsyncIterator[tuple[SqlStore, SqlStore]]:
    """Open one database twice, as two daemons do."""
    one = open_store(postgres_database, clock=clock, ids=ids)
    two = open_store(postgres_database, clock=clock, ids=ids)
    yield one, two
    await one.close()
    await two.close()


UnderWay = Callable[[Callable[[SqlUnit], Any]], AbstractAsyncContextManager[Any]]


@pytest.fixture
async def under_way(
    postgres_database: str, clock: FixedClock, ids: CountingIds
) -> AsyncIterator[UnderWay]:
    """Return how to hold a transaction open after its verb: it commits at the end of the block."""
    engine = postgres_engine(postgres_database)

    @asynccontextmanager
    async def begun(verb: Callable[[SqlUnit], Any]) -> AsyncIterator[Any]:
        async with engine.begin() as connection:
            yield await connection.run_sync(lambda held: verb(SqlUnit(held, clock=clock, ids=ids)))

    yield begun
    await engine.dispose()


async def blocked(task: "asyncio.Task[Any]", url: str) -> None:
    """Wait until ``task`` waits for a lock; fail if it ends instead."""
    engine = postgres_engine(url)
    waiting = sa.text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    async with asyncio.timeout(10), engine.connect() as connection:
        while not (await connection.execute(waiting)).scalar_one():
            assert not task.done(), "it did not wait"
            await connection.rollback()
    await engine.dispose()


def people(unit: SqlUnit) -> None:
    """Add two persons and an agent."""
    unit.contacts.add(a_contact(PERSON))
    unit.contacts.add(a_contact(OTHER))
    unit.workforce.add(an_agent(AGENT), password_hash="", must_change_password=False)
    unit.journal.set_meta("count", "0")


def count(unit: SqlUnit) -> None:
    """Read and write in two steps, which is wrong unless one is alone."""
    unit.journal.set_meta("count", str(int(unit.journal.meta("count") or "0") + 1))


def count_holding_person(unit: SqlUnit) -> None:
    """Count while holding the person."""
    unit.contacts.lock(PERSON)
    count(unit)


def count_holding_agent(unit: SqlUnit) -> None:
    """Count while holding the agent."""
    unit.workforce.lock(AGENT)
    count(unit)


@pytest.mark.parametrize("verb", [count_holding_person, count_holding_agent])
async def test_transactions_on_one_person_or_agent_run_one_after_the_other(
    two_daemons: tuple[SqlStore, SqlStore], verb: Callable[[SqlUnit], None]
) -> None:
    await two_daemons[0].transact(people)
    await asyncio.gather(*(each.transact(verb) for each in two_daemons for _ in range(ROUNDS)))
    counted = await two_daemons[0].read(lambda unit: unit.journal.meta("count"))
    assert counted == str(2 * ROUNDS)


async def test_who_waits_for_a_person_who_is_merged_meanwhile_holds_the_new_root(
    two_daemons: tuple[SqlStore, SqlStore],
) -> None:
    one, two = two_daemons
    await one.transact(people)

    def merge(unit: SqlUnit) -> None:
        for contact in (PERSON, OTHER):
            unit.contacts.lock(contact)
        unit.contacts.set_roots({PERSON: OTHER})
        count(unit)

    def hold(unit: SqlUnit) -> ContactId:
        root = unit.contacts.lock(PERSON)
        assert unit.contacts.get(PERSON).root == root
        return root

    _, *held = await asyncio.gather(one.transact(merge), *(two.transact(hold) for _ in range(5)))
    assert set(held) <= {PERSON, OTHER}
    assert await two.transact(hold) == OTHER


async def test_two_who_hold_the_same_persons_in_opposite_order_both_end(
    two_daemons: tuple[SqlStore, SqlStore],
) -> None:
    one, two = two_daemons
    await one.transact(people)

    def hold(unit: SqlUnit, *contacts: ContactId) -> None:
        for contact in contacts:
            unit.contacts.lock(contact)
        count(unit)

    async with asyncio.timeout(30):
        await asyncio.gather(
            *(one.transact(hold, PERSON, OTHER) for _ in range(3)),
            *(two.transact(hold, OTHER, PERSON) for _ in range(3)),
        )
    assert await one.read(lambda unit: unit.journal.meta("count")) == "6"


async def test_two_daemons_never_send_to_one_customer_at_once(
    two_daemons: tuple[SqlStore, SqlStore],
) -> None:
    one, two = two_daemons
    rows = [an_outbox_row(f"o-{n:02d}", to=f"customer-{n % 5}") for n in range(30)]
    customer = {row.id: row.message.recipient for row in rows}

    def queue(unit: SqlUnit) -> None:
        for row in rows:
            unit.outbox.add(row)

    await one.transact(queue)
    flying: set[str] = set()
    claimed: list[OutboxId] = []

    async def drain(store: SqlStore) -> None:
        while len(claimed) < len(rows):
            for row in await store.transact(claim):
                assert customer[row] not in flying
                flying.add(customer[row])
                claimed.append(row)
                await asyncio.sleep(0)
                flying.discard(customer[row])
                await store.transact(sent, row)

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        for store in (one, two, one, two):
            tasks.create_task(drain(store))
    assert sorted(claimed) == sorted(customer)


def claim(unit: SqlUnit) -> list[OutboxId]:
    """Claim a few rows and return their ids."""
    return [row.id for row in unit.outbox.claim(by="d", now=NOW, until=NOW, limit=4)]


def sent(unit: SqlUnit, row: OutboxId) -> None:
    """Settle a row as sent."""
    unit.outbox.settle(row, OutboxState.SENT, at=NOW)


async def test_who_logs_waits_until_the_numbers_before_it_can_be_seen(
    postgres_database: str, two_daemons: tuple[SqlStore, SqlStore], under_way: UnderWay
) -> None:
    one, two = two_daemons

    def log(unit: SqlUnit) -> int:
        note(unit)
        return unit.flush_events()[0].seq

    async with under_way(log) as first:
        second = asyncio.create_task(one.transact(note))
        await blocked(second, postgres_database)
        assert await two.read(lambda unit: unit.journal.seq()) == 0
    await second
    log_now = await two.read(lambda unit: unit.journal.events_since(0))
    assert [entry.seq for entry in log_now] == [first, log_now[-1].seq]


async def test_an_old_answer_is_not_tried_again_while_a_claim_chooses(
    postgres_database: str, two_daemons: tuple[SqlStore, SqlStore], under_way: UnderWay
) -> None:
    one, two = two_daemons

    def queue(unit: SqlUnit) -> None:
        unit.outbox.add(an_outbox_row("o-1", state=OutboxState.DEAD))
        unit.outbox.add(an_outbox_row("o-2"))

    await one.transact(queue)
    async with under_way(claim) as claimed:
        again = asyncio.create_task(
            one.transact(lambda unit: unit.outbox.requeue(OutboxId("o-1"), at=NOW))
        )
        await blocked(again, postgres_database)
    await again
    assert (claimed, await two.transact(claim)) == (["o-2"], [])


async def test_a_claim_passes_over_what_another_is_writing(
    two_daemons: tuple[SqlStore, SqlStore], under_way: UnderWay
) -> None:
    one, two = two_daemons

    def queue(unit: SqlUnit) -> None:
        unit.outbox.add(an_outbox_row("o-1"))
        unit.outbox.add(an_outbox_row("o-2", to="another"))

    def give_up(unit: SqlUnit) -> None:
        unit.outbox.settle(OutboxId("o-1"), OutboxState.DEAD, at=NOW)

    await one.transact(queue)
    async with under_way(give_up), asyncio.timeout(5):
        assert await two.transact(claim) == ["o-2"]


def note(unit: SqlUnit) -> None:
    """Log something."""
    unit.record(Happened(kind="note_added"), at=NOW)
