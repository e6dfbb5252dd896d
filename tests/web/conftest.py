"""Fixtures of the web room."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from router.domain.workforce import Role
from router.store.engine import SqlStore
from tests.support.fakes import CountingIds, FixedClock
from tests.web.house import House, a_house
from tests.web.program import Program


@pytest.fixture
async def house(
    sqlite_store: SqlStore, clock: FixedClock, ids: CountingIds, tmp_path: Path
) -> AsyncIterator[House]:
    """Run the web room for this test."""
    async with a_house(sqlite_store, clock, ids, tmp_path) as running:
        yield running


@pytest.fixture
async def client(house: House) -> AsyncIterator[ClientSession]:
    """Open a client without a name."""
    async with house.browser() as opened:
        yield opened


@pytest.fixture
async def boss(house: House, client: ClientSession) -> Program:
    """Return a program that speaks for an administrator."""
    return Program(client, await house.token(await house.agent("boss", Role.ADMIN)))


@pytest.fixture
async def chen(house: House, client: ClientSession) -> Program:
    """Return a program that speaks for an agent."""
    return Program(client, await house.token(await house.agent("chen")))
