"""SQLite: one writer thread with group commit, and a few readers beside it.

What has queued while the last commit ran shares the next one, each job in a savepoint of its own,
so that a failing job undoes nothing but itself. The writer commits, and only then answers.
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError

from router.domain.events import Logged
from router.service.ports import Clock, Ids, StoreUnavailable
from router.store.dialect import is_down
from router.store.turn import Publish, ask, take_turn
from router.store.unit import SqlUnit

log = structlog.get_logger()
T = TypeVar("T")

#: How many statements a connection keeps compiled: all that there are.
_STATEMENTS = 1024
#: How many transactions may share one commit.
BATCH = 256
#: How many pages the log holds before they are written to the file itself, which costs more than
#: many commits: 64 MiB.
_LOG_PAGES = 16_384
_READERS = 4
_LOCK_TIMEOUT = 30.0  # seconds that another process (a backup, a shell) may hold the file


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    run: Callable[[SqlUnit], Any]
    publish: Publish
    done: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ended:
    """What came of a job: a result and its events, or a problem."""

    job: _Job
    result: Any = None
    logged: Sequence[Logged] = ()
    problem: Exception | None = None


class _TransactionGone(Exception):
    """SQLite has rolled the whole transaction back on its own, as it does when a disk is full."""


class Sqlite:
    """One database file."""

    def __init__(self, url: str, *, clock: Clock, ids: Ids) -> None:
        self._clock, self._ids = clock, ids
        file_of(url).parent.mkdir(parents=True, exist_ok=True)
        self._writer = sqlite_engine(url, readonly=False)
        self._reader = sqlite_engine(url, readonly=True)
        self._own = threading.local()
        self._kept: list[Connection] = []
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="reader")
        self._thread = threading.Thread(target=self._write, name="writer", daemon=True)
        self._thread.start()

    async def transact(self, run: Callable[[SqlUnit], T], publish: Publish) -> T:
        """Queue ``run`` for the writer and wait for its commit."""
        self._must_be_open()
        loop = asyncio.get_running_loop()
        job = _Job(run=run, publish=publish, done=loop.create_future(), loop=loop)
        self._jobs.put(job)
        result: T = await asyncio.shield(job.done)
        return result

    async def read(self, run: Callable[[SqlUnit], T]) -> T:
        """Run ``run`` on a reader, in one snapshot."""
        self._must_be_open()
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._ask, run)

    def _ask(self, run: Callable[[SqlUnit], T]) -> T:
        try:
            with self._reading().begin() as snapshot:
                return ask(snapshot.connection, run, clock=self._clock, ids=self._ids)
        except DBAPIError as error:
            if is_down(error):
                raise StoreUnavailable("the database did not answer") from error
            raise

    def _reading(self) -> Connection:
        """Return the connection of this reader's thread, which keeps it."""
        held: Connection | None = getattr(self._own, "connection", None)
        if held is None or held.invalidated or held.closed:
            self._own.connection = held = self._reader.connect()
            self._kept.append(held)
        return held

    def _must_be_open(self) -> None:
        if self._closed:
            raise StoreUnavailable("the store is closed")

    async def close(self) -> None:
        """Commit what has been queued, then let go of the file."""
        if self._closed:
            return
        self._closed = True
        self._jobs.put(None)
        await asyncio.to_thread(self._finish)

    def _finish(self) -> None:
        self._thread.join()
        self._readers.shutdown()
        for each in self._kept:
            each.close()
        self._reader.dispose()
        self._writer.dispose()

    # ----- on the writer thread ---------------------------------------------------------------

    def _write(self) -> None:
        going = True
        while going:
            batch = [self._jobs.get()]
            with contextlib.suppress(queue.Empty):
                while len(batch) < BATCH:
                    batch.append(self._jobs.get_nowait())
            going = None not in batch
            jobs = [job for job in batch if job is not None]
            if jobs:
                for ended in self._settled(jobs):
                    _tell(ended)

    def _settled(self, jobs: Sequence[_Job]) -> Sequence[_Ended]:
        """Commit the jobs; whatever happens, everybody is told and the thread goes on."""
        try:
            return self._commit(jobs)
        except Exception as error:  # noqa: BLE001  whoever asked is told
            return [_Ended(job=job, problem=error) for job in jobs]

    def _commit(self, jobs: Sequence[_Job]) -> Sequence[_Ended]:
        """Run the jobs in order and commit them together; if the commit fails, all have failed."""
        try:
            with self._writer.begin() as connection:
                ended = [self._run(connection, job) for job in jobs]
                _must_hold(connection)
        except (DBAPIError, _TransactionGone) as error:
            log.exception("commit_failed", jobs=len(jobs))
            problem = StoreUnavailable("the database did not take the transaction")
            problem.__cause__ = error
            return [_Ended(job=job, problem=problem) for job in jobs]
        return ended

    def _run(self, connection: Connection, job: _Job) -> _Ended:
        try:
            with connection.begin_nested():
                result, unit = take_turn(connection, job.run, clock=self._clock, ids=self._ids)
                logged = unit.flush_events()
        except Exception as error:  # noqa: BLE001  whoever asked is told; the others go on
            _must_hold(connection)
            return _Ended(job=job, problem=_as_told(error))
        _must_hold(connection)
        return _Ended(job=job, result=result, logged=logged)


def _must_hold(connection: Connection) -> None:
    raw = connection.connection.dbapi_connection
    if not isinstance(raw, sqlite3.Connection) or not raw.in_transaction:
        raise _TransactionGone("sqlite has rolled the transaction back")


def _as_told(error: Exception) -> Exception:
    if not is_down(error):
        return error
    told = StoreUnavailable("the database did not answer")
    told.__cause__ = error
    return told


def _tell(ended: _Ended) -> None:
    """Publish and answer on the loop of whoever asked, in the order of commits."""

    def settle() -> None:
        try:
            if ended.logged:
                ended.job.publish(ended.logged)
        finally:
            if ended.problem is not None:
                ended.job.done.set_exception(ended.problem)
            else:
                ended.job.done.set_result(ended.result)

    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
        ended.job.loop.call_soon_threadsafe(settle)


def file_of(url: str) -> Path:
    """Return the path of the database file; raises ValueError for a database in memory."""
    database = make_url(url).database
    if not database or database == ":memory:":
        raise ValueError(f"expected a file, as in sqlite:///data/mainstem.db, got {url}")
    return Path(database)


def sqlite_engine(url: str, *, readonly: bool) -> Engine:
    """Return an engine with our pragmas: WAL, synchronous=FULL, and BEGIN IMMEDIATE to write."""
    engine = sa.create_engine(
        url,
        poolclass=sa.pool.QueuePool,
        pool_size=_READERS if readonly else 1,
        max_overflow=0,
        hide_parameters=True,  # what customers say stays out of errors, and so out of logs
        connect_args={
            "check_same_thread": False,
            "timeout": _LOCK_TIMEOUT,
            "cached_statements": _STATEMENTS,
        },
    )

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            f"wal_autocheckpoint={_LOG_PAGES}",
            "foreign_keys=ON",
            "mmap_size=268435456",
            "cache_size=-32768",
            f"query_only={'ON' if readonly else 'OFF'}",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")

    return engine
