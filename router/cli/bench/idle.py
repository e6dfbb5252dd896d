"""What a daemon that has nothing to do holds in memory, and what each open web chat adds."""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import click

from router.cli.bench.figures import told
from router.cli.bench.ground import Ground, daemon

_CHAT = """
channel = "webchat"
account = "web-chat"
queue = "general"
[settings]
site = "bench"
secret = "a-secret-of-the-bench-that-has-32-bytes"
"""
_MIB, _KIB = 1024 * 1024, 1024
#: Memory has settled when it has grown by no more than this for so many seconds.
_QUIET_B, _QUIET_S, _LONGEST_S = _MIB // 4, 3.0, 60.0
_POLL_S = 0.25
_AT_ONCE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """Bytes of one process: what is resident, and its share of what it shares with others."""

    resident: int
    share: int


@click.command()
@click.option("--sockets", type=click.IntRange(1), default=1000, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON object.")
def idle(*, sockets: int, as_json: bool) -> None:
    """Let the daemon and its reader stand idle, then open web chats that say hello and no more.

    The kernel's counts (Linux): resident memory counts what two processes share twice, their
    proportional share counts it once.
    """
    with daemon(channels={"web-chat": _CHAT}, router={"log_level": "warning"}) as ground:
        _readers_are_up(ground)
        alone = _settled(ground)
        with _chats(ground, sockets):
            crowded = _settled(ground)
    ours = next(iter(alone))
    found: dict[str, Any] = {
        "load": os.getloadavg()[0],
        "daemon_mib": round(alone[ours].resident / _MIB, 1),
        "readers_mib": [
            round(each.resident / _MIB, 1) for pid, each in alone.items() if pid != ours
        ],
        "together_mib": round(sum(each.resident for each in alone.values()) / _MIB, 1),
        "together_shared_once_mib": round(sum(each.share for each in alone.values()) / _MIB, 1),
        "sockets": sockets,
        "socket_kib": round((crowded[ours].resident - alone[ours].resident) / sockets / _KIB, 1),
    }
    click.echo(json.dumps(found) if as_json else told(found))


def _readers_are_up(ground: Ground) -> None:
    """Wait until the daemon has a reader process."""
    give_up = time.monotonic() + _LONGEST_S
    while len(_processes(ground.process.pid)) == 1:
        if time.monotonic() > give_up:
            raise click.ClickException("no reader process came up")
        time.sleep(_POLL_S)


def _settled(ground: Ground) -> dict[int, _Held]:
    """Return what each process holds once none of them grows any more, the daemon first."""
    give_up = time.monotonic() + _LONGEST_S
    most, since = 0, time.monotonic()
    while time.monotonic() - since < _QUIET_S and time.monotonic() < give_up:
        time.sleep(_POLL_S)
        now = sum(_held(pid).resident for pid in _processes(ground.process.pid))
        if now > most + _QUIET_B:
            most, since = now, time.monotonic()
    return {pid: _held(pid) for pid in _processes(ground.process.pid)}


def _processes(pid: int) -> tuple[int, ...]:
    """Return a process and its children."""
    held = Path(f"/proc/{pid}/task/{pid}/children")
    if not held.exists():
        raise click.ClickException("this machine does not say which processes there are")
    return (pid, *map(int, held.read_text("ascii").split()))


def _held(pid: int) -> _Held:
    fields = {
        name: int(rest.split()[0]) * _KIB
        for name, _, rest in (
            line.partition(":")
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()[1:]
        )
    }
    return _Held(resident=fields["Rss"], share=fields["Pss"])


@contextmanager
def _chats(ground: Ground, count: int) -> Iterator[None]:
    """Keep so many visitors' sockets open until the block ends."""
    with asyncio.Runner() as runner:
        held = runner.run(_opened(ground, count))
        try:
            yield
        finally:
            runner.run(held.aclose())


async def _opened(ground: Ground, count: int) -> AsyncExitStack:
    held, room = AsyncExitStack(), asyncio.Semaphore(_AT_ONCE)
    http = await held.enter_async_context(
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    )
    url = f"{ground.url}/ws/v1?site=bench&fresh=1"

    async def one() -> None:
        async with room:
            socket = await held.enter_async_context(
                http.ws_connect(url, protocols=("pam.v1",), origin=ground.url)
            )
            hello = {"op": "hello", "id": "h", "identity": {"mode": "anonymous", "name": ""}}
            await socket.send_json({"v": 1, "locale": "zh", "device": "bench", **hello})
            frame = await socket.receive_json(timeout=_LONGEST_S)
            if frame["op"] != "welcome":
                raise click.ClickException(f"hello was answered with {frame}")

    async with asyncio.TaskGroup() as tasks:
        for _ in range(count):
            tasks.create_task(one())
    return held
