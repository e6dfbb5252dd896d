"""Builds every room once and runs them in one task group. The system clock lives here."""

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import click
import structlog
import uuid_utils
from aiohttp import web
from argon2 import PasswordHasher
from cryptography.fernet import Fernet

from router.channel.accounts import shown_settings
from router.channel.contract import Family
from router.domain.ids import AccountName, AgentId, Skill
from router.domain.workforce import Role
from router.service import people
from router.service.accept import Intake
from router.service.dispatch import Dispatcher
from router.service.knowledge import write
from router.service.library import Library
from router.service.loops import bot_loop, clock_loop, forgetting_loop, reading_loop
from router.service.records import Article
from router.service.unit import Unit
from router.settings.load import Settings
from router.store.engine import SqlStore, open_store
from router.store.migrate import upgrade
from router.understanding.reader import RuleReader
from router.understanding.retrieval import Retrieval

log = structlog.get_logger()

#: How long a stop waits for what has been promised.
_STOP_WITHIN_S = 20.0
_ADMIN = "admin"


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        return datetime.now(UTC)


class SystemIds:
    """Names that sort by the time they were given, and the machine's own chance."""

    def new(self) -> str:
        """Return a UUID of version 7 (RFC 9562) as 32 hexadecimal digits."""
        return uuid_utils.uuid7().hex

    def entropy(self, size: int) -> bytes:
        """Return ``size`` unpredictable bytes."""
        return os.urandom(size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """What stands once everything is built: for the task group, and for tests that look in."""

    settings: Settings
    store: SqlStore
    clock: SystemClock
    ids: SystemIds
    library: Library
    reader: RuleReader
    intake: Intake
    dispatcher: Dispatcher
    name: str


async def build(settings: Settings) -> Rooms:
    """Migrate the database and build the rooms; nothing runs yet."""
    settings.data.mkdir(parents=True, exist_ok=True)
    await upgrade(settings.database_url)
    clock, ids = SystemClock(), SystemIds()
    store = open_store(settings.database_url, clock=clock, ids=ids)
    name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    dispatcher = Dispatcher(
        store, policy=settings.policy, families=families(settings), clock=clock, name=name
    )
    library = Library(Retrieval)
    store.listen(library.hear)
    store.listen(dispatcher.wake.ring)
    await library.refresh(store)
    return Rooms(
        settings=settings,
        store=store,
        clock=clock,
        ids=ids,
        library=library,
        reader=RuleReader(),
        intake=Intake(store, settings.policy),
        dispatcher=dispatcher,
        name=name,
    )


def families(settings: Settings) -> dict[AccountName, Family]:
    """Return which kind of channel each account is."""
    return {name: account.channel.family for name, account in settings.accounts.items()}


async def run(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; return the exit code."""
    rooms = await build(settings)
    try:
        await _welcome(rooms)
        await _serve(rooms)
    finally:
        await rooms.store.close()
    log.info("daemon_stopped")
    return 0


async def _welcome(rooms: Rooms) -> None:
    """Make the first administrator and say where the pages are."""
    password = secrets.token_urlsafe(12)
    hashed = await asyncio.to_thread(PasswordHasher().hash, password)
    admin = await rooms.store.transact(
        people.first_admin,
        login=_ADMIN,
        name="Administrator",
        password_hash=hashed,
        at=rooms.clock.now(),
    )
    click.echo(f"Mainstem {version('mainstem')}: {rooms.settings.public_url}")
    if admin is not None:
        click.echo(f"sign in as {_ADMIN} with the one-time password {password}")


async def _serve(rooms: Rooms) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stopping.set)
    async with asyncio.TaskGroup() as tasks:
        running = await _start(rooms, tasks)
        log.info("daemon_started", host=rooms.settings.host, port=rooms.settings.port)
        await stopping.wait()
        log.info("daemon_stopping", backlog=rooms.intake.backlog)
        await running.stop()
