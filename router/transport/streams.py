"""Streams: WebSockets that we open to a platform which cannot, or need not, reach us.

A frame is acknowledged after the commit; what was not comes again, as the platform repeats it.
"""

import asyncio
import ssl

import aiohttp
import structlog

from router.transport.http import Doubtful, Http, NotSent
from router.transport.settings import TransportSettings
from router.transport.staying import Broken
from router.transport.taking import Taking
from router.transport.waits import Wait
from router.transport.websocket import Held

log = structlog.get_logger()


class Stream(Held):
    """The owned task that holds one account's stream."""

    def __init__(
        self,
        taking: Taking,
        *,
        http: Http,
        name: str,
        settings: TransportSettings,
        trusts: ssl.SSLContext | None = None,
        wait: Wait = asyncio.sleep,
    ) -> None:
        super().__init__("stream", taking, name=name, settings=settings, trusts=trusts, wait=wait)
        self._http = http

    async def _session(self, session: aiohttp.ClientSession) -> None:
        address = await self._address()
        try:
            async with self._connect(session, address) as socket:
                log.info("broker_in_touch", account=self._account.name)
                async with asyncio.TaskGroup() as tasks:
                    staying = tasks.create_task(self._staying.stay(), name="hold the stream")
                    await self._hear(socket, address.partition("?")[0])
                    staying.cancel()
        except aiohttp.ClientError as error:
            raise Broken(type(error).__name__) from None

    async def _address(self) -> str:
        """Ask where to connect; raises Broken with the reason if the platform does not say."""
        adapter = self._account.adapter
        try:
            reply = await self._http.carry(adapter.dial_call())
        except (NotSent, Doubtful) as error:
            raise Broken(str(error)) from None
        found = adapter.read_dial(reply)
        if isinstance(found, str):
            return found
        why = getattr(found, "why", "no address")
        log.warning("stream_refused", account=self._account.name, why=why)
        raise Broken(why)

    async def _hear(self, socket: aiohttp.ClientWebSocketResponse, address: str) -> None:
        """Take in frame after frame until the platform parts with us."""
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            frame = message.data.encode("utf-8", "replace")
            request = self._taking.request(method="FRAME", url=address, headers={}, body=frame)
            answer, calls = await self._taking.take(request)
            if answer is not None and answer.body:
                await socket.send_str(answer.body.decode("utf-8", "replace"))
            if calls:
                self._taking.after(self._account.name, calls)
            if self._account.adapter.parts(frame):
                return
