"""Open pages: streams of events, read with aiohttp as a browser reads them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import aiohttp

_EVENT = b"event: "


class Screen:
    """One page's stream; ``told`` is called with each event's name."""

    def __init__(self, told: Callable[[str], Awaitable[None]]) -> None:
        self._told = told

    async def read(self, answer: aiohttp.ClientResponse) -> None:
        """Read until the stream ends."""
        async for line in answer.content:
            if line.startswith(_EVENT):
                await self._told(line[len(_EVENT) :].strip().decode())


@asynccontextmanager
async def open_screens(
    http: aiohttp.ClientSession,
    asked: list[tuple[str, dict[str, str]]],
    told: Callable[[int, str], Awaitable[None]],
) -> AsyncIterator[None]:
    """Keep a stream open for each (address, headers); all stand before the block begins."""
    async with AsyncExitStack() as held:
        tasks = []
        for number, (url, headers) in enumerate(asked):
            answer = await held.enter_async_context(
                http.get(url, headers=headers, timeout=aiohttp.ClientTimeout(total=None))
            )
            answer.raise_for_status()

            async def one(name: str, number: int = number) -> None:
                await told(number, name)

            tasks.append(asyncio.create_task(Screen(one).read(answer)))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks, return_exceptions=True)
