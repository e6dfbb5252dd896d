"""A transaction is kept whole or not at all; what it logged is heard in the order of commits."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy.exc import DBAPIError

from router.domain.events import Happened, Logged
from router.domain.ids import ContactId
from router.service.ports import Conflict, NotFound, StoreUnavailable
from router.store.engine import SqlStore, open_store
from router.store.unit import SqlUnit
from tests.builders import NOW, a_contact, a_known_identity
from tests.support.fakes import CountingIds, FixedClock
from tests.support.processes import free_port


class Wrong(Exception):
    """What a verb of a test raises."""


def note(unit: SqlUnit, number: int) -> int:
    """Write and log ``number``."""
    unit.journal.set_meta(f"note-{number}", "written")
    unit.record(Happened(kind="note_added", facts={"number": number}), at=NOW)
    return number


def note_and_fail(unit: SqlUnit, number: int) -> int:
    """Write and log ``number``, and then go wrong."""
    note(unit, number)
    raise Wrong(number)


def numbers(logged: Sequence[Logged]) -> list[int]:
    """Return the numbers that were noted, in the order of the log."""
    return [entry.event.facts["number"] for entry in logged if entry.event.facts]


def since(unit: SqlUnit, seq: int) -> Sequence[Logged]:
    """Return the log after ``seq``."""
    return unit.journal.events_since(seq)


def everything(unit: SqlUnit) -> Sequence[Logged]:
    """Return the whole log."""
    return unit.journal.events_since(0, limit=10_000)


async def test_what_returns_is_kept_and_told(store: SqlStore) -> None:
    heard: list[Logged] = []
    store.listen(heard.extend)

    assert await store.transact(note, 1) == 1

    assert await store.read(lambda unit: unit.journal.meta("note-1")) == "written"
    assert numbers(heard) == [1]
    assert list(await store.read(everything)) == heard


async def test_what_raises_is_undone_and_not_told(store: SqlStore) -> None:
    heard: list[Logged] = []
    store.listen(heard.extend)

    with pytest.raises(Wrong):
        await store.transact(note_and_fail, 1)

    assert await store.read(lambda unit: unit.journal.meta("note-1")) is None
    assert (heard, await store.read(everything)) == ([], ())


async def test_among_many_at_once_just_the_successful_are_logged_in_the_order_of_commits(
    store: SqlStore,
) -> None:
    heard: list[Logged] = []
    store.listen(heard.extend)
    verbs = [note_and_fail if number % 2 else note for number in range(200)]

    ended = await asyncio.gather(
        *(store.transact(verb, number) for number, verb in enumerate(verbs)),
        return_exceptions=True,
    )

    good = [number for number in ended if isinstance(number, int)]
    assert good == list(range(0, 200, 2))
    assert sum(isinstance(problem, Wrong) for problem in ended) == 100
    logged = list(await store.read(everything))
    assert sorted(numbers(logged)) == good
    assert [entry.seq for entry in logged] == sorted({entry.seq for entry in logged})
    assert heard == logged


async def test_events_are_heard_before_the_caller_goes_on(store: SqlStore) -> None:
    heard: list[Logged] = []
    store.listen(heard.extend)

    async def write(number: int) -> bool:
        await store.transact(note, number)
        return number in numbers(heard)

    assert all(await asyncio.gather(*(write(number) for number in range(20))))


async def test_a_listener_that_fails_is_reported_and_the_caller_has_what_was_kept(
    store: SqlStore,
) -> None:
    reported: list[object] = []

    def fail(_logged: Sequence[Logged]) -> None:
        raise Wrong

    asyncio.get_running_loop().set_exception_handler(
        lambda _loop, context: reported.append(context.get("exception"))
    )
    store.listen(fail)

    assert await store.transact(note, 1) == 1
    assert [type(problem) for problem in reported] == [Wrong]
    assert numbers(await store.read(everything)) == [1]


async def test_several_events_of_one_transaction_stand_in_the_order_they_were_recorded(
    store: SqlStore,
) -> None:
    def many(unit: SqlUnit) -> None:
        for number in range(50):
            note(unit, number)

    await store.transact(many)
    assert numbers(await store.read(everything)) == list(range(50))


async def test_a_reader_never_sees_a_number_before_all_smaller_ones(store: SqlStore) -> None:
    seen: list[int] = []

    async def follow() -> None:
        while len(seen) < 60:
            found = await store.read(since, seen[-1] if seen else 0)
            seen.extend(entry.seq for entry in found)
            await asyncio.sleep(0)

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        tasks.create_task(follow())
        for number in range(60):
            tasks.create_task(store.transact(note, number))

    assert seen == [entry.seq for entry in await store.read(everything)]


async def test_a_conflict_is_tried_once_more_with_nothing_left_of_the_first_try(
    store: SqlStore,
) -> None:
    tries: list[str | None] = []

    def lose_once(unit: SqlUnit) -> None:
        tries.append(unit.journal.meta("note-1"))
        note(unit, 1)
        if len(tries) == 1:
            raise Conflict("somebody else was first")

    await store.transact(lose_once)

    assert tries == [None, None]
    assert numbers(await store.read(everything)) == [1]


async def test_a_second_conflict_is_the_callers(store: SqlStore) -> None:
    tries: list[int] = []

    def lose(unit: SqlUnit) -> None:
        tries.append(note(unit, len(tries)))
        raise Conflict("somebody else is always first")

    with pytest.raises(Conflict):
        await store.transact(lose)

    assert tries == [0, 1]
    assert await store.read(everything) == ()


async def test_the_same_thing_inserted_twice_is_a_conflict(store: SqlStore) -> None:
    await store.transact(lambda unit: unit.contacts.add(a_contact()))
    with pytest.raises(Conflict):
        await store.transact(lambda unit: unit.contacts.add(a_contact()))


async def test_a_broken_rule_of_the_schema_is_a_bug_and_not_a_conflict(store: SqlStore) -> None:
    nameless = a_contact(name=None)
    with pytest.raises(DBAPIError):
        await store.transact(lambda unit: unit.contacts.add(nameless))


async def test_errors_do_not_repeat_what_customers_said(store: SqlStore) -> None:
    secret = a_contact(name=None, note="my address is 1 Plum Lane")
    with pytest.raises(DBAPIError) as caught:
        await store.transact(lambda unit: unit.contacts.add(secret))
    assert "Plum" not in str(caught.value)


async def test_an_attempt_that_fails_takes_only_its_own_writes_and_events_with_it(
    store: SqlStore,
) -> None:
    def mostly(unit: SqlUnit) -> None:
        note(unit, 1)
        with pytest.raises(Wrong):
            unit.attempt(note_and_fail, 2)
        assert unit.attempt(note, 3) == 3

    await store.transact(mostly)

    assert numbers(await store.read(everything)) == [1, 3]
    assert await store.read(lambda unit: unit.journal.meta("note-2")) is None


async def test_an_attempt_may_hold_attempts(store: SqlStore) -> None:
    def inner(unit: SqlUnit) -> None:
        unit.attempt(note, 1)
        note_and_fail(unit, 2)

    def outer(unit: SqlUnit) -> None:
        with pytest.raises(Wrong):
            unit.attempt(inner)
        note(unit, 3)

    await store.transact(outer)
    assert numbers(await store.read(everything)) == [3]


async def test_a_database_error_in_an_attempt_leaves_the_rest_usable(store: SqlStore) -> None:
    def twice(unit: SqlUnit) -> None:
        unit.contacts.add(a_contact())
        with pytest.raises(DBAPIError):
            unit.attempt(lambda inner: inner.contacts.add(a_contact()))
        note(unit, 1)

    await store.transact(twice)
    assert numbers(await store.read(everything)) == [1]


async def test_a_caller_who_leaves_does_not_stop_what_was_begun(store: SqlStore) -> None:
    heard: list[Logged] = []
    store.listen(heard.extend)
    leaving = asyncio.create_task(store.transact(note, 1))
    await asyncio.sleep(0)

    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await store.transact(note, 2)
    await store.close()

    assert sorted(numbers(heard)) == [1, 2]


async def test_a_question_cannot_write(store: SqlStore) -> None:
    with pytest.raises((DBAPIError, StoreUnavailable)):  # a server that only reads is "down"
        await store.read(lambda unit: unit.journal.set_meta("asked", "and written"))
    await store.transact(note, 1)
    assert await store.read(lambda unit: unit.journal.meta("asked")) is None


async def test_a_question_cannot_log(store: SqlStore) -> None:
    with pytest.raises(RuntimeError):
        await store.read(lambda unit: unit.record(Happened(kind="note_added", facts={}), at=NOW))


async def test_a_closed_store_says_so(store: SqlStore) -> None:
    await store.close()
    with pytest.raises(StoreUnavailable):
        await store.transact(note, 1)
    with pytest.raises(StoreUnavailable):
        await store.read(everything)


async def test_closing_finishes_what_was_queued(
    database_url: str, clock: FixedClock, ids: CountingIds
) -> None:
    store = open_store(database_url, clock=clock, ids=ids)
    writing = [asyncio.create_task(store.transact(note, number)) for number in range(30)]
    await asyncio.sleep(0)
    await store.close()
    assert await asyncio.gather(*writing) == list(range(30))

    again = open_store(database_url, clock=clock, ids=ids)
    assert sorted(numbers(await again.read(everything))) == list(range(30))
    await again.close()


async def test_two_who_introduce_the_same_person_at_once_end_with_one(store: SqlStore) -> None:
    def introduce(unit: SqlUnit, contact: str) -> ContactId:
        known = unit.contacts.known(a_known_identity().identity.account, "o-lin")
        if known is not None:
            return known.contact
        unit.contacts.add(a_contact(contact))
        unit.contacts.attach(a_known_identity(contact=ContactId(contact)))
        return ContactId(contact)

    met = await asyncio.gather(*(store.transact(introduce, f"c{number}") for number in range(8)))

    assert len(set(met)) == 1
    for other in {f"c{number}" for number in range(8)} - set(met):
        with pytest.raises(NotFound):
            await store.read(lambda unit, it=other: unit.contacts.get(ContactId(it)))


async def test_a_server_that_is_away_is_said_to_be_away(
    clock: FixedClock, ids: CountingIds
) -> None:
    url = f"postgresql+asyncpg://nobody@127.0.0.1:{free_port()}/none"
    store = open_store(url, clock=clock, ids=ids)
    with pytest.raises(StoreUnavailable):
        await store.transact(note, 1)
    with pytest.raises(StoreUnavailable):
        await store.read(everything)
    await store.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://root@localhost/x"])
def test_a_database_that_forgets_or_that_we_do_not_know_is_refused(
    url: str, clock: FixedClock, ids: CountingIds
) -> None:
    with pytest.raises(ValueError, match="expected"):
        open_store(url, clock=clock, ids=ids)
