"""Two platforms on the loopback address that behave badly, and note what their customers read.

WeChat takes no idempotency key, the shop's own gateway does. Either may answer 500, be busy, take
its time, hang up, or never answer at all; what a customer has read is true whatever was answered.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from router.cli.chaos.gate import LOOPBACK
from router.cli.ledger.book import Book, Called

WECHAT, GATEWAY = "wechat", "gateway"
_SLOWEST_S = 1.5
_NEVER_S = 600.0


@dataclass(slots=True)
class Platforms:
    """What the daemons call: their answers are ``chance``, until they are ``calm``."""

    book: Book
    chance: random.Random
    calm: bool = False
    port: int = 0
    moods: dict[str, int] = field(default_factory=dict)
    _gone: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """Return where the platforms listen."""
        return f"http://{LOOPBACK}:{self.port}"

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Platforms"]:
        """Answer until the block ends."""
        app = web.Application()
        app.router.add_route("*", "/cgi-bin/stable_token", _token)
        app.router.add_post("/cgi-bin/message/custom/send", self._wechat)
        app.router.add_post("/gateway", self._gateway)
        app.router.add_route("*", "/{rest:.*}", _fine)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, LOOPBACK, 0)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            self._gone.set()
            await runner.cleanup()

    async def _wechat(self, request: web.Request) -> web.StreamResponse:
        said = json.loads(await request.read())
        words = str(said.get("text", {}).get("content", ""))
        return await self._answer(
            request,
            Called(account=WECHAT, key="", words=words, said=True),
            fine=web.json_response({"errcode": 0, "errmsg": "ok"}),
            busy=web.json_response({"errcode": -1, "errmsg": "system busy"}),
        )

    async def _gateway(self, request: web.Request) -> web.StreamResponse:
        said = json.loads(await request.read())["data"]
        key = request.headers.get("webhook-id", "")
        return await self._answer(
            request,
            Called(account=GATEWAY, key=key, words=str(said.get("text", "")), said=True),
            fine=web.json_response({"id": f"gw-{key}"}),
            busy=web.json_response({}, status=429, headers={"Retry-After": "1"}),
        )

    async def _answer(
        self, request: web.Request, call: Called, *, fine: web.Response, busy: web.Response
    ) -> web.StreamResponse:
        mood = "well" if self.calm else self.chance.choices(*_MOODS)[0]
        self.moods[mood] = self.moods.get(mood, 0) + 1
        unsaid = mood == "busy" or (mood == "broken" and self.chance.random() < 0.5)  # noqa: PLR2004
        self.book.note(
            Called(account=call.account, key=call.key, words=call.words, said=not unsaid)
        )
        match mood:
            case "busy":
                return busy
            case "broken":
                return web.Response(status=500, text="something went wrong")
            case "cut" if request.transport is not None:
                request.transport.abort()
            case "slow":
                await self._wait(self.chance.random() * _SLOWEST_S)
            case "never":
                await self._wait(_NEVER_S)
        return fine

    async def _wait(self, seconds: float) -> None:
        """Let the other side wait, and not longer than the platform stands."""
        try:
            async with asyncio.timeout(seconds):
                await self._gone.wait()
        except TimeoutError:
            return


_MOODS = (("well", "slow", "busy", "broken", "cut", "never"), (76, 8, 6, 5, 3, 2))


async def _token(_request: web.Request) -> web.Response:
    return web.json_response({"access_token": "chaos-token", "expires_in": 7200})


async def _fine(_request: web.Request) -> web.Response:
    return web.json_response({"errcode": 0})
