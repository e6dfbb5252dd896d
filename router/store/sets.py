"""Many rows with one statement: lists of VALUES on SQLite, arrays on PostgreSQL.

A statement costs several times what a row in it costs, and on SQLite the writer's thread lets go of
the interpreter with each one. Rows of one call state the same columns.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from itertools import chain
from typing import Any, Protocol

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Connection, Dialect

from router.store.types import UtcDateTime, Words, storable, storable_all

#: How many rows a statement on SQLite has: few different texts, so that each is compiled once.
#: What is less is filled up with empty rows, which the statement passes over.
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)

Row = Mapping[str, Any]


class Found(Protocol):
    """A row that was read."""

    def __getitem__(self, name: str, /) -> Any: ...


Asked = Mapping[str, "sa.Select[Any]"]
Among = Callable[["sa.Column[str]"], "sa.ColumnElement[bool]"]


def insert_all(connection: Connection, table: sa.Table, rows: Sequence[Row]) -> int:
    """Insert rows, save those whose unique keys stand there already; return how many are new."""
    return _write(connection, _insertion, table, rows, ())


def number_all(
    connection: Connection, table: sa.Table, rows: Sequence[Row], *, by: str
) -> Sequence[int]:
    """Insert rows into a table that numbers them by the column ``by``; return their numbers.

    Nobody else may write to the table meanwhile. The numbers are in the order of the rows.
    """
    names, columns = _columns(connection, table, rows)
    if connection.dialect.name == "postgresql":
        text = _with_arrays(_numbering, table, names, (by,))
        return sorted(connection.exec_driver_sql(text, columns).scalars())
    numbers: list[int] = []
    for size, values in _chunks(columns):
        text = _with_values(_insertion, table, names, size, ())
        done = connection.exec_driver_sql(text, values)
        numbers.extend(range(done.lastrowid - done.rowcount + 1, done.lastrowid + 1))
    return numbers


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
) -> Sequence[Row]:
    """Return the rows that belong to ``keys``; none without keys."""
    if not keys:
        return ()
    clean = [storable(each) for each in keys]
    name = connection.dialect.name
    given = msgspec.json.encode(clean).decode() if name == "sqlite" else clean
    found = connection.execute(asked[name], {"keys": given, **others})
    names = tuple(found.keys())
    return [dict(zip(names, row, strict=True)) for row in found]  # read faster than mappings


# ----- how it is said ----------------------------------------------------------------------------

_How = tuple[Any, ...]
_Say = Callable[[sa.Table, tuple[str, ...], str, _How], str]


def _write(
    connection: Connection, say: _Say, table: sa.Table, rows: Sequence[Row], how: _How
) -> int:
    if not rows:
        return 0
    names, columns = _columns(connection, table, rows)
    if connection.dialect.name == "postgresql":
        text = _with_arrays(say, table, names, how)
        return connection.exec_driver_sql(text, columns).rowcount
    done = 0
    for size, values in _chunks(columns):
        text = _with_values(say, table, names, size, how)
        done += connection.exec_driver_sql(text, values).rowcount
    return done


def _columns(
    connection: Connection, table: sa.Table, rows: Sequence[Row]
) -> tuple[tuple[str, ...], tuple[list[Any], ...]]:
    """Return the columns that rows state, and what they state in each as the driver takes it."""
    names = tuple(rows[0])
    bound = _binders(table, names, connection.dialect)
    columns = tuple(
        bind([row[name] for row in rows]) for name, bind in zip(names, bound, strict=True)
    )
    return names, columns


def _chunks(columns: Sequence[list[Any]]) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Yield the rows by statements: how many places it has for rows, and what it is given."""
    rows = list(zip(*columns, strict=True))
    for start in range(0, len(rows), _SIZES[-1]):
        part = rows[start : start + _SIZES[-1]]
        size = next(each for each in _SIZES if each >= len(part))
        empty = ("",) * (len(columns) * (size - len(part)))
        yield size, (*chain.from_iterable(part), *empty)


def _insertion(table: sa.Table, names: tuple[str, ...], source: str, _how: _How) -> str:
    columns = ", ".join(f'"{name}"' for name in names)
    return (
        f"INSERT INTO {table.name} ({columns}) "  # noqa: S608  names of our own tables
        f"SELECT {columns} FROM {source} WHERE true ON CONFLICT DO NOTHING"
    )


def _numbering(table: sa.Table, names: tuple[str, ...], source: str, how: _How) -> str:
    columns = ", ".join(f'"{name}"' for name in names)
    return (
        f"INSERT INTO {table.name} ({columns}) "  # noqa: S608  names of our own tables
        f"SELECT {columns} FROM {source} ORDER BY nth RETURNING {how[0]}"
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
    rows = f"SELECT {columns} FROM (VALUES {values}) WHERE column1 <> ''"  # noqa: S608
    return say(table, names, f"({rows}) AS given", how)


@cache
def _with_arrays(say: _Say, table: sa.Table, names: tuple[str, ...], how: _How) -> str:
    arrays = ", ".join(f"${place}::{_type(table, name)}[]" for place, name in enumerate(names, 1))
    columns = ", ".join(f'"{name}"' for name in names)
    return say(table, names, f"unnest({arrays}) WITH ORDINALITY AS given({columns}, nth)", how)


def _type(table: sa.Table, name: str) -> str:
    column = table.c.get(name)
    kind = sa.BigInteger() if column is None else column.type  # a version that is expected
    return kind.compile(_POSTGRESQL)


_POSTGRESQL = sa.dialects.registry.load("postgresql")()
_Bind = Callable[[list[Any]], list[Any]]


@cache
def _binders(table: sa.Table, names: tuple[str, ...], dialect: Dialect) -> tuple[_Bind, ...]:
    return tuple(_binder(table.c.get(name), dialect) for name in names)


def _binder(column: "sa.Column[Any] | None", dialect: Dialect) -> _Bind:
    """Return what makes of a column's values what the driver takes: many at once are cheap."""
    if column is None:
        return _as_they_are
    if isinstance(column.type, Words):
        return storable_all
    if isinstance(column.type, UtcDateTime):
        return _moments if dialect.name == "sqlite" else _aware
    bind = column.type.dialect_impl(dialect).bind_processor(dialect)
    if bind is None:
        return _as_they_are
    return lambda values: [bind(each) for each in values]


def _as_they_are(values: list[Any]) -> list[Any]:
    return values


def _moments(values: list[datetime | None]) -> list[Any]:
    return [None if each is None else _moment(each) for each in values]


@lru_cache(maxsize=1024)
def _moment(value: datetime) -> str:
    """Return a time as SQLAlchemy writes it on SQLite; a batch says the same ones many times."""
    _aware([value])
    utc = value.astimezone(UTC)
    return utc.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def _aware(values: list[Any]) -> list[Any]:
    if any(each is not None and each.tzinfo is None for each in values):
        raise ValueError("a time without a zone cannot be stored")
    return values
