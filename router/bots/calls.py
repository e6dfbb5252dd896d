"""One call to a bot: a POST of JSON, its answer read within a limit, its failures named."""

from collections.abc import Mapping
from typing import Any, TypeVar

import aiohttp
import msgspec

from router.service.botport import BotFailed

T = TypeVar("T")
#: The largest answer of a bot, in bytes.
MOST_BYTES = 256 * 1024
_CHUNK = 16 * 1024
_OK = 200
_BUSY = 429
_DENIED = frozenset({401, 403})
_JSON = frozenset({"application/json", "text/json"})


async def post(
    session: aiohttp.ClientSession, url: str, body: bytes, headers: Mapping[str, str]
) -> bytes:
    """Send ``body`` and return what came back with a 200; raises BotFailed with a code.

    The time limit is the caller's. No redirect is followed: a key reaches no other host.
    """
    try:
        async with session.post(
            url,
            data=body,
            headers={"content-type": "application/json", **headers},
            allow_redirects=False,
        ) as answer:
            if answer.status != _OK:
                raise BotFailed(_named(answer.status))
            if answer.content_type not in _JSON:
                raise BotFailed("bot_malformed")
            return await _whole(answer)
    except (aiohttp.ClientError, OSError, ValueError):
        raise BotFailed("bot_unreachable") from None


def _named(status: int) -> str:
    if status in _DENIED:
        return "bot_denied"
    return "bot_busy" if status == _BUSY else "bot_error"


async def _whole(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > MOST_BYTES:
            raise BotFailed("bot_malformed")
    return bytes(body)


def read(body: bytes | str, kind: type[T]) -> T:
    """Return an answer as ``kind``; raises BotFailed if it is something else."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise BotFailed("bot_malformed") from None


def dump(value: Any) -> bytes:
    """Return a request as JSON."""
    return msgspec.json.encode(value)
