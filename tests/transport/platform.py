"""A server on the loopback address that answers as WeChat and Weibo do, or as a test wants."""

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web
from aiohttp.test_utils import TestServer

SEND = "/cgi-bin/message/custom/send"
TOKEN = "/cgi-bin/stable_token"
UPLOAD = "/cgi-bin/media/upload"
FETCH = "/cgi-bin/media/get"
PROFILE = "/cgi-bin/user/info"
WEIBO_SEND = "/2/messages/reply.json"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as the platform saw it."""

    path: str
    query: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """Return the words that a WeChat send carries."""
        said: str = json.loads(self.body)["text"]["content"]
        return said

    @property
    def recipient(self) -> str:
        """Return whom a WeChat send is for."""
        to: str = json.loads(self.body)["touser"]
        return to

    @property
    def form(self) -> dict[str, list[str]]:
        """Return the fields of a Weibo send."""
        return parse_qs(self.body.decode())


def says(value: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """Answer with JSON."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(value, status=status, headers=headers)

    return answer


def gives(body: bytes, *, mime: str) -> Answer:
    """Answer with a file."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type=mime)

    return answer


def leads_to(location: str) -> Answer:
    """Answer with a redirect."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"location": location})

    return answer


async def cuts(request: web.Request) -> web.StreamResponse:
    """Take the whole request and cut the connection without a word."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def breaks_off(request: web.Request) -> web.StreamResponse:
    """Cut the connection in the middle of the answer."""
    response = web.StreamResponse(headers={"content-length": "1000"})
    await response.prepare(request)
    await response.write(b'{"errcode":0')
    assert request.transport is not None
    request.transport.abort()
    return response


@dataclass(slots=True)
class Held:
    """Answers only when it is let go; tells when somebody waits."""

    then: Answer
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.asked.set()
        await self.go.wait()
        return await self.then(request)


OK = says({"errcode": 0, "errmsg": "ok"})


@dataclass(slots=True)
class Platform:
    """What the server was asked, and what it will answer; unscripted, all goes well."""

    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    tokens: int = 0
    _script: defaultdict[str, deque[Answer]] = field(default_factory=lambda: defaultdict(deque))

    def will(self, path: str, *answers: Answer) -> None:
        """Answer the next requests to ``path`` so, in order."""
        self._script[path].extend(answers)

    def asked(self, path: str) -> list[Seen]:
        """Return the requests to ``path`` in the order in which they came."""
        return [each for each in self.seen if each.path == path]

    def sent(self) -> list[str]:
        """Return the words of all WeChat sends, accepted or not."""
        return [each.text for each in self.asked(SEND)]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.seen.append(Seen(path=request.path, query=dict(request.query), body=body))
        script = self._script[request.path]
        if script:
            return await script.popleft()(request)
        return await self._usual(request)

    async def _usual(self, request: web.Request) -> web.StreamResponse:
        match request.path:
            case "/cgi-bin/stable_token":
                self.tokens += 1
                given = {"access_token": f"token-{self.tokens}", "expires_in": 7200}
                return web.json_response(given)
            case "/2/messages/reply.json":
                return web.json_response({"result": True})
            case _:
                return await OK(request)


@asynccontextmanager
async def a_platform() -> AsyncIterator[Platform]:
    """Run a platform until the end of the block."""
    platform = Platform()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", platform.handle)
    async with TestServer(app, host="127.0.0.1") as server:
        platform.url = str(server.make_url("")).rstrip("/")
        yield platform
