"""Where the chaos plays: a database, daemons on it that come and go, and what may be taken away."""

import asyncio
import os
import resource
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import click
from sqlalchemy.engine import make_url

from router.cli.bench.ground import answers, free_port
from router.cli.chaos.gate import LOOPBACK, Gate
from router.cli.chaos.nursery import Nursery

_PATIENCE_S = 120.0
_POLL_S, _WATCH_S = 0.05, 0.5
#: No file may grow beyond so many bytes while the disk is full.
_FULL = 4096
_MQTT, _POSTGRES = 1883, 5432


@dataclass(slots=True)
class Daemon:
    """One place for a daemon; ``pid`` changes whenever it is started again."""

    port: int
    env: Mapping[str, str]
    log: Path
    pid: int = 0
    most_kib: int = 0

    @property
    def alive_at(self) -> str:
        """Return where it says that it lives."""
        return f"http://{LOOPBACK}:{self.port}/healthz"

    def look(self) -> None:
        """Note the most memory that the process has had (the kernel's count, where there is)."""
        with suppress(OSError):
            for line in Path(f"/proc/{self.pid}/status").read_text("ascii").splitlines():
                if line.startswith("VmHWM:"):
                    self.most_kib = max(self.most_kib, int(line.split()[1]))


@dataclass(slots=True, kw_only=True)
class Stage:
    """The daemons and what they need; ``true_url`` is the database without the gate before it.

    ``exits`` are the codes of those that ended when they were asked to, ``fell`` of those that
    ended by themselves.
    """

    nursery: Nursery
    true_url: str
    daemons: list[Daemon]
    database: Gate | None
    broker: Gate | None
    exits: list[int] = field(default_factory=list)
    fell: list[int] = field(default_factory=list)
    _meant: set[int] = field(default_factory=set)

    async def start(self, daemon: Daemon, *, wait: bool = True) -> None:
        """Start a daemon, and wait until it takes deliveries."""
        daemon.pid = await self.nursery.start(daemon.env, daemon.log)
        if wait:
            await self.ready(daemon)

    async def ready(self, daemon: Daemon) -> None:
        """Wait until a daemon takes deliveries; raises ClickException with its log if not."""
        until = time.monotonic() + _PATIENCE_S
        while not await asyncio.to_thread(answers, daemon.alive_at):
            code = await self.nursery.ended(daemon.pid)
            if code is not None or time.monotonic() > until:
                words = daemon.log.read_text("utf-8", "replace")[-2000:]
                raise click.ClickException(f"a daemon did not come up ({code}):\n{words}")
            await asyncio.sleep(_POLL_S)

    async def kill(self, daemon: Daemon) -> None:
        """End a daemon as a power cut would."""
        daemon.look()
        self._meant.add(daemon.pid)
        await self.nursery.end(daemon.pid)

    def is_meant(self, pid: int) -> bool:
        """Return whether the daemon with this process id ended because it was made to."""
        return pid in self._meant

    async def watch(self) -> None:
        """Note every daemon that ends by itself, and start it again; until cancelled."""
        while True:
            await asyncio.sleep(_WATCH_S)
            for daemon in self.daemons:
                pid = daemon.pid
                code = await self.nursery.ended(pid)
                if code is not None and pid == daemon.pid and pid not in self._meant:
                    self.fell.append(code)
                    await self.start(daemon, wait=False)

    async def part(self) -> None:
        """End every daemon politely and keep how each ended."""
        for daemon in self.daemons:
            daemon.look()
            self._meant.add(daemon.pid)
            self.exits.append(await self.nursery.end(daemon.pid, politely=True))

    # ----- what may be taken away -----------------------------------------------------------------

    async def without_database(self, seconds: float, *, stuck: bool) -> None:
        """Take the database away: cut off, or ``stuck``. A file is held by another writer."""
        if self.database is None:
            await asyncio.to_thread(_hold_file, self.true_url, seconds)
            return
        await _away(self.database, seconds, stuck=stuck)

    async def without_broker(self, seconds: float, *, stuck: bool) -> None:
        """Take the broker away."""
        if self.broker is not None:
            await _away(self.broker, seconds, stuck=stuck)

    async def without_room(self, seconds: float) -> None:
        """Let the disk be full: nothing grows (SQLite), or the server refuses to write."""
        if self.database is not None:
            await _refuse_writes(self.true_url, refused=True)
            await asyncio.sleep(seconds)
            await _refuse_writes(self.true_url, refused=False)
            return
        for daemon in self.daemons:
            _limit(daemon.pid, _FULL)
        await asyncio.sleep(seconds)
        for daemon in self.daemons:
            _limit(daemon.pid, resource.RLIM_INFINITY)


async def _away(gate: Gate, seconds: float, *, stuck: bool) -> None:
    gate.hold() if stuck else gate.shut()
    await asyncio.sleep(seconds)
    gate.open()


def _limit(pid: int, size: int) -> None:
    """Limit how large a file a process may write; a daemon that has just died has no limits."""
    with suppress(ProcessLookupError):
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


def _hold_file(url: str, seconds: float) -> None:
    file = make_url(url).database or ""
    with closing(sqlite3.connect(file, timeout=_PATIENCE_S, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        other.execute("ROLLBACK")


async def _refuse_writes(url: str, *, refused: bool) -> None:
    address = make_url(url)
    plain = address.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(
        plain, server_settings={"default_transaction_read_only": "off"}
    )
    try:
        state = "on" if refused else "off"
        await connection.execute(
            f'ALTER DATABASE "{address.database}" SET default_transaction_read_only = {state}'
        )
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    finally:
        await connection.close()


@asynccontextmanager
async def stage(
    folder: Path,
    *,
    channels: Mapping[str, str],
    router: Mapping[str, str],
    database_url: str,
    mqtt_url: str,
    daemons: int,
) -> AsyncIterator[Stage]:
    """Set up places for daemons on one database, behind gates; nothing runs yet."""
    async with (
        _gate(database_url, _POSTGRES) as database,
        _gate(mqtt_url, _MQTT) as broker,
        Nursery.open() as nursery,
    ):
        config = folder / "config"
        (config / "channels").mkdir(parents=True)
        told = dict(router)
        if broker is not None:
            topic = urlsplit(mqtt_url).path or "/chaos"
            told["mqtt_url"] = f'"mqtt://{LOOPBACK}:{broker.port}{topic}"'
        lines = "".join(f"{key} = {value}\n" for key, value in told.items())
        (config / "router.toml").write_text(lines, "utf-8")
        for name, text in channels.items():
            (config / "channels" / f"{name}.toml").write_text(text, "utf-8")
        url = database_url
        if database is not None:
            gated = make_url(database_url).set(host=LOOPBACK, port=database.port)
            url = gated.render_as_string(hide_password=False)
        yield Stage(
            nursery=nursery,
            true_url=database_url,
            daemons=[_place(folder, config, url, number) for number in range(daemons)],
            database=database,
            broker=broker,
        )


@asynccontextmanager
async def _gate(url: str, usual: int) -> AsyncIterator[Gate | None]:
    """Stand before the server that ``url`` names; before a file there is no gate."""
    server = urlsplit(url)
    if not server.hostname:
        yield None
        return
    async with Gate(server.hostname, server.port or usual).listening() as gate:
        yield gate


def _place(folder: Path, config: Path, url: str, number: int) -> Daemon:
    port = free_port()
    env = {
        **os.environ,
        "MAINSTEM_CONFIG": str(config),
        "MAINSTEM_DATA": str(folder / "data"),
        "MAINSTEM_LISTEN": f"{LOOPBACK}:{port}",
        "MAINSTEM_DATABASE_URL": url,
    }
    return Daemon(port=port, env=env, log=folder / f"daemon-{number}.log")
