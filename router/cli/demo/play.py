"""Raises the curtain: the daemon as a child process, the players in this one, and a clean end."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
import tomllib
from asyncio.subprocess import STDOUT, Process
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import click

from router.cli.admin import audit_all, summed_up, told
from router.cli.demo import colleagues, crowd, customers
from router.cli.demo.platforms import Platforms, serving
from router.cli.demo.scripts import read_scripts
from router.cli.demo.seed import ADMIN, AGENT, SUPERVISOR, Cast, seed
from router.cli.demo.signing import aes_key_text
from router.cli.demo.stage import Stage
from router.daemon import SystemClock, SystemIds
from router.logs import configure
from router.resources import resource
from router.settings.accounts import generated
from router.settings.load import Settings, load

#: Seconds: for the daemon to become ready, between two looks, and to stop in good order.
_READY_WITHIN = 60.0
_LOOK = 0.1
_STOP_WITHIN = 8.0
_LAST_LINES = 20
_LOG = "daemon.log"


class DaemonEnded(Exception):
    """The daemon ended although nobody wanted it to; the message holds its last words."""


def play(
    *, data: Path | None, listen: str | None, pace: float, conversations: int | None = None
) -> int:
    """Play the demonstration until SIGINT or SIGTERM; return the exit code.

    ``data`` keeps the files (without it, a folder that is gone afterwards); ``listen`` is
    host:port, port 0 for any; ``pace`` 2.0 is twice as fast as life. With ``conversations`` a
    crowd has so many as fast as they can be taken; then everything stops and is audited, and the
    code is 1 over a violation.
    """
    if pace <= 0:
        click.echo("--pace: must be more than 0", err=True)
        return 2
    configure(json=None, level="warning")
    with _folder(data) as folder:
        try:
            if conversations is not None:
                return asyncio.run(_rush(folder, listen, conversations))
            asyncio.run(_play(folder, listen, pace))
        except DaemonEnded as ended:
            click.echo(f"the daemon ended:\n{ended}", err=True)
            return 1
    return 0


@contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    if data is not None:
        data.mkdir(parents=True, exist_ok=True)
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="mainstem-demo-") as name:
        yield Path(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _House:
    """The daemon with its doors open, and everything that its players need."""

    stage: Stage
    cast: Cast
    daemon: Process
    folder: Path
    stopping: asyncio.Event


@asynccontextmanager
async def _opened(
    folder: Path, listen: str | None, *, pace: float, crowded: bool = False
) -> AsyncIterator[_House | None]:
    """Open the house; None if it is to stop before the daemon is ready."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stopping.set)
    platforms = Platforms()
    async with serving(platforms) as platform:
        environ = surroundings(folder, listen, platform, crowded=crowded)
        settings = load(environ=environ)
        cast = await seed(settings, capacity=crowd.CAPACITY if crowded else None)
        async with (
            _daemon(environ, folder) as daemon,
            aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(), connector=aiohttp.TCPConnector(limit=0)
            ) as http,
        ):
            if not await _ready(http, settings, daemon, folder, stopping):
                yield None
                return
            stage = Stage(
                settings=settings,
                scripts=read_scripts(),
                platforms=platforms,
                http=http,
                clock=SystemClock(),
                ids=SystemIds(),
                pace=pace,
            )
            yield _House(stage=stage, cast=cast, daemon=daemon, folder=folder, stopping=stopping)


async def _play(folder: Path, listen: str | None, pace: float) -> None:
    async with _opened(folder, listen, pace=pace) as house:
        if house is not None:
            _welcome(house.stage.settings, house.cast, folder)
            tokens = house.cast.tokens
            await _until(
                house,
                customers.come(house.stage),
                colleagues.work(house.stage, tokens, supervisor=SUPERVISOR),
            )
    click.echo("The demonstration has ended.")


async def _rush(folder: Path, listen: str | None, conversations: int) -> int:
    """Have so many conversations, stop the daemon, and audit what is left behind."""
    async with _opened(folder, listen, pace=crowd.PACE, crowded=True) as house:
        if house is None:
            return 0
        stage, settings = house.stage, house.stage.settings
        _welcome(settings, house.cast, folder)
        coming = crowd.Crowd(wanted=conversations, database_url=settings.database_url)
        await _until(
            house,
            crowd.work(stage, house.cast.tokens, supervisor=SUPERVISOR),
            crowd.progress(stage, coming, click.echo),
            until=crowd.come(stage, coming),
        )
        if house.stopping.is_set():
            return 0
        click.echo(f"{coming.had} conversations in {coming.seconds:.0f} s; the daemon stops")
    proof, found = await audit_all(settings)
    for each in found:
        click.echo(told(each))
    click.echo(summed_up(proof))
    return 1 if found else 0


def surroundings(
    folder: Path, listen: str | None, platform: str, *, crowded: bool = False
) -> dict[str, str]:
    """Return the environment of the daemon: this process's, and the demonstration's settings.

    Nothing of a real shop's gets in: variables that are Mainstem's own are left behind. A crowd
    has a copy of the configuration in which what rests is over in seconds.
    """
    config = resource("config") / "demo"
    if crowded:
        config = Path(shutil.copytree(config, folder.absolute() / "config", dirs_exist_ok=True))
        (config / "routing.toml").write_text(crowd.ROUTING, "utf-8")
    wished = listen or str(tomllib.loads((config / "router.toml").read_text("utf-8"))["listen"])
    address = free_address(wished)
    if address != wished and not wished.endswith(":0"):
        click.echo(f"{wished} is taken; using {address}")
    home = folder.absolute()
    ours = {name: value for name, value in os.environ.items() if not name.startswith("MAINSTEM_")}
    return {
        **ours,
        "MAINSTEM_CONFIG": str(config),
        "MAINSTEM_LISTEN": address,
        "MAINSTEM_PUBLIC_URL": f"http://{address}",
        "MAINSTEM_DATA": str(home),
        "MAINSTEM_DEMO_PLATFORM": platform,
        "MAINSTEM_DEMO_AES_KEY": aes_key_text(generated(home, "demo-wechat-aes")),
    }


def free_address(wished: str) -> str:
    """Return ``wished`` (host:port) if nobody listens there, else the host with a free port."""
    host, _, port = wished.rpartition(":")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError:
            probe.bind((host, 0))
        return f"{host}:{probe.getsockname()[1]}"


@asynccontextmanager
async def _daemon(environ: Mapping[str, str], folder: Path) -> AsyncIterator[Process]:
    """Run `mainstem run` beside this process; its end is ours to bring about.

    It has a process group of its own, so that Ctrl+C reaches it through us, after the players.
    """
    with (folder / _LOG).open("wb") as sink:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "router", "run"),
            env=dict(environ),
            stdout=sink,
            stderr=STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            await _end(process)


async def _end(process: Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOP_WITHIN):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def _ready(
    http: aiohttp.ClientSession,
    settings: Settings,
    daemon: Process,
    folder: Path,
    stopping: asyncio.Event,
) -> bool:
    """Wait until the daemon takes deliveries; False if it is to stop before that."""
    loop = asyncio.get_running_loop()
    give_up = loop.time() + _READY_WITHIN
    while not stopping.is_set():
        if daemon.returncode is not None or loop.time() > give_up:
            raise DaemonEnded(_last_words(folder))
        with contextlib.suppress(aiohttp.ClientError):
            async with http.get(f"{settings.public_url}/readyz") as answer:
                if answer.ok:
                    return True
        await asyncio.sleep(_LOOK)
    return False


async def _until(
    house: _House, *parts: Coroutine[Any, Any, None], until: Coroutine[Any, Any, None] | None = None
) -> None:
    """Let everybody play until somebody stops it, or ``until`` is through.

    Raises `DaemonEnded` if the daemon ends before that.
    """
    async with asyncio.TaskGroup() as tasks:
        playing = [tasks.create_task(each) for each in parts]
        ends = [
            tasks.create_task(house.stopping.wait(), name="stopping"),
            tasks.create_task(house.daemon.wait(), name="daemon"),
        ]
        last = [tasks.create_task(until, name="last")] if until else []
        await asyncio.wait([*ends, *last], return_when=asyncio.FIRST_COMPLETED)
        through = all(each.done() for each in last) and bool(last)
        for each in (*playing, *ends, *last):
            each.cancel()
    if not through and not house.stopping.is_set():
        raise DaemonEnded(_last_words(house.folder))


def _last_words(folder: Path) -> str:
    lines = (folder / _LOG).read_text("utf-8", "replace").splitlines()
    return "\n".join(lines[-_LAST_LINES:])


def _welcome(settings: Settings, cast: Cast, folder: Path) -> None:
    """Say where everything is and who may look at it."""
    url, shop = settings.public_url, settings.policy.shop
    click.echo(f"Mainstem demo · 演示: {shop['zh']} {shop['en']}")
    click.echo(f"  queues   {url}/queues   {ADMIN} / {cast.passwords[ADMIN]}")
    click.echo(
        f"  desk     {url}/desk   {AGENT} / {cast.passwords[AGENT]}   (nobody plays {AGENT})"
    )
    click.echo(
        f"  shop     {url}/shop   chat as {settings.demo_members[0].name}, who has complained"
    )
    click.echo(f"  API      {url}/api/v1/openapi.json")
    click.echo(f"  files    {folder}   the daemon's log: {folder / _LOG}")
    click.echo("Everybody is invented. Ctrl+C stops it all. 人物均为虚构；按 Ctrl+C 结束。")
