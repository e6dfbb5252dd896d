"""The store: runs a verb in a transaction on whichever database the address names.

A transaction is a plain function of a `Unit`. What differs between the databases stands in
`sqlite`, `postgres` and `dialect`.
"""

from collections.abc import Callable, Sequence
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy.engine import make_url

from router.domain.events import Logged
from router.service.ports import Clock, Ids
from router.store.postgres import Postgres
from router.store.sqlite import Sqlite
from router.store.turn import Publish
from router.store.unit import SqlUnit

P = ParamSpec("P")
T = TypeVar("T")

Listener = Callable[[Sequence[Logged]], None]


class _Engine(Protocol):
    async def transact(self, run: Callable[[SqlUnit], T], publish: Publish) -> T: ...
    async def read(self, run: Callable[[SqlUnit], T]) -> T: ...
    async def close(self) -> None: ...


class SqlStore:
    """What is remembered. Made by `open_store`; fulfils the port `router.service.ports.Store`."""

    def __init__(self, engine: _Engine) -> None:
        self._engine = engine
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` on the event loop with what each transaction has logged.

        It hears after the commit, before `transact` returns, and in the order of commits, as far as
        they were made through this store. What other daemons commit is read from the journal.
        What it raises goes to the loop's exception handler: the transaction has been kept.
        """
        self._listeners.append(listener)

    def _publish(self, logged: Sequence[Logged]) -> None:
        for listener in self._listeners:
            listener(logged)

    async def transact(
        self, verb: Callable[Concatenate[Any, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run ``verb(unit, …)`` in one transaction; commit what returns, undo what raises.

        A `Conflict` runs it once more. Raises StoreUnavailable if the database fails us. A caller
        that is cancelled leaves; the transaction runs to its end all the same.
        """
        return await self._engine.transact(lambda unit: verb(unit, *args, **kwargs), self._publish)

    async def read(
        self, question: Callable[Concatenate[Any, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Answer ``question(unit, …)`` from one consistent snapshot, changing nothing."""
        return await self._engine.read(lambda unit: question(unit, *args, **kwargs))

    async def close(self) -> None:
        """Finish what has been queued and let go of the database."""
        await self._engine.close()


def open_store(url: str, *, clock: Clock, ids: Ids) -> SqlStore:
    """Open the database at ``url`` (``sqlite:///…`` or ``postgresql://…``).

    Raises ValueError for any other kind of database, and for SQLite in memory.
    """
    backend = make_url(url).get_backend_name()
    if backend == "sqlite":
        return SqlStore(Sqlite(url, clock=clock, ids=ids))
    if backend == "postgresql":
        return SqlStore(Postgres(url, clock=clock, ids=ids))
    raise ValueError(f"expected sqlite:/// or postgresql://, got {backend}")
