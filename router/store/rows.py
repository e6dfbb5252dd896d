"""How repositories ask for rows: one that must be there, one that may, and many."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from router.service.ports import Conflict, NotFound
from router.store.dialect import BothWays

Values = Mapping[str, Any]


def the(connection: Connection, asked: "sa.Select[Any]", values: Values, what: str) -> RowMapping:
    """Return the row that must be there; raises NotFound with ``what`` was looked for."""
    row = connection.execute(asked, values).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no {what}")
    return row


def one(connection: Connection, asked: "sa.Select[Any]", values: Values) -> RowMapping | None:
    """Return the row if it is there."""
    return connection.execute(asked, values).mappings().one_or_none()


def many(
    connection: Connection, asked: "sa.Select[Any]", values: Values | None = None
) -> Sequence[RowMapping]:
    """Return all rows, in the order of the statement."""
    return connection.execute(asked, values or {}).mappings().all()


def insert(connection: Connection, ways: BothWays, values: Values) -> bool:
    """Insert, and return whether the row is new."""
    return connection.execute(ways[connection.dialect.name], values).rowcount > 0


def must_change(
    connection: Connection, statement: "sa.Update | sa.Delete", values: Values, problem: str
) -> None:
    """Write; raises Conflict with ``problem`` if no row was as it was expected."""
    if connection.execute(statement, values).rowcount == 0:
        raise Conflict(problem)


def must_be_there(
    connection: Connection, statement: "sa.Update", values: Values, what: str
) -> None:
    """Write; raises NotFound with ``what`` was to be written if it does not exist."""
    if connection.execute(statement, values).rowcount == 0:
        raise NotFound(f"there is no {what}")
