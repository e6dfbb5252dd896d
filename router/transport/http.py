"""One pooled client session: a call is carried and its answer read, within limits.

It follows no redirect and keeps no cookie, so a credential reaches no other host. It knows no
platform; what an answer means is for the adapter to say.
"""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import aiohttp
import stamina
from aiohttp.abc import AbstractResolver
from yarl import URL

from router.channel.contract import HttpCall, Reply
from router.transport.settings import TransportSettings

_CONNECTIONS = 100
#: Idle connections are closed before platforms tend to close theirs: a POST on a connection that
#: closes at that instant is a POST of which nobody knows whether it arrived.
_KEEP_ALIVE = 10.0
_CHUNK = 64 * 1024
_GET_ATTEMPTS = 3


class NotSent(Exception):
    """The call has not left: nobody was reached. Trying again can double nothing."""


class Doubtful(Exception):
    """The call may have left, and no whole answer came back."""


class Http:
    """Carries calls. Made by `open_http`; used from one event loop."""

    def __init__(self, session: aiohttp.ClientSession, settings: TransportSettings) -> None:
        self._session, self._settings = session, settings

    async def carry(self, call: HttpCall, *, most: int | None = None) -> Reply:
        """Send ``call`` and return the answer, of whatever status.

        ``most`` is the largest answer in bytes, if not that of the settings. Raises `NotSent` if
        nothing has left and `Doubtful` if it may have; their words hold no address or credential.
        """
        trace = SimpleNamespace(left=False)
        try:
            async with (
                asyncio.timeout(self._settings.total.total_seconds()),
                self._session.request(
                    call.method,
                    URL(call.url, encoded=call.url.isascii()),  # as it was signed
                    headers=call.headers,
                    data=io.BytesIO(call.body) if call.body else None,
                    allow_redirects=False,
                    trace_request_ctx=trace,
                ) as response,
            ):
                body = await _whole(response, most or self._settings.most_answer)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Reply(status=response.status, body=body, headers=headers)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            why = type(error).__name__
            raise (Doubtful(why) if trace.left else NotSent(why)) from None

    async def get(self, call: HttpCall, *, most: int | None = None) -> Reply:
        """Carry a call that changes nothing, and again if no answer came.

        Raises what `carry` raises, after the last attempt.
        """
        async for attempt in stamina.retry_context(
            on=(NotSent, Doubtful),
            attempts=_GET_ATTEMPTS,
            timeout=None,
            wait_initial=self._settings.first_wait.total_seconds() / 20,
            wait_max=self._settings.first_wait.total_seconds(),
        ):
            with attempt:
                return await self.carry(call, most=most)
        raise AssertionError("unreachable")


async def _whole(response: aiohttp.ClientResponse, most: int) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > most:
            raise aiohttp.ClientPayloadError("the answer is too large")
    return bytes(body)


@asynccontextmanager
async def open_http(
    settings: TransportSettings, *, resolver: AbstractResolver | None = None
) -> AsyncIterator[Http]:
    """Open the session until the end of the block; ``resolver`` may refuse addresses."""
    connector = aiohttp.TCPConnector(
        limit=_CONNECTIONS, keepalive_timeout=_KEEP_ALIVE, resolver=resolver
    )
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(
            total=settings.total.total_seconds(),
            connect=settings.connect.total_seconds(),
        ),
        trace_configs=[_trace()],
        headers={"user-agent": "Mainstem"},
    ) as session:
        yield Http(session, settings)


def _trace() -> aiohttp.TraceConfig:
    """Return what notes, for each call, that its first bytes are about to leave."""
    trace = aiohttp.TraceConfig()

    async def leaves(_session: Any, context: SimpleNamespace, _: Any) -> None:
        if context.trace_request_ctx is not None:
            context.trace_request_ctx.left = True

    trace.on_request_headers_sent.append(leaves)
    return trace
