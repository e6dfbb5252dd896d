"""Many rows with one statement: lists of VALUES on SQLite, arrays on PostgreSQL.

A statement costs several times what a row in it costs, and on SQLite the writer's thread lets go of
the interpreter with each one. Rows of one call state the same columns.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Connection, Dialect, RowMapping

from router.store.types import UtcDateTime, storable

#: How many rows a statement on SQLite has: few different texts, so that each is compiled once.
_CHUNKS = (64, 16, 4, 1)

Row = Mapping[str, Any]
Asked = Mapping[str, "sa.Select[Any]"]
Among = Callable[["sa.Column[str]"], "sa.ColumnElement[bool]"]


def insert_all(connection: Connection, table: sa.Table, rows: Sequence[Row]) -> int:
    """Insert rows, save those whose unique keys stand there already; return how many are new."""
    return _write(connection, _insertion, table, rows, ())


def update_all(
    connection: Connection,
    table: sa.Table,
    rows: Sequence[Row],
    *,
    where: Mapping[str, str],
    setting: Mapping[str, str] | None = None,
) -> int:
    """Write rows over those that they match; return how many were found.

    ``where`` says which column must equal which field of a row. The other fields are columns and
    are set, unless ``setting`` gives an expression of ``given`` and ``kept`` for a column.
    """
    how = tuple(where.items()), tuple((setting or {}).items())
    return _write(connection, _change, table, rows, how)


def by_keys(build: Callable[[Among], "sa.Select[Any]"]) -> Asked:
    """Return a question about rows with one of many keys, on each database (see `ask_all`)."""
    keys = sa.bindparam("keys", type_=sa.Text)
    listed = sa.func.json_each(keys).table_valued("value")
    arrayed = sa.bindparam("keys", type_=ARRAY(sa.Text))
    return {
        "sqlite": build(lambda column: column.in_(sa.select(listed.c.value))),
        "postgresql": build(lambda column: column == sa.any_(arrayed)),
    }


def ask_all(
    connection: Connection, asked: Asked, keys: Sequence[str], **others: Any
) -> Sequence[RowMapping]:
    """Return the rows that belong to ``keys``; none without keys."""
    if not keys:
        return ()
    clean = [storable(each) for each in keys]
    name = connection.dialect.name
    given = msgspec.json.encode(clean).decode() if name == "sqlite" else clean
    return connection.execute(asked[name], {"keys": given, **others}).mappings().all()


# ----- how it is said ----------------------------------------------------------------------------

_How = tuple[Any, ...]
_Say = Callable[[sa.Table, tuple[str, ...], str, _How], str]


def _write(
    connection: Connection, say: _Say, table: sa.Table, rows: Sequence[Row], how: _How
) -> int:
    if not rows:
        return 0
    names = tuple(rows[0])
    bound = _binders(table, names, connection.dialect)
    if connection.dialect.name == "postgresql":
        columns = tuple(
            [row[name] if bind is None else bind(row[name]) for row in rows]
            for name, bind in zip(names, bound, strict=True)
        )
        text = _with_arrays(say, table, names, how)
        return connection.exec_driver_sql(text, columns).rowcount
    done, at = 0, 0
    while at < len(rows):
        size = next(each for each in _CHUNKS if each <= len(rows) - at)
        values = tuple(
            row[name] if bind is None else bind(row[name])
            for row in rows[at : at + size]
            for name, bind in zip(names, bound, strict=True)
        )
        text = _with_values(say, table, names, size, how)
        done += connection.exec_driver_sql(text, values).rowcount
        at += size
    return done


def _insertion(table: sa.Table, names: tuple[str, ...], source: str, _how: _How) -> str:
    columns = ", ".join(f'"{name}"' for name in names)
    return (
        f"INSERT INTO {table.name} ({columns}) "  # noqa: S608  names of our own tables
        f"SELECT * FROM {source} WHERE true ON CONFLICT DO NOTHING"
    )


def _change(table: sa.Table, names: tuple[str, ...], source: str, how: _How) -> str:
    where, setting = how
    matched = {field for _, field in where}
    said = {name: f'given."{name}"' for name in names if name not in matched} | dict(setting)
    sets = ", ".join(f'"{name}" = {value}' for name, value in said.items())
    matches = " AND ".join(f'kept."{column}" = given."{field}"' for column, field in where)
    return f"UPDATE {table.name} AS kept SET {sets} FROM {source} WHERE {matches}"  # noqa: S608


@cache
def _with_values(say: _Say, table: sa.Table, names: tuple[str, ...], size: int, how: _How) -> str:
    row = f"({', '.join('?' * len(names))})"
    columns = ", ".join(f'column{place} AS "{name}"' for place, name in enumerate(names, 1))
    values = ", ".join([row] * size)
    return say(table, names, f"(SELECT {columns} FROM (VALUES {values})) AS given", how)  # noqa: S608


@cache
def _with_arrays(say: _Say, table: sa.Table, names: tuple[str, ...], how: _How) -> str:
    arrays = ", ".join(f"${place}::{_type(table, name)}[]" for place, name in enumerate(names, 1))
    columns = ", ".join(f'"{name}"' for name in names)
    return say(table, names, f"unnest({arrays}) AS given({columns})", how)


def _type(table: sa.Table, name: str) -> str:
    column = table.c.get(name)
    kind = sa.BigInteger() if column is None else column.type  # a version that is expected
    return kind.compile(_POSTGRESQL)


_POSTGRESQL = sa.dialects.registry.load("postgresql")()
_Bind = Callable[[Any], Any] | None


@cache
def _binders(table: sa.Table, names: tuple[str, ...], dialect: Dialect) -> tuple[_Bind, ...]:
    return tuple(_binder(table.c.get(name), dialect) for name in names)


def _binder(column: "sa.Column[Any] | None", dialect: Dialect) -> _Bind:
    if column is None:
        return None
    if isinstance(column.type, UtcDateTime) and dialect.name == "sqlite":
        return _moment
    return column.type.dialect_impl(dialect).bind_processor(dialect)


def _moment(value: datetime | None) -> str | None:
    """Return a time as SQLAlchemy writes it on SQLite, with fewer steps."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a time without a zone cannot be stored")
    utc = value if value.tzinfo is UTC else value.astimezone(UTC)
    return utc.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
