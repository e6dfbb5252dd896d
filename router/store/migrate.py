"""Brings a database to the schema that this version needs."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection, make_url

from router.resources import resource
from router.store.dialect import SCHEMA_LOCK, alone
from router.store.postgres import postgres_engine, unless_down
from router.store.sqlite import file_of, sqlite_engine

T = TypeVar("T")


async def upgrade(url: str) -> None:
    """Migrate the database at ``url`` to `head`, in one transaction; make an SQLite file if needed.

    Raises StoreUnavailable if PostgreSQL cannot be reached.
    """
    await _within(url, _upgrade)


async def current(url: str) -> str | None:
    """Return the revision that the database at ``url`` stands at; None if it is empty."""
    if _is_sqlite(url) and not await asyncio.to_thread(file_of(url).exists):
        return None
    return await _within(url, _current)


def head() -> str:
    """Return the revision that this version needs."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    if newest is None:
        raise FileNotFoundError("there are no migrations where they were looked for")
    return newest


async def _within(url: str, work: Callable[[Connection], T]) -> T:
    if _is_sqlite(url):
        return await asyncio.to_thread(_within_sqlite, url, work)
    engine = postgres_engine(url, longest=None)
    try:
        with unless_down():
            async with engine.begin() as connection:
                return await connection.run_sync(work)
    finally:
        await engine.dispose()


def _within_sqlite(url: str, work: Callable[[Connection], T]) -> T:
    file_of(url).parent.mkdir(parents=True, exist_ok=True)
    engine = sqlite_engine(url, readonly=False)
    try:
        with engine.begin() as connection:
            return work(connection)
    finally:
        engine.dispose()


def _is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(resource("alembic")).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    alone(connection, SCHEMA_LOCK)
    command.upgrade(_config(connection), "head")


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
