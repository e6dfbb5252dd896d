"""What every WebSocket that we open has in common: one daemon holds it, and opens it again."""

import asyncio
import ssl
from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager

import aiohttp

from router.transport.settings import TransportSettings
from router.transport.staying import Staying
from router.transport.taking import Taking
from router.transport.waits import Wait

_HEARTBEAT = 30.0


class Held(ABC):
    """The owned task that holds one account's WebSocket; ``kind`` is a part of its lease's name."""

    def __init__(
        self,
        kind: str,
        taking: Taking,
        *,
        name: str,
        settings: TransportSettings,
        trusts: ssl.SSLContext | None = None,
        wait: Wait = asyncio.sleep,
    ) -> None:
        self._taking, self._account = taking, taking.account
        self._settings, self._trusts, self._wait = settings, trusts, wait
        self._staying = Staying(
            f"{kind}:{self._account.name}",
            account=self._account.name,
            store=taking.store,
            clock=taking.clock,
            ids=taking.ids,
            name=name,
            settings=settings,
            wait=wait,
        )

    async def run(self) -> None:
        """Hold the WebSocket until cancelled, opening another whenever one is over."""
        async with aiohttp.ClientSession(headers={"user-agent": "Mainstem"}) as session:

            async def once() -> None:
                async with self._staying.held() as ours:
                    if ours:
                        await self._session(session)

            await self._staying.again(once)

    def _connect(
        self, session: aiohttp.ClientSession, address: str
    ) -> AbstractAsyncContextManager[aiohttp.ClientWebSocketResponse]:
        return session.ws_connect(
            address,
            heartbeat=_HEARTBEAT,
            max_msg_size=self._settings.most_answer,
            ssl=self._trusts or True,
            timeout=aiohttp.ClientWSTimeout(ws_close=self._settings.connect.total_seconds()),
        )

    @abstractmethod
    async def _session(self, session: aiohttp.ClientSession) -> None:
        """Open one WebSocket and take in what comes until it is over; raises Broken."""
