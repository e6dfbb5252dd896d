"""Builds every room once and runs them in one task group. The system clock lives here."""

import asyncio
import base64
import hashlib
import os
import secrets
import signal
import socket
import ssl
import sys
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import click
import structlog
import uuid_utils
from aiohttp import web
from argon2 import PasswordHasher

from router.bots.assembly import open_bots, writer_named
from router.channel.connection import SignsVisitors
from router.channel.contract import Family
from router.domain.ids import AccountName
from router.garbage import look_less_often
from router.readers.pool import Pool
from router.readers.small import Small
from router.service import people
from router.service.accept import Intake
from router.service.botport import Bot
from router.service.briefing import Briefings
from router.service.dispatch import Dispatcher
from router.service.follow import Follower
from router.service.library import Library
from router.service.loops import (
    Loop,
    clock_loop,
    closed_loop,
    crisis_loop,
    follow_up_loop,
    forgetting_loop,
    rating_loop,
)
from router.service.poll import polling_loop
from router.service.pressure import Pressure
from router.service.readingroom import ReadingRoom
from router.service.rounds import Rounds
from router.settings.accounts import generated
from router.settings.load import Settings
from router.sim.jobs import Jobs
from router.store.engine import SqlStore, open_store
from router.store.migrate import upgrade
from router.transport.assembly import Transport, open_transport
from router.transport.mqtt import Broker, Notices
from router.transport.settings import TransportSettings
from router.understanding.grouping import near
from router.understanding.reader import RuleReader
from router.understanding.retrieval import Retrieval
from router.web.app import build_app
from router.web.deps import DemoMember, Deps, WebSettings
from router.web.live import HUB
from router.web.sockets import SOCKETS

log = structlog.get_logger()

#: How long open sockets and streams may take to end when the daemon stops, in seconds.
_SHUTDOWN_S = 10.0
#: How long a thread may keep the interpreter while another one wants it, in seconds. A statement of
#: the database lets go of it and comes back, so that a verb waits this long again and again.
_SWITCH_S = 0.0005
_ADMIN = "admin"
_MQTT, _MQTTS = 1883, 8883
#: How long the outbox may go without a look, in which what a dead daemon left behind is found.
_LONGEST_POLL = timedelta(seconds=15)
#: How long the token of a member of the demo shop lasts.
_MEMBER_LASTS = timedelta(hours=12)


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
    small: Small
    readers: Pool
    intake: Intake
    pressure: Pressure
    dispatcher: Dispatcher
    follower: Follower
    name: str


async def build(settings: Settings) -> Rooms:
    """Migrate the database and build the rooms; nothing runs yet."""
    settings.data.mkdir(parents=True, exist_ok=True)
    await upgrade(settings.database_url)
    clock, ids = SystemClock(), SystemIds()
    store = open_store(settings.database_url, clock=clock, ids=ids)
    name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    pressure = Pressure()
    dispatcher = Dispatcher(
        store,
        policy=settings.policy,
        families=families(settings),
        clock=clock,
        name=name,
        pressure=pressure,
    )
    small = Small(RuleReader())
    readers = Pool(settings.data, lanes=settings.readers)
    library = Library(Retrieval, clock, readers)
    store.listen(library.hear)
    store.listen(dispatcher.wake.ring)
    await library.refresh(store)
    return Rooms(
        settings=settings,
        store=store,
        clock=clock,
        ids=ids,
        library=library,
        small=small,
        readers=readers,
        intake=Intake(
            store,
            settings.policy,
            batch=settings.intake_batch,
            most=settings.intake_line,
            pressure=pressure,
            urgent=small.is_urgent,
        ),
        pressure=pressure,
        dispatcher=dispatcher,
        follower=Follower(store),
        name=name,
    )


def families(settings: Settings) -> dict[AccountName, Family]:
    """Return which kind of channel each account is."""
    return {name: account.channel.family for name, account in settings.accounts.items()}


async def run(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; return the exit code."""
    sys.setswitchinterval(_SWITCH_S)
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
    around = open_transport(
        store=rooms.store,
        accounts=rooms.settings.accounts,
        clock=rooms.clock,
        ids=rooms.ids,
        name=rooms.name,
        settings=_transport_settings(rooms.settings),
        policy=rooms.settings.policy,
        intake=rooms.intake,
        pressure=rooms.pressure,
    )
    async with (
        around as transport,
        open_bots(rooms.settings.bots.specs) as bots,
        asyncio.TaskGroup() as tasks,
    ):
        app = build_app(_deps(rooms, transport))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        transport.push.port = app[SOCKETS].push
        notices = _notices(rooms)
        _connect(rooms, transport, app, notices)
        owned = [
            tasks.create_task(each, name=name)
            for name, each in _loops(rooms, transport, notices, bots).items()
        ]
        taking_in = tasks.create_task(rooms.intake.run(), name="intake")
        sending = tasks.create_task(transport.sender.run(), name="sender")
        site = web.TCPSite(runner, rooms.settings.host, rooms.settings.port)
        await site.start()
        look_less_often()
        log.info("daemon_started", host=rooms.settings.host, port=rooms.settings.port)
        try:
            await stopping.wait()
        finally:
            log.info("daemon_stopping", backlog=rooms.intake.backlog)
            await site.stop()
            rooms.intake.stop()
            await taking_in  # what has come is committed and answered
            await runner.cleanup()
            transport.sender.stop()
            await sending
            for task in owned:
                task.cancel()


def _transport_settings(settings: Settings) -> TransportSettings:
    return TransportSettings(
        media=settings.media,
        total=settings.send_within,
        claim_margin=2 * settings.send_within,
        poll=min(_LONGEST_POLL, settings.send_within),
        private_links=settings.private_media,
        most_attempts=settings.send_attempts,
    )


def _notices(rooms: Rooms) -> Notices | None:
    """Return what keeps daemons in touch, if a broker is configured."""
    if not rooms.settings.mqtt_url:
        return None
    address = urlsplit(rooms.settings.mqtt_url)
    tls = ssl.create_default_context() if address.scheme == "mqtts" else None
    broker = Broker(
        host=address.hostname or "127.0.0.1",
        port=address.port or (_MQTTS if tls else _MQTT),
        installation=address.path.strip("/") or "mainstem",
        username=address.username,
        password=address.password,
        tls=tls,
    )
    return Notices(
        broker,
        daemon=rooms.name,
        news=rooms.follower.wake,
        ids=rooms.ids,
        settings=_transport_settings(rooms.settings),
    )


def _connect(
    rooms: Rooms, transport: Transport, app: web.Application, notices: Notices | None
) -> None:
    """Hang everybody's ears on the commits: ours at once, the others' as they are followed."""
    store, follower = rooms.store, rooms.follower
    store.listen(follower.ours)
    store.listen(transport.heard)
    if notices is not None:
        store.listen(notices.committed)
    for hear in (
        rooms.library.hear,
        rooms.dispatcher.wake.ring,
        app[HUB].notice,
        transport.heard,
    ):
        follower.tell(hear)


def _loops(
    rooms: Rooms, transport: Transport, notices: Notices | None, bots: Mapping[str, Bot]
) -> dict[str, Coroutine[Any, Any, None]]:
    """Return the tasks that run beside the web, by name; their bells hang on the store."""
    policy, clock, store = rooms.settings.policy, rooms.clock, rooms.store
    able = {name: each.channel.capabilities for name, each in rooms.settings.accounts.items()}
    bells: dict[str, Loop | ReadingRoom | Rounds | Briefings] = {
        "reading": ReadingRoom(
            store,
            readers=rooms.readers,
            small=rooms.small,
            knowledge=rooms.library,
            policy=policy,
            clock=clock,
            any_question=rooms.settings.bots.takes_any,
            pressure=rooms.pressure,
        ),
        "bot": Rounds(
            store=store,
            knowledge=rooms.library,
            bots=bots,
            choice=rooms.settings.bots,
            policy=policy,
            capabilities=able,
            families=families(rooms.settings),
            clock=clock,
            name=rooms.name,
            pressure=rooms.pressure,
        ),
        "handover": Briefings(
            store=store,
            writer=writer_named(rooms.settings.bots.writer, bots),
            clock=clock,
            name=rooms.name,
        ),
        "crisis": crisis_loop(store, policy=policy, clock=clock),
        "clocks": clock_loop(store, policy=policy, clock=clock),
        "polling": polling_loop(
            rooms.settings.accounts, intake=rooms.intake, clock=clock, ids=rooms.ids
        ),
        "follow_up": follow_up_loop(store, policy=policy, capabilities=able, clock=clock),
        "closed": closed_loop(store, policy=policy, capabilities=able, clock=clock),
        "rating": rating_loop(store, policy=policy, capabilities=able, clock=clock),
        "forgetting": forgetting_loop(store, policy=policy, clock=clock),
    }
    for name in ("reading", "bot", "handover"):
        store.listen(bells[name].ring)
        rooms.follower.tell(bells[name].ring)
    return {
        **{name: bell.run() for name, bell in bells.items()},
        **{name: duty.run() for name, duty in transport.duties.items()},
        **{f"line {name}": line.run() for name, line in transport.lines.items()},
        **{f"stream {name}": each.run() for name, each in transport.streams.items()},
        **({"notices": notices.run()} if notices is not None else {}),
        "readers": rooms.readers.run(),
        "afterwards": transport.afterwards.run(),
        "dispatch": rooms.dispatcher.run(),
        "follower": rooms.follower.run(),
        "library": rooms.library.run(store),
    }


def _deps(rooms: Rooms, transport: Transport) -> Deps:
    settings = rooms.settings
    return Deps(
        store=rooms.store,
        listens=rooms.store,
        clock=rooms.clock,
        ids=rooms.ids,
        policy=settings.policy,
        accounts=settings.accounts,
        intake=rooms.intake,
        knows=rooms.library,
        near=near,
        plans=Jobs(),
        readers=rooms.readers,
        settings=WebSettings(
            public_url=settings.public_url,
            cookie_key=cookie_key(settings),
            media=settings.media,
            secure_cookies=settings.public_url.startswith("https://"),
            demo=bool(settings.demo_members),
        ),
        version=version("mainstem"),
        after=transport.afterwards.after,
        demo_members=lambda: demo_members(settings, rooms.clock.now()),
    )


def cookie_key(settings: Settings) -> bytes:
    """Return the key that seals session cookies; made on first use and kept."""
    secret = generated(settings.data, "session-cookies")
    return base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest())


def demo_members(settings: Settings, now: datetime) -> tuple[DemoMember, ...]:
    """Return the demo shop's members with identities as the shop would have signed them."""
    for account in settings.accounts.values():
        adapter = account.adapter
        if isinstance(adapter, SignsVisitors):
            return tuple(
                DemoMember(
                    name=each.name,
                    token=adapter.issue(
                        member=each.id,
                        name=each.name,
                        phone=each.phone,
                        at=now,
                        lasts=_MEMBER_LASTS,
                    ),
                )
                for each in settings.demo_members
            )
    return ()
