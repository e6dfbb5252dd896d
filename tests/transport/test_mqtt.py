"""Daemons tell each other over a real broker that something is new, and live without it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import aiomqtt
import pytest

from router.domain.events import Happened, Logged
from router.transport.mqtt import GONE, HERE, Broker, Notices
from tests.builders import NOW
from tests.support.fakes import CountingIds
from tests.support.mqtt import Broker as Running
from tests.support.mqtt import find_command
from tests.support.processes import LOOPBACK, answers, free_port, running
from tests.transport.rig import PATIENCE, settings


class Ear:
    """Hears news and lets a test wait for it."""

    def __init__(self) -> None:
        self.heard: list[int] = []
        self._some = asyncio.Event()

    def __call__(self, seq: int) -> None:
        self.heard.append(seq)
        self._some.set()

    async def until(self, holds: Callable[[list[int]], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not holds(self.heard):
                self._some.clear()
                await self._some.wait()


def logged(*numbers: int) -> list[Logged]:
    return [Logged(seq=number, at=NOW, event=Happened(kind="reply_queued")) for number in numbers]


def notices(port: int, folder: Path, name: str, ear: Ear, *, shop: str = "sofas") -> Notices:
    quick = settings(
        folder,
        connect=timedelta(seconds=4),
        notice_every=timedelta(milliseconds=20),
        first_reconnect=timedelta(milliseconds=20),
        longest_reconnect=timedelta(milliseconds=100),
    )
    broker = Broker(host=LOOPBACK, port=port, installation=shop)
    return Notices(broker, daemon=name, news=ear, ids=CountingIds(), settings=quick)


@asynccontextmanager
async def in_touch(*daemons: Notices) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        owned = [tasks.create_task(each.run(), name="notices") for each in daemons]
        try:
            yield
        finally:
            for each in daemons:
                each.stop()
            await asyncio.wait(owned, timeout=PATIENCE)


async def told(watcher: aiomqtt.Client, word: bytes) -> None:
    """Wait until the watcher is told ``word``."""
    async for message in watcher.messages:
        if message.payload == word:
            return


class Cable:
    """What lies between a daemon and its broker, and can be cut."""

    def __init__(self, port: int) -> None:
        self._there, self.port = port, 0
        self._server: asyncio.Server | None = None
        self._ends: list[asyncio.StreamWriter] = []

    async def lay(self) -> None:
        self._server = await asyncio.start_server(self._connected, LOOPBACK, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """End every connection without a word, and take no new one."""
        assert self._server is not None
        self._server.close()
        for end in self._ends:
            end.transport.abort()

    async def _connected(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        there, forth = await asyncio.open_connection(LOOPBACK, self._there)
        self._ends += [back, forth]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._carry(here, forth), name="forth")
            tasks.create_task(self._carry(there, back), name="back")

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(4096):
                sink.write(data)
        sink.close()


@asynccontextmanager
async def a_cable(port: int) -> AsyncIterator[Cable]:
    cable = Cable(port)
    await cable.lay()
    yield cable
    cable.cut()


@contextmanager
def a_broker(port: int, folder: Path) -> Iterator[None]:
    """Run a broker that a test may end and start again on the same port."""
    command = find_command()(folder, port)
    with running(command, ready=partial(answers, port), log=folder / "broker.log"):
        yield


async def test_a_daemon_hears_what_another_has_committed_and_not_itself(
    mqtt_broker: Running, tmp_path: Path
) -> None:
    one, two = Ear(), Ear()
    first = notices(mqtt_broker.port, tmp_path, "one", one)
    second = notices(mqtt_broker.port, tmp_path, "two", two)
    async with in_touch(first, second):
        await one.until(lambda heard: heard == [0])
        await two.until(lambda heard: heard == [0])
        first.committed(logged(6, 7))
        await two.until(lambda heard: 7 in heard)
        second.committed(logged(8))
        await one.until(lambda heard: 8 in heard)
    assert (7 in one.heard, 8 in two.heard) == (False, False)


async def test_what_gathers_while_a_notice_leaves_is_one_notice(
    mqtt_broker: Running, tmp_path: Path
) -> None:
    one, two = Ear(), Ear()
    first = notices(mqtt_broker.port, tmp_path, "one", one)
    second = notices(mqtt_broker.port, tmp_path, "two", two)
    async with in_touch(first, second):
        await one.until(bool)
        await two.until(bool)
        for number in range(1, 501):
            first.committed(logged(number))
        await two.until(lambda heard: 500 in heard)
    assert len(two.heard) < 10


async def test_shops_that_share_a_broker_do_not_hear_each_other(
    mqtt_broker: Running, tmp_path: Path
) -> None:
    sofas, toys, mine = Ear(), Ear(), Ear()
    first = notices(mqtt_broker.port, tmp_path, "one", sofas)
    other = notices(mqtt_broker.port, tmp_path, "two", toys, shop="toys")
    same = notices(mqtt_broker.port, tmp_path, "three", mine)
    async with in_touch(first, other, same):
        for ear in (sofas, toys, mine):
            await ear.until(bool)
        first.committed(logged(9))
        await mine.until(lambda heard: 9 in heard)
    assert toys.heard == [0]


async def in_touch_again(*ears: Ear, times: int) -> None:
    """Wait until everybody was told so often that they may have missed something."""
    for ear in ears:
        await ear.until(lambda heard: heard.count(0) >= times)


async def test_without_a_broker_nothing_waits_and_its_return_is_news(tmp_path: Path) -> None:
    port, one, two = free_port(), Ear(), Ear()
    first = notices(port, tmp_path, "one", one)
    second = notices(port, tmp_path, "two", two)
    with ExitStack() as brokers:
        async with in_touch(first, second):
            first.committed(logged(1))
            with a_broker(port, tmp_path):
                await in_touch_again(one, two, times=1)
                first.committed(logged(2))
                await two.until(lambda heard: 2 in heard)
            first.committed(logged(3))
            brokers.enter_context(a_broker(port, tmp_path))
            await in_touch_again(one, two, times=2)
            second.committed(logged(4))
            await one.until(lambda heard: 4 in heard)


async def test_everybody_can_see_which_daemons_are_there(
    mqtt_broker: Running, tmp_path: Path
) -> None:
    ear, topic = Ear(), "mainstem/sofas/daemon/seen"
    daemon = notices(mqtt_broker.port, tmp_path, "seen", ear)
    watcher = aiomqtt.Client(mqtt_broker.host, mqtt_broker.port)
    async with asyncio.timeout(PATIENCE), watcher:
        async with in_touch(daemon):
            await ear.until(bool)
            await watcher.subscribe(topic, qos=1)
            await told(watcher, HERE)
        await told(watcher, GONE)


async def test_a_daemon_that_is_cut_off_is_seen_to_be_gone(
    mqtt_broker: Running, tmp_path: Path
) -> None:
    ear, topic = Ear(), "mainstem/sofas/daemon/doomed"
    async with (
        asyncio.timeout(PATIENCE),
        a_cable(mqtt_broker.port) as cable,
        aiomqtt.Client(mqtt_broker.host, mqtt_broker.port) as watcher,
        in_touch(notices(cable.port, tmp_path, "doomed", ear)),
    ):
        await ear.until(bool)
        await watcher.subscribe(topic, qos=1)
        await told(watcher, HERE)
        cable.cut()
        await told(watcher, GONE)


async def test_a_word_that_is_no_notice_is_passed_over(
    mqtt_broker: Running, tmp_path: Path
) -> None:
    ear = Ear()
    daemon = notices(mqtt_broker.port, tmp_path, "one", ear)
    async with in_touch(daemon), aiomqtt.Client(mqtt_broker.host, mqtt_broker.port) as stranger:
        await ear.until(bool)
        for word in (b"\xff\x00", b"[]", b'{"seq":"x"}', b'{"seq":5}'):
            await stranger.publish("mainstem/sofas/notice/stranger", word, qos=1)
        await ear.until(lambda heard: 5 in heard)
    assert ear.heard == [0, 5]


def test_a_name_that_would_break_a_topic_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="for topics"):
        notices(1, tmp_path, "one/two", Ear())
