"""The migrations make the schema that the code expects, on both databases."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from router.service.ports import StoreUnavailable
from router.store import aftermath, helpers, ledger, tables, traffic, writings
from router.store.engine import open_store
from router.store.migrate import _config, current, head, upgrade
from router.store.schema import metadata
from router.store.sqlite import sqlite_engine
from router.store.unit import SqlUnit
from tests.support.fakes import CountingIds, FixedClock
from tests.support.postgres import Postgres
from tests.support.processes import free_port


def differences(connection: Connection) -> list[object]:
    """Return what stands in the code and not in the database, or the other way round."""
    # alembic takes SQLite's '' for another default than ''; the migration is the same for both
    options = {"compare_type": True, "compare_server_default": connection.dialect.name != "sqlite"}
    context = MigrationContext.configure(connection, opts=options)
    return [*compare_metadata(context, metadata), *checks(connection), *conditions(connection)]


def checks(connection: Connection) -> list[object]:
    """Return tables whose check constraints differ; alembic does not look at them."""
    look = sa.inspect(connection)
    return [
        table.name
        for table in metadata.sorted_tables
        if {each["name"] for each in look.get_check_constraints(table.name)}
        != {each.name for each in table.constraints if isinstance(each, sa.CheckConstraint)}
    ]


def conditions(connection: Connection) -> list[object]:
    """Return indexes that are partial in one place only; alembic does not look at that."""
    look, where = sa.inspect(connection), f"{connection.dialect.name}_where"
    found = {
        each["name"]: where in each.get("dialect_options", {})
        for table in metadata.sorted_tables
        for each in look.get_indexes(table.name)
    }
    return [
        index.name
        for table in metadata.sorted_tables
        for index in table.indexes
        if (index.dialect_options[connection.dialect.name].get("where") is not None)
        != found[index.name]
    ]


async def test_the_migrations_make_what_the_code_expects_on_sqlite(sqlite_database: str) -> None:
    engine = sa.create_engine(sqlite_database)
    with engine.connect() as connection:
        assert differences(connection) == []
    engine.dispose()


async def test_the_migrations_make_what_the_code_expects_on_postgresql(
    postgres_database: str,
) -> None:
    engine = create_async_engine(postgres_database)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


def test_every_table_is_known_wherever_it_is_written_down() -> None:
    written = {
        table.name
        for module in (aftermath, helpers, ledger, tables, traffic, writings)
        for table in vars(module).values()
        if isinstance(table, sa.Table)
    }
    assert written == set(metadata.tables)


async def test_a_migrated_database_stands_at_the_newest_revision(database_url: str) -> None:
    assert await current(database_url) == head()


async def test_migrating_again_changes_nothing(database_url: str) -> None:
    await upgrade(database_url)
    assert await current(database_url) == head()


async def test_a_file_that_is_not_there_has_no_revision_and_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "none" / "mainstem.db"
    assert await current(f"sqlite:///{path}") is None
    assert not path.parent.exists()


async def test_a_new_file_is_made_with_its_folder(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'data' / 'mainstem.db'}"
    await upgrade(url)
    assert await current(url) == head()


async def test_an_empty_postgresql_database_has_no_revision(postgres_url: str) -> None:
    assert await current(postgres_url) is None


async def test_daemons_that_start_together_migrate_once(postgres_server: Postgres) -> None:
    postgres_server.create("together")
    url = postgres_server.url("together")
    await asyncio.gather(*(upgrade(url) for _ in range(3)))
    assert await current(url) == head()
    postgres_server.drop("together")


async def test_an_address_that_names_no_driver_is_as_good(postgres_server: Postgres) -> None:
    postgres_server.create("plain")
    named = postgres_server.url("plain")
    plain = named.replace("postgresql+asyncpg://", "postgresql://")
    assert plain != named
    await upgrade(plain)
    assert await current(plain) == await current(named) == head()
    store = open_store(plain, clock=FixedClock(), ids=CountingIds())
    assert await store.read(lambda unit: unit.journal.seq()) == 0
    await store.close()
    postgres_server.drop("plain")


async def test_a_server_that_is_away_is_said_to_be_away() -> None:
    with pytest.raises(StoreUnavailable):
        await upgrade(f"postgresql+asyncpg://nobody@127.0.0.1:{free_port()}/none")


def before_publications(connection: Connection) -> None:
    """Bring an empty database to the revision before publications, with two articles in it."""
    config = _config(connection)
    command.upgrade(config, "0002")
    connection.execute(
        sa.text(
            "INSERT INTO articles (id, state, questions, answer_zh, channels, updated_at,"
            " updated_by, version) VALUES ('a', 'published', '[\"怎么退货\"]', '七天', '[]',"
            " '2026-11-01 08:00:00', 'li', 3), ('b', 'draft', '[\"x\"]', 'y', '[]',"
            " '2026-11-01 08:00:00', 'li', 1)"
        )
    )


def after_publications(connection: Connection) -> None:
    """Check that what was published is published still, and that nothing else is."""
    command.upgrade(_config(connection), "head")
    unit = SqlUnit(connection, clock=FixedClock(), ids=CountingIds())
    (made,) = unit.knowledge.standing()
    published, draft = unit.knowledge.article("a"), unit.knowledge.article("b")
    assert (made.article, made.answer_zh, made.number) == ("a", "七天", 1)
    assert (published.live, published.version, draft.live) == (made.id, 3, None)
    assert made.holds(datetime(2026, 11, 2, tzinfo=UTC))
    assert published.accounts == frozenset()


def test_what_was_published_before_publications_came_is_published_still_on_sqlite(
    tmp_path: Path,
) -> None:
    engine = sqlite_engine(f"sqlite:///{tmp_path / 'old.db'}", readonly=False)
    with engine.begin() as connection:
        before_publications(connection)
        after_publications(connection)
    engine.dispose()


async def test_what_was_published_before_publications_came_is_published_still_on_postgresql(
    postgres_url: str,
) -> None:
    engine = create_async_engine(postgres_url)
    async with engine.begin() as connection:
        await connection.run_sync(before_publications)
        await connection.run_sync(after_publications)
    await engine.dispose()
