"""What statements say differently on SQLite and on PostgreSQL, and what their errors mean."""

import sqlite3
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout

#: Keys of the locks that belong to a task and not to a row.
EVENT_LOCK = 0x6D61696E  # one commit at a time gives out event numbers
CLAIM_LOCK = EVENT_LOCK + 1  # one claim at a time chooses from the outbox
SCHEMA_LOCK = EVENT_LOCK + 2  # one migration at a time

_ALONE = sa.select(sa.func.pg_advisory_xact_lock(sa.bindparam("key", type_=sa.BigInteger)))

#: PostgreSQL's codes for "try again": serialization failure, deadlock.
_AGAIN = frozenset({"40001", "40P01"})
#: PostgreSQL's classes for "not now": connection, resources, a lock not had in time, operator
#: intervention (a statement out of time as well), system; for being refused at the door; and for
#: writing where only reading is allowed, as on a standby or while an operator makes room.
_DOWN = ("08", "53", "55P03", "57", "58", "28", "3D", "25006")
_SQLITE_DOWN = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOTADB,
    }
)
_SQLITE_DUPLICATE = frozenset(
    {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}
)
_DUPLICATE = "23505"

BothWays = dict[str, sa.Insert]


def insert_new(table: sa.Table, *, unless: Sequence[str] = ()) -> BothWays:
    """Return an insert that does nothing if the row stands there already.

    ``unless`` names the columns that must be unique; without it any unique key counts.
    """
    target = list(unless) or None
    return {
        "sqlite": sqlite.insert(table).on_conflict_do_nothing(index_elements=target),
        "postgresql": postgresql.insert(table).on_conflict_do_nothing(index_elements=target),
    }


def insert_or_set(table: sa.Table, *columns: str) -> BothWays:
    """Return an insert that sets ``columns`` anew if the row stands there already."""
    keys = [column.name for column in table.primary_key]
    lite, full = sqlite.insert(table), postgresql.insert(table)
    return {
        "sqlite": lite.on_conflict_do_update(
            index_elements=keys, set_={name: lite.excluded[name] for name in columns}
        ),
        "postgresql": full.on_conflict_do_update(
            index_elements=keys, set_={name: full.excluded[name] for name in columns}
        ),
    }


def insert_or_add(table: sa.Table, *columns: str) -> BothWays:
    """Return an insert that, if the row stands there already, adds to its ``columns``."""
    keys = [each.name for each in table.primary_key]
    lite, full = sqlite.insert(table), postgresql.insert(table)
    return {
        "sqlite": lite.on_conflict_do_update(
            index_elements=keys,
            set_={name: table.c[name] + lite.excluded[name] for name in columns},
        ),
        "postgresql": full.on_conflict_do_update(
            index_elements=keys,
            set_={name: table.c[name] + full.excluded[name] for name in columns},
        ),
    }


def alone(connection: Connection, key: int) -> None:
    """Wait until no other transaction holds ``key``, and hold it until this one ends.

    SQLite has one writer, who is always alone.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_ALONE, {"key": key})


def containing(words: str) -> str:
    """Return the LIKE pattern for texts that contain ``words`` as they stand (escape: ``/``)."""
    escaped = words.replace("/", "//").replace("%", "/%").replace("_", "/_")
    return f"%{escaped}%"


def contains(column: "sa.Column[str]", pattern: str = "pattern") -> "sa.ColumnElement[bool]":
    """Return the condition that ``column`` matches the parameter ``pattern`` (see `containing`)."""
    return column.ilike(sa.bindparam(pattern, type_=column.type), escape="/")


# ----- errors ---------------------------------------------------------------------------------


def is_duplicate(error: IntegrityError) -> bool:
    """Return whether a unique key was broken, as happens in a race."""
    if isinstance(error.orig, sqlite3.Error):
        return error.orig.sqlite_errorcode in _SQLITE_DUPLICATE
    return _sqlstate(error) == _DUPLICATE


def is_passing(error: Exception) -> bool:
    """Return whether the same transaction may well succeed if it is tried again at once."""
    return isinstance(error, DBAPIError) and _sqlstate(error) in _AGAIN


def is_down(error: Exception) -> bool:
    """Return whether the database itself failed us: away, full, overloaded, out of time."""
    if isinstance(error, PoolTimeout | PendingRollbackError):  # the latter: cut off in a savepoint
        return True
    if not isinstance(error, DBAPIError):
        return _sqlstate(error).startswith(_DOWN)
    if isinstance(error.orig, sqlite3.Error):
        code = getattr(error.orig, "sqlite_errorcode", 0)
        return code & 0xFF in _SQLITE_DOWN
    state = _sqlstate(error)
    return error.connection_invalidated or state in _AGAIN or state.startswith(_DOWN)


def _sqlstate(error: Exception) -> str:
    said_by = error.orig if isinstance(error, DBAPIError) else error
    return getattr(said_by, "sqlstate", None) or ""
