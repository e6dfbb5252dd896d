"""No question on the way of a message reads a whole table of history, on PostgreSQL."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from router.cli.bench.timeline import grow
from router.cli.ledger.tables import ask
from router.domain.ids import AccountName, ContactId, ConversationId
from router.service.repository.mentioned import Mentioned
from router.service.unit import Unit
from router.store.engine import open_store
from tests.support.fakes import CountingIds, FixedClock

PERSON = ContactId("c7")
ACCOUNT = AccountName("wechat")
QUESTIONS: dict[str, Callable[[Unit], Any]] = {
    "timeline": lambda unit: unit.conversations.timeline((PERSON,), limit=50),
    "seen before": lambda unit: unit.conversations.by_external(ACCOUNT, "m77"),
    "unread": lambda unit: unit.conversations.unread(limit=16),
    "unread of a person": lambda unit: unit.conversations.unread_of((PERSON,)),
    "unread of persons": lambda unit: unit.conversations.unread_of_persons((PERSON,)),
    "said in": lambda unit: unit.conversations.said_in(ConversationId("t7")),
}


def scans(url: str) -> dict[str, int]:
    """Return how often the table of history was read from end to end."""
    question = "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname = 'interactions'"
    return {str(name): int(count) for name, count in ask(url, question)}


async def test_every_question_is_answered_from_an_index(grown: str) -> None:
    read_through = []
    for name, question in QUESTIONS.items():
        before = await asyncio.to_thread(scans, grown)
        store = open_store(grown, clock=FixedClock(), ids=CountingIds())
        await store.read(question)
        await store.close()  # a connection that ends tells what it has read
        if await asyncio.to_thread(scans, grown) != before:
            read_through.append(name)
    assert read_through == []


async def test_the_count_of_scans_sees_a_question_without_an_index(grown: str) -> None:
    before = await asyncio.to_thread(scans, grown)
    await asyncio.to_thread(ask, grown, "SELECT count(*) FROM interactions WHERE text = 'x'")
    assert await asyncio.to_thread(scans, grown) != before


async def test_what_a_batch_looks_up_is_answered_from_indexes(grown: str) -> None:
    before = await asyncio.to_thread(scans, grown)
    store = open_store(grown, clock=FixedClock(), ids=CountingIds())
    named = Mentioned(
        identities=frozenset((ACCOUNT, f"o-{number}") for number in range(64)),
        externals=frozenset((ACCOUNT, f"m{number}") for number in range(64)),
    )

    def look(unit: Unit) -> None:
        with unit.gathered(named) as inside:
            known = inside.conversations.by_external(ACCOUNT, "m7")
            assert known is not None
            assert known.contact == PERSON

    await store.transact(look)
    await store.close()
    assert await asyncio.to_thread(scans, grown) == before


@pytest.fixture
async def grown(postgres_database: str) -> str:
    """Return a database with twenty thousand interactions of two hundred people."""
    await grow(postgres_database, 0, 20_000)
    return postgres_database
