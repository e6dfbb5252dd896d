"""Sockets that we keep open to a platform which tells its news over them and nowhere else.

Unlike a stream, the adapter makes the address itself, greets, and is heard from every few seconds.
A frame is answered after the commit; what was not answered comes again, as the platform repeats it.
"""

import asyncio
import ssl

import aiohttp
import structlog
from yarl import URL

from router.channel.connection import Holds
from router.channel.contract import Moment, Refused
from router.transport.asker import ENTROPY
from router.transport.settings import TransportSettings
from router.transport.staying import Broken
from router.transport.taking import Taking
from router.transport.waits import Wait
from router.transport.websocket import Held

log = structlog.get_logger()


class Socket(Held):
    """The owned task that holds one account's socket."""

    def __init__(
        self,
        taking: Taking,
        adapter: Holds,
        *,
        name: str,
        settings: TransportSettings,
        trusts: ssl.SSLContext | None = None,
        wait: Wait = asyncio.sleep,
    ) -> None:
        super().__init__("socket", taking, name=name, settings=settings, trusts=trusts, wait=wait)
        self._adapter = adapter

    async def _session(self, session: aiohttp.ClientSession) -> None:
        address = self._adapter.dial(self._moment())
        try:
            async with self._connect(session, address) as socket:
                token = await self._admitted(socket)
                log.info("broker_in_touch", account=self._account.name)
                async with asyncio.TaskGroup() as tasks:
                    owned = [
                        tasks.create_task(self._staying.stay(), name="hold the socket"),
                        tasks.create_task(self._beat(socket, token), name="keep the socket alive"),
                    ]
                    await self._hear(socket, str(URL(address).origin()))
                    for task in owned:
                        task.cancel()
        except aiohttp.ClientError as error:
            raise Broken(type(error).__name__) from None

    async def _admitted(self, socket: aiohttp.ClientWebSocketResponse) -> str:
        """Greet, and return the token that the platform lets us in with.

        Raises Broken if it does not, or says nothing for as long as a call may take.
        """
        greeting = self._adapter.greeting(self._moment())
        if not greeting:
            return ""
        await self._send(socket, greeting)
        try:
            async with asyncio.timeout(self._settings.total.total_seconds()):
                while (body := _body(await socket.receive())) is not None:
                    found = self._adapter.admitted(body)
                    if isinstance(found, str):
                        return found
                    if isinstance(found, Refused):
                        log.warning("stream_refused", account=self._account.name, why=found.why)
                        raise Broken(found.why)
        except TimeoutError:
            raise Broken("nobody answers the greeting") from None
        raise Broken("closed before it let us in")

    async def _beat(self, socket: aiohttp.ClientWebSocketResponse, token: str) -> None:
        """Be heard from, at once and every few seconds."""
        while not socket.closed:
            await self._send(socket, self._adapter.heartbeat(token, self._moment()))
            await self._wait(self._adapter.beats_every.total_seconds())

    async def _hear(self, socket: aiohttp.ClientWebSocketResponse, address: str) -> None:
        """Take in frame after frame until the socket is over."""
        while (body := _body(await socket.receive())) is not None:
            request = self._taking.request(method="FRAME", url=address, headers={}, body=body)
            answer, calls = await self._taking.take(request)
            if answer is not None and answer.body:
                await self._send(socket, answer.body)
            if calls:
                self._taking.after(self._account.name, calls)

    async def _send(self, socket: aiohttp.ClientWebSocketResponse, frame: bytes) -> None:
        if self._adapter.binary:
            await socket.send_bytes(frame)
        else:
            await socket.send_str(frame.decode("utf-8", "replace"))

    def _moment(self) -> Moment:
        taking = self._taking
        return Moment(now=taking.clock.now(), entropy=taking.ids.entropy(ENTROPY))


def _body(message: aiohttp.WSMessage) -> bytes | None:
    """Return what a frame holds; None once the socket is over."""
    match message.type:
        case aiohttp.WSMsgType.TEXT:
            return str(message.data).encode("utf-8", "replace")
        case aiohttp.WSMsgType.BINARY:
            return bytes(message.data)
        case _:
            return None
