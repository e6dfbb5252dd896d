"""A gate on the way to a server: open, shut (every connection is cut), or stuck (nothing moves).

So a database or a broker is away for whoever goes through the gate, and for nobody else.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_PIECE = 64 * 1024
LOOPBACK = "127.0.0.1"


class Gate:
    """Listens on a port of this machine and passes on to ``host``:``port`` while it is open."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._open, self._moving = True, asyncio.Event()
        self._moving.set()
        self._through: set[asyncio.Task[None]] = set()
        self.port = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Gate"]:
        """Let through until the block ends."""
        server = await asyncio.start_server(self._enter, LOOPBACK, 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.shut()
            await asyncio.gather(*self._through, return_exceptions=True)

    def shut(self) -> None:
        """Cut every connection and let nobody in."""
        self._open = False
        for each in self._through:
            each.cancel()

    def hold(self) -> None:
        """Let nothing move, and cut nothing."""
        self._moving.clear()

    def open(self) -> None:
        """Let everything through again."""
        self._open = True
        self._moving.set()

    async def _enter(self, inside: asyncio.StreamReader, outside: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if not self._open or task is None:
            outside.transport.abort()
            return
        self._through.add(task)
        try:
            with suppress(OSError, asyncio.CancelledError):
                await self._pass(inside, outside)
        finally:
            self._through.discard(task)
            outside.transport.abort()

    async def _pass(self, inside: asyncio.StreamReader, outside: asyncio.StreamWriter) -> None:
        reader, writer = await asyncio.open_connection(*self._target)
        ways = [
            asyncio.ensure_future(self._copy(inside, writer)),
            asyncio.ensure_future(self._copy(reader, outside)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in ways:
                each.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            writer.transport.abort()

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(_PIECE):
            await self._moving.wait()
            target.write(data)
            await target.drain()
