"""The demonstration runs as a newcomer runs it, and the living shop is looked at from outside."""

import asyncio
import os
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import monotonic

import aiohttp
import pytest

from router.cli.demo.play import free_address
from router.daemon import SystemClock, SystemIds
from router.domain.content import Media
from router.domain.timeline import Direction, Sending
from router.service.audit import audit
from router.service.carry import LEASE
from router.service.records import OutboxState
from router.service.unit import Unit
from router.store.engine import SqlStore, open_store
from tests.support.processes import LOOPBACK, answers, tethered

#: Seconds: until the shop must be lively, and to stop.
LIVELY_WITHIN = 90.0
STOPPED_WITHIN = 10.0
CHANNELS = frozenset({"wechat", "weibo", "web-chat", "phone", "hotline"})
WRITTEN = frozenset({"wechat", "weibo", "web-chat"})
_REACHED = (Sending.SENT, Sending.DELIVERED, Sending.READ)
_TROUBLE = (OutboxState.DEAD, OutboxState.REFUSED, OutboxState.IN_DOUBT)


@dataclass(frozen=True, kw_only=True)
class Shop:
    """What stands in the demonstration's database; accounts by name."""

    talked_on: frozenset[str]
    conversations: int
    cases: int
    answered_by_bot: frozenset[str]
    answered_by_agents: frozenset[str]
    pictures_kept: frozenset[str]
    recalled: int
    merged: bool
    unreadable: int
    trouble: int
    violations: int

    @property
    def is_lively(self) -> bool:
        """Return whether a newcomer would say that it lives."""
        return (
            self.talked_on >= CHANNELS
            and self.answered_by_agents >= WRITTEN
            and bool(self.answered_by_bot and self.recalled and self.merged)
            and self.pictures_kept >= {"wechat", "web-chat"}
            and self.conversations >= 20
            and self.cases >= 3
        )


def look(unit: Unit) -> Shop:
    """Read the whole of the shop; it is small."""
    now = SystemClock().now()
    held = (
        *unit.conversations.open(),
        *unit.conversations.closed_between(now - timedelta(days=1), now),
    )
    said = [each for one in held for each in unit.conversations.said_in(one.id, limit=200)]
    sent = [e for e in said if e.direction is Direction.OUT and e.sending in _REACHED]
    stored = [e for e in said if isinstance(e.content, Media) and e.content.stored]
    members = {each.contact for each in held}
    return Shop(
        talked_on=frozenset(each.account for each in held),
        conversations=len(held),
        cases=len(unit.cases.all_open()),
        answered_by_bot=frozenset(each.account for each in sent if each.author == "bot"),
        answered_by_agents=frozenset(each.account for each in sent if each.author != "bot"),
        pictures_kept=frozenset(each.account for each in stored),
        recalled=sum(each.recalled_at is not None for each in said),
        merged=bool(unit.contacts.merges(members)),
        unreadable=len(unit.journal.deliveries(state="unreadable")),
        trouble=len(unit.outbox.listed(_TROUBLE)),
        violations=len(audit(unit, at=now)),
    )


@asynccontextmanager
async def demonstration(*options: str) -> AsyncIterator[Process]:
    """Start `mainstem demo` and make sure that it is gone afterwards."""
    command = tethered([sys.executable, "-m", "router", "demo", *options])
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=STDOUT)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def its_address(process: Process) -> str:
    """Read what the demonstration prints until it has said where the pages are."""
    assert process.stdout is not None
    heard = []
    async with asyncio.timeout(120):
        while line := (await process.stdout.readline()).decode():
            heard.append(line)
            found = re.search(r"queues\s+(http://\S+)/queues\s+admin / \S+", line)
            if found:
                return found[1]
    pytest.fail(f"it ended without an address:\n{''.join(heard)}")


def a_store(data: Path) -> SqlStore:
    return open_store(f"sqlite:///{data / 'mainstem.db'}", clock=SystemClock(), ids=SystemIds())


async def lively(data: Path) -> Shop:
    """Look into the shop until it lives, or fail with what it looks like."""
    store = a_store(data)
    give_up = monotonic() + LIVELY_WITHIN
    try:
        while not (shop := await store.read(look)).is_lively:
            assert monotonic() < give_up, shop
            await asyncio.sleep(0.5)  # another process's work: there is no event to await
    finally:
        await store.close()
    return shop


async def test_the_shop_lives_on_every_channel_and_stops_in_good_order(tmp_path: Path) -> None:
    options = ("--data", str(tmp_path), "--listen", f"{LOOPBACK}:0", "--pace", "4")
    async with demonstration(*options) as process, aiohttp.ClientSession() as http:
        address = await its_address(process)
        shop = await lively(tmp_path)
        async with http.get(f"{address}/shop") as page:
            members = await page.text()
        began = monotonic()
        process.send_signal(signal.SIGTERM)
        code = await process.wait()

    assert (shop.unreadable, shop.trouble, shop.violations) == (0, 0, 0)
    assert "会员 阿云" in members
    assert code == 0
    assert monotonic() - began < STOPPED_WITHIN
    assert not answers(int(address.rpartition(":")[2]))


async def test_the_end_of_the_daemon_is_the_end_of_the_play_and_is_said(tmp_path: Path) -> None:
    options = ("--data", str(tmp_path), "--listen", f"{LOOPBACK}:0")
    async with demonstration(*options) as process:
        await its_address(process)
        os.kill(await daemon_of(tmp_path), signal.SIGKILL)
        said, _ = await process.communicate()

    assert process.returncode == 1
    assert "the daemon ended" in said.decode()


async def daemon_of(data: Path) -> int:
    """Return the process id of the daemon: it stands in the name under which it routes."""
    store = a_store(data)
    try:
        lease = await store.read(lambda unit: unit.journal.leased(LEASE))
    finally:
        await store.close()
    assert lease is not None
    return int(lease.holder.rsplit("-", 2)[1])


def test_a_taken_port_gives_way_to_a_free_one() -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        wished = f"{LOOPBACK}:{taken.getsockname()[1]}"
        assert free_address(wished) != wished
    assert free_address(wished) == wished


async def test_a_crowd_leaves_a_history_without_a_violation(tmp_path: Path) -> None:
    options = ("--data", str(tmp_path), "--listen", f"{LOOPBACK}:0", "--conversations", "100")
    async with demonstration(*options) as process:
        said, _ = await process.communicate()

    words = said.decode()
    assert process.returncode == 0, words
    had = re.search(r"(\d+) conversations in \d+ s", words)
    assert had is not None
    assert int(had[1]) >= 100
    assert re.search(r"^0 violations in \d{3,} events", words, re.MULTILINE)
