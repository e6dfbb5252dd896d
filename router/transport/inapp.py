"""In-app messages over an account's own broker: what people publish comes in, answers go out.

A publish is acknowledged to the broker after the commit, so what a daemon had not written down when
it died comes again. One daemon listens for an account, under a name that stays the same, and the
broker keeps what comes while nobody does; every daemon may speak.
"""

import asyncio
import ssl
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
import structlog
from aiomqtt import ProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from router.channel.connection import Broker
from router.channel.contract import Publish, Reply
from router.transport.http import Doubtful, NotSent
from router.transport.mqtt import NO_DELAY
from router.transport.settings import TransportSettings
from router.transport.staying import Broken, Staying
from router.transport.taking import Taking
from router.transport.waits import Wait

log = structlog.get_logger()

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_KEEP_ALIVE = 30
_SESSION = int(timedelta(days=7).total_seconds())
_AT_ONCE = 32
_REFUSED = 0x80


class _Client(aiomqtt.Client):
    """aiomqtt's client, with two things that it keeps to itself.

    A message is acknowledged when we say so, and a publish tells the broker's reason code.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._answers: dict[int, asyncio.Future[int]] = {}
        self._client.manual_ack_set(on=True)
        self._client.on_publish = self._answered

    def acknowledge(self, message: aiomqtt.Message) -> None:
        """Tell the broker that ``message`` is ours to keep now."""
        self._client.ack(message.mid, message.qos)

    async def say(self, call: Publish) -> int:
        """Publish with QoS 1 and return the broker's reason code; raises MqttError."""
        info = self._client.publish(call.topic, call.payload, 1, call.retain)
        if info.rc != 0:
            raise aiomqtt.MqttCodeError(info.rc, "not published")
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._answers[info.mid] = answer
        try:
            async with asyncio.timeout(self.timeout):
                await asyncio.wait((answer, self._disconnected), return_when="FIRST_COMPLETED")
            if not answer.done():
                raise aiomqtt.MqttError("the broker went away")
            return answer.result()
        finally:
            self._answers.pop(info.mid, None)

    def _answered(self, _client: Any, _data: Any, mid: int, reason: Any, _more: Any) -> None:
        answer = self._answers.get(mid)
        if answer is not None and not answer.done():
            answer.set_result(reason.value if isinstance(reason, ReasonCode) else 0)


class Line:
    """The owned task that keeps one account in touch with its broker."""

    def __init__(
        self,
        taking: Taking,
        *,
        name: str,
        settings: TransportSettings,
        wait: Wait = asyncio.sleep,
    ) -> None:
        self._taking, self._account = taking, taking.account
        self._name, self._settings = name, settings
        self._staying = Staying(
            f"listen:{self._account.name}",
            account=self._account.name,
            store=taking.store,
            clock=taking.clock,
            ids=taking.ids,
            name=name,
            settings=settings,
            wait=wait,
        )
        self._speaker: _Client | None = None
        self._listening = asyncio.Event()

    @property
    def broker(self) -> Broker:
        """Return where the account's broker is."""
        found: Broker = self._account.adapter.broker
        return found

    async def listening(self) -> None:
        """Wait until this daemon hears what people publish."""
        await self._listening.wait()

    async def run(self) -> None:
        """Listen and speak until cancelled."""
        stays, account = self._staying, self._account.name
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(stays.again(self._speak), name=f"speak {account}")
            tasks.create_task(stays.again(self._listen), name=f"listen {account}")

    async def publish(self, call: Publish) -> Reply:
        """Carry ``call``; the status is the broker's reason code. Raises NotSent or Doubtful."""
        speaker = self._speaker
        if speaker is None:
            raise NotSent("the broker is out of touch")
        try:
            return Reply(status=await speaker.say(call), body=b"")
        except (aiomqtt.MqttError, TimeoutError) as error:
            raise Doubtful(type(error).__name__) from None

    def _client(self, name: str, *, keeps: bool) -> _Client:
        """Return a client; with ``keeps`` the broker keeps what comes while it is away."""
        broker = self.broker
        address = urlsplit(broker.url)
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = _SESSION if keeps else 0
        properties.ReceiveMaximum = _AT_ONCE
        return _Client(
            address.hostname or "",
            address.port or _PORTS[address.scheme],
            username=broker.username or None,
            password=broker.password or None,
            tls_context=ssl.create_default_context() if address.scheme == "mqtts" else None,
            identifier=name,
            protocol=ProtocolVersion.V5,
            clean_start=not keeps,
            properties=properties,
            keepalive=_KEEP_ALIVE,
            timeout=self._settings.connect.total_seconds(),
            socket_options=[NO_DELAY],
        )

    async def _speak(self) -> None:
        async with self._client(f"{self.broker.client}-{self._name}", keeps=False) as client:
            self._speaker = client
            try:
                async for _ in client.messages:  # none: it only notices when the broker goes
                    continue
            finally:
                self._speaker = None

    async def _listen(self) -> None:
        """Listen as long as this daemon is the one that does."""
        async with self._staying.held() as ours:
            if ours:
                try:
                    await self._hear()
                finally:
                    self._listening.clear()

    async def _hear(self) -> None:
        """Take in what comes, in its order; whatever gathers shares a transaction."""
        async with self._client(self.broker.client, keeps=True) as client:
            for topic in self.broker.subscriptions:
                granted = await client.subscribe(topic, qos=1)
                if any(_code(each) >= _REFUSED for each in granted):
                    raise Broken("the broker lets us not listen")
            log.info("broker_in_touch", account=self._account.name)
            self._listening.set()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._staying.stay(), name="stay the one that listens")
                async for message in client.messages:
                    tasks.create_task(self._take(client, message), name="publish in")

    async def _take(self, client: _Client, message: aiomqtt.Message) -> None:
        given = getattr(message.properties, "UserProperty", None) or []
        headers = {str(name).lower(): str(value) for name, value in given}
        payload = message.payload
        request = self._taking.request(
            method="PUBLISH",
            url=f"{self.broker.url.rstrip('/')}/{message.topic.value}",
            headers={**headers, "retain": str(int(message.retain))},
            body=payload if isinstance(payload, bytes) else str(payload or "").encode(),
        )
        _, calls = await self._taking.take(request)
        client.acknowledge(message)
        if calls:
            self._taking.after(self._account.name, calls)


def _code(granted: Any) -> int:
    return granted.value if isinstance(granted, ReasonCode) else int(granted)
