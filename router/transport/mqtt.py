"""Notices between daemons over MQTT: "something is new since N". A lost one costs time, no truth.

Nothing waits for the broker. While it is away everything works, only later: the others look into
the tables now and then, and at once when the broker is back.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import aiomqtt
import msgspec
import structlog
from aiomqtt import ProtocolVersion

from router.domain.events import Logged
from router.service.ports import Ids
from router.transport.settings import TransportSettings
from router.transport.waits import Wait, backoff

log = structlog.get_logger()

HERE, GONE = b"here", b"gone"
#: A lone message leaves at once instead of waiting for an acknowledgement (RFC 896).
NO_DELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
_NOT_IN_TOPICS = frozenset("/+#\0")
_KEEP_ALIVE = 15
#: A broker that does not know MQTT 5 is spoken to in 3.1.1, which is enough for notices.
_PROTOCOLS = (ProtocolVersion.V5, ProtocolVersion.V311)

#: Told that the log has grown to the given number; 0: perhaps, we were out of touch.
News = Callable[[int], None]


class Notice(msgspec.Struct):
    """What one daemon says to the others: the number of the last event it has committed."""

    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where the broker is. ``installation`` keeps shops that share a broker apart."""

    host: str
    port: int
    installation: str
    username: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None


class Notices:
    """An owned task that tells the other daemons of our commits and hears of theirs."""

    def __init__(
        self,
        broker: Broker,
        *,
        daemon: str,
        news: News,
        ids: Ids,
        settings: TransportSettings,
        wait: Wait = asyncio.sleep,
    ) -> None:
        for name in (broker.installation, daemon):
            if not name or _NOT_IN_TOPICS & set(name):
                raise ValueError(f"expected a name without / + # for topics, got {name!r}")
        self._broker, self._daemon, self._news = broker, daemon, news
        self._ids, self._settings, self._wait = ids, settings, wait
        self._some = asyncio.Event()
        self._stopping = asyncio.Event()
        self._seq = 0
        self._connected = False
        self._protocol: ProtocolVersion | None = None  # the one that the broker has answered

    @property
    def is_connected(self) -> bool:
        """Return whether the broker is in touch now."""
        return self._connected

    def committed(self, events: Sequence[Logged]) -> None:
        """Listen to what this daemon commits; returns at once."""
        if events:
            self._seq = max(self._seq, events[-1].seq)
            self._some.set()

    def stop(self) -> None:
        """Say that we are gone and part; `run` returns after that."""
        self._stopping.set()
        self._some.set()

    async def run(self) -> None:
        """Stay in touch until stopped, whatever the broker does."""
        attempts = 0
        while not self._stopping.is_set():
            was_connected = False
            protocol = self._protocol or _PROTOCOLS[attempts % len(_PROTOCOLS)]
            try:
                async with self._client(protocol) as client:
                    was_connected = self._connected = True
                    self._protocol = protocol
                    await self._session(client)
            except* (aiomqtt.MqttError, OSError) as group:
                why = type(group.exceptions[0]).__name__
                log.warning("broker_out_of_touch", why=why, attempt=attempts + 1)
            finally:
                self._connected = False
            if not self._stopping.is_set():
                attempts = 0 if was_connected else attempts + 1
                await self._pause(attempts)

    async def _pause(self, attempts: int) -> None:
        wait = backoff(
            attempts,
            first=self._settings.first_reconnect,
            longest=self._settings.longest_reconnect,
            chance=self._ids.entropy(4),
        )
        stopped = asyncio.ensure_future(self._stopping.wait())
        waited = asyncio.ensure_future(self._wait(wait.total_seconds()))
        _, left = await asyncio.wait((stopped, waited), return_when=asyncio.FIRST_COMPLETED)
        for each in left:
            each.cancel()

    def _client(self, protocol: ProtocolVersion) -> aiomqtt.Client:
        presence = aiomqtt.Will(self._presence, GONE, qos=1, retain=True)
        return aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.username,
            password=self._broker.password,
            tls_context=self._broker.tls,
            identifier=f"mainstem-{self._broker.installation}-{self._daemon}",
            protocol=protocol,
            will=presence,
            keepalive=_KEEP_ALIVE,
            timeout=self._settings.connect.total_seconds(),
            socket_options=[NO_DELAY],
        )

    async def _session(self, client: aiomqtt.Client) -> None:
        await client.subscribe(f"{self._root}/notice/+", qos=1)
        await client.publish(self._presence, HERE, qos=1, retain=True)
        log.info("broker_in_touch")
        self._news(0)
        self._some.set()  # the others may have missed what we said last
        async with asyncio.TaskGroup() as tasks:
            hearing = tasks.create_task(self._hear(client), name="notices in")
            tasks.create_task(self._tell(client, hearing), name="notices out")

    async def _tell(self, client: aiomqtt.Client, hearing: "asyncio.Task[None]") -> None:
        """Publish the newest number; what gathers meanwhile is one notice."""
        told = 0
        topic = f"{self._root}/notice/{self._daemon}"
        while not self._stopping.is_set():
            await self._some.wait()
            self._some.clear()
            if self._seq > told:
                told = self._seq
                await client.publish(topic, msgspec.json.encode(Notice(seq=told)), qos=1)
                await self._wait(self._settings.notice_every.total_seconds())
        await client.publish(self._presence, GONE, qos=1, retain=True)
        hearing.cancel()

    async def _hear(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            daemon = message.topic.value.rpartition("/")[2]
            if daemon != self._daemon:
                self._take(daemon, message.payload)

    def _take(self, daemon: str, payload: Any) -> None:
        try:
            notice = msgspec.json.decode(payload, type=Notice)
        except (msgspec.DecodeError, TypeError):
            log.warning("notice_unreadable", daemon=daemon)
            return
        self._news(notice.seq)

    @property
    def _root(self) -> str:
        return f"mainstem/{self._broker.installation}"

    @property
    def _presence(self) -> str:
        return f"{self._root}/daemon/{self._daemon}"
