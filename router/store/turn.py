"""One turn of a verb: run in a savepoint, and once more if it lost a race."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from router.domain.events import Logged
from router.service.ports import Clock, Conflict, Ids
from router.store.dialect import is_duplicate
from router.store.unit import SqlUnit

T = TypeVar("T")

Publish = Callable[[Sequence[Logged]], None]


def take_turn(
    connection: Connection, run: Callable[[SqlUnit], T], *, clock: Clock, ids: Ids
) -> tuple[T, SqlUnit]:
    """Run in a savepoint, and once more after a `Conflict`; what it recorded is not flushed."""
    try:
        return _once(connection, run, clock=clock, ids=ids)
    except Conflict:
        return _once(connection, run, clock=clock, ids=ids)


def _once(
    connection: Connection, run: Callable[[SqlUnit], T], *, clock: Clock, ids: Ids
) -> tuple[T, SqlUnit]:
    unit = SqlUnit(connection, clock=clock, ids=ids)
    try:
        with connection.begin_nested():
            return run(unit), unit
    except IntegrityError as error:
        if is_duplicate(error):
            raise Conflict("somebody else wrote the same thing") from error
        raise


def ask(connection: Connection, run: Callable[[SqlUnit], T], *, clock: Clock, ids: Ids) -> T:
    """Answer a question. Raises RuntimeError if it recorded an event, which nobody would keep."""
    unit = SqlUnit(connection, clock=clock, ids=ids)
    answer = run(unit)
    if unit.has_recorded:
        raise RuntimeError("a question recorded an event; use transact")
    return answer
