"""Cases from before they named a shop keep what they were, and get the account of their talk."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from router.resources import resource
from tests.support.postgres import Postgres

_TALK = {
    **dict.fromkeys(("channel", "external_id", "queue", "state", "state_json", "needs"), "x"),
    "excluded": "[]",
    "id": "talk",
    "contact_id": "person",
    "account": "tmall",
    "opened_at": "2026-11-11 02:00:00.000000",
}
_CASE = {
    "contact_id": "person",
    "status": "open",
    "severity": 2,
    "topic": "logistics",
    "opened_at": "2026-11-11 02:00:00.000000",
    "queue": "complaints",
    "due_at": "2026-11-11 04:00:00.000000",
}


def upgraded(connection: Connection) -> list[tuple[str, str, str]]:
    """Write two cases in the schema of 0001, upgrade to 0002, and return what stands there."""
    config = Config()
    config.set_main_option("script_location", str(resource("alembic")))
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")
    for name, row in (
        ("conversations", _TALK),
        ("cases", {**_CASE, "id": "heard", "conversation_id": "talk"}),
        ("cases", {**_CASE, "id": "written", "conversation_id": None}),
    ):
        columns = ", ".join(row)
        values = ", ".join("NULL" if v is None else f"'{v}'" for v in row.values())
        connection.execute(sa.text(f"INSERT INTO {name} ({columns}) VALUES ({values})"))  # noqa: S608
    command.upgrade(config, "0002")
    asked = sa.text("SELECT id, topic, shop FROM cases ORDER BY id")
    return [(each.id, each.topic, each.shop) for each in connection.execute(asked)]


AFTERWARDS = [("heard", "logistics", "tmall"), ("written", "logistics", "")]


def test_on_sqlite(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'old.db'}")
    with engine.begin() as connection:
        assert upgraded(connection) == AFTERWARDS
    engine.dispose()


async def test_on_postgresql(postgres_server: Postgres) -> None:
    postgres_server.create("shop_of_cases")
    engine = create_async_engine(postgres_server.url("shop_of_cases"))
    async with engine.begin() as connection:
        assert await connection.run_sync(upgraded) == AFTERWARDS
    await engine.dispose()
    postgres_server.drop("shop_of_cases")
