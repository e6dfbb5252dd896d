"""A shop on each database, and one on SQLite alone for what no database decides."""

from collections.abc import AsyncIterator

import pytest

from tests.service.conftest import Shop, open_shop


@pytest.fixture
async def shop(database_url: str) -> AsyncIterator[Shop]:
    opened = await open_shop(database_url)
    yield opened
    await opened.store.close()


@pytest.fixture
async def small_shop(sqlite_database: str) -> AsyncIterator[Shop]:
    opened = await open_shop(sqlite_database)
    yield opened
    await opened.store.close()
