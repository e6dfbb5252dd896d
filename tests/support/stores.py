"""Fixtures of the store: a real one on each database, with a clock and ids that a test can set."""

from collections.abc import AsyncIterator

import pytest

from router.store.engine import SqlStore, open_store
from tests.support.fakes import CountingIds, FixedClock


@pytest.fixture
def clock() -> FixedClock:
    """Return a clock that the test moves."""
    return FixedClock()


@pytest.fixture
def ids() -> CountingIds:
    """Return ids that count."""
    return CountingIds()


@pytest.fixture
async def store(database_url: str, clock: FixedClock, ids: CountingIds) -> AsyncIterator[SqlStore]:
    """Open an empty store, once on SQLite and once on PostgreSQL."""
    opened = open_store(database_url, clock=clock, ids=ids)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_store(
    sqlite_database: str, clock: FixedClock, ids: CountingIds
) -> AsyncIterator[SqlStore]:
    """Open an empty store on SQLite, for what does not depend on the database."""
    opened = open_store(sqlite_database, clock=clock, ids=ids)
    yield opened
    await opened.close()
