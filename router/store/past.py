"""Moves old history on PostgreSQL into tables of its own, one a month, below the tables in use.

They are children by inheritance (https://www.postgresql.org/docs/current/ddl-inherit.html), so
every question still finds what was moved, keys and statements stay as they are, and nothing on the
way of a message knows of it. A month can lie on another tablespace, or be detached and put away.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from router.store.dialect import SCHEMA_LOCK, alone
from router.store.postgres import postgres_engine, unless_down

_BATCH = 2000
_CLOSED = """EXISTS (SELECT 1 FROM conversations
WHERE conversations.id = moved.conversation_id AND conversations.closed_at < :before)"""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A table that history may leave: its key, the time of a row, and the condition for it."""

    table: str
    key: str
    time: str
    may: str


_KINDS = (
    _Kind("interactions", "id", "received_at", f"NOT moved.unread AND {_CLOSED}"),
    _Kind("decisions", "id", "at", _CLOSED),
    _Kind("events", "seq", "at", "TRUE"),
)


async def move_history(
    url: str, *, before: datetime, told: Callable[[str, int], None] = lambda _table, _rows: None
) -> dict[str, int]:
    """Move what is older than ``before`` and done with; return how many rows of each table.

    Interactions and decisions go once their conversation was closed before that time. It may run
    beside daemons and be broken off; each batch is a transaction. Raises ValueError for a database
    that is not PostgreSQL, StoreUnavailable if it cannot be reached.
    """
    if make_url(url).get_backend_name() != "postgresql":
        raise ValueError("only PostgreSQL keeps history in several tables")
    engine, moved = postgres_engine(url), dict.fromkeys((kind.table for kind in _KINDS), 0)
    try:
        for kind in _KINDS:
            after: str | int | None = None
            while True:
                with unless_down():
                    async with engine.begin() as connection:
                        count, after = await _batch(connection, kind, before, after)
                if not count:
                    break
                moved[kind.table] += count
                told(kind.table, moved[kind.table])
    finally:
        await engine.dispose()
    return moved


async def _batch(
    connection: AsyncConnection, kind: _Kind, before: datetime, after: str | int | None
) -> tuple[int, str | int | None]:
    """Move one batch of rows with keys beyond ``after``; return how many, and the last key."""
    await connection.run_sync(alone, SCHEMA_LOCK)
    beyond = "TRUE" if after is None else f"moved.{kind.key} > :after"
    asked = sa.text(
        f"SELECT moved.{kind.key}, moved.{kind.time} FROM ONLY {kind.table} AS moved "  # noqa: S608
        f"WHERE {beyond} AND moved.{kind.time} < :before AND {kind.may} "
        f"ORDER BY moved.{kind.key} LIMIT {_BATCH}"
    )
    given = {"before": before, **({} if after is None else {"after": after})}
    rows = (await connection.execute(asked, given)).all()
    months: dict[datetime, list[str | int]] = defaultdict(list)
    for key, time in rows:
        months[
            time.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        ].append(key)
    for month, keys in months.items():
        child = await _child(connection, kind, month)
        await connection.execute(
            sa.text(
                f"WITH gone AS (DELETE FROM ONLY {kind.table} WHERE {kind.key} = ANY(:keys) "  # noqa: S608
                f"RETURNING *) INSERT INTO {child} SELECT * FROM gone"
            ),
            {"keys": keys},
        )
    return len(rows), rows[-1][0] if rows else after


async def _child(connection: AsyncConnection, kind: _Kind, month: datetime) -> str:
    """Return the name of the table for a month, which is made if it is not there."""
    following = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
    name = f"{kind.table}_{month:%Y_%m}"
    await connection.execute(
        sa.text(
            f"CREATE TABLE IF NOT EXISTS {name} (LIKE {kind.table} INCLUDING ALL, "
            f"CHECK ({kind.time} >= '{month.isoformat()}' AND {kind.time} < "
            f"'{following.isoformat()}')) INHERITS ({kind.table})"
        )
    )
    return name
