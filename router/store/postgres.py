"""PostgreSQL: a pool of connections; a verb runs inside ``run_sync`` on one of them."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import asyncpg
import stamina
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from router.service.ports import Clock, Ids, StoreUnavailable
from router.store.dialect import is_down, is_passing
from router.store.turn import Publish, ask, take_turn
from router.store.unit import SqlUnit

T = TypeVar("T")

_POOL = 8
_OVERFLOW = 4
_PATIENCE = 10.0  # seconds for a connection, from the pool or from the server
_ATTEMPTS = 8
_FIRST_WAIT, _LONGEST_WAIT = 0.02, 1.0  # seconds between attempts after a deadlock
_JITTER = 0.3  # seconds at most, so that those who met do not meet again
_SERVER_SETTINGS = {
    "application_name": "mainstem",
    "jit": "off",  # our statements are small; compiling them costs more than it saves
    "lock_timeout": "10s",
    # A daemon whose machine is gone, or that was stopped, lets go of its locks in half a minute.
    "idle_in_transaction_session_timeout": "20s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
#: Seconds that a statement may take; and how much later we no longer wait for a server that has
#: not even said so, because the line to it is dead.
_LONGEST, _SILENT = 20.0, 10.0


class Postgres:
    """One database on a server that other daemons may share."""

    def __init__(self, url: str, *, clock: Clock, ids: Ids) -> None:
        stamina.instrumentation.set_on_retry_hooks(())  # a deadlock undone is nobody's news
        self._clock, self._ids = clock, ids
        self._engine = postgres_engine(url)
        self._reading = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._last_words = asyncio.Lock()
        self._running: set[asyncio.Task[object]] = set()
        self._closed = False

    async def transact(self, run: Callable[[SqlUnit], T], publish: Publish) -> T:
        """Run ``run`` in a transaction, again if it met a deadlock."""
        self._must_be_open()
        task = asyncio.create_task(self._patiently(run, publish), name="transact")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _patiently(self, run: Callable[[SqlUnit], T], publish: Publish) -> T:
        again = stamina.retry_context(
            on=is_passing,
            attempts=_ATTEMPTS,
            wait_initial=_FIRST_WAIT,
            wait_max=_LONGEST_WAIT,
            wait_jitter=_JITTER,
        )
        with unless_down():
            async for attempt in again:
                with attempt:
                    return await self._once(run, publish)
        raise AssertionError("a retry ends with a result or an error")

    async def _once(self, run: Callable[[SqlUnit], T], publish: Publish) -> T:
        def work(connection: Connection) -> tuple[T, SqlUnit]:
            return take_turn(connection, run, clock=self._clock, ids=self._ids)

        async with self._engine.connect() as connection, connection.begin() as transaction:
            result, unit = await connection.run_sync(work)
            if unit.has_recorded:
                # Numbers are given out one commit at a time (see `flush_events`); who waits for
                # that here, in the order of commits, is also heard in the order of commits.
                async with self._last_words:
                    logged = await connection.run_sync(lambda _: unit.flush_events())
                    await transaction.commit()
                    asyncio.get_running_loop().call_soon(publish, logged)
        return result

    async def read(self, run: Callable[[SqlUnit], T]) -> T:
        """Run ``run`` read-only, in one snapshot."""
        self._must_be_open()

        def work(connection: Connection) -> T:
            return ask(connection, run, clock=self._clock, ids=self._ids)

        with unless_down():
            async with self._reading.connect() as connection:
                return await connection.run_sync(work)

    def _must_be_open(self) -> None:
        if self._closed:
            raise StoreUnavailable("the store is closed")

    async def close(self) -> None:
        """Finish what has begun, then let go of the connections."""
        self._closed = True
        if self._running:
            await asyncio.wait(self._running)
        await self._engine.dispose()


@contextmanager
def unless_down() -> Iterator[None]:
    """Raise StoreUnavailable in place of whatever says that the database fails us."""
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(f"the database cannot be reached: {error}") from error
    except (DBAPIError, PendingRollbackError, PoolTimeout, asyncpg.PostgresError) as error:
        if is_down(error):
            raise StoreUnavailable("the database does not answer") from error
        raise


def postgres_engine(url: str, *, longest: float | None = _LONGEST) -> AsyncEngine:
    """Return an engine with our pool, our timeouts, and connections tested before use.

    A statement may take ``longest`` seconds; a migration as long as it takes (None).
    Also for an address that names no driver, as most programs write it.
    """
    return create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        pool_size=_POOL,
        max_overflow=_OVERFLOW,
        pool_timeout=_PATIENCE,
        pool_pre_ping=True,
        hide_parameters=True,  # what customers say stays out of errors, and so out of logs
        connect_args={
            "timeout": _PATIENCE,
            "command_timeout": None if longest is None else longest + _SILENT,
            "server_settings": {
                **_SERVER_SETTINGS,
                "statement_timeout": f"{round((longest or 0) * 1000)}ms",  # 0: no limit
            },
            "prepared_statement_cache_size": 400,
        },
    )
