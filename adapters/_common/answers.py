"""What a platform's HTTP answer says before its own error codes are looked at."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from adapters._common.jsonin import MAX_BYTES, read_object
from router.channel.contract import Deferred, Malformed, Reply

_SECONDS = re.compile(r"[0-9]{1,6}")
_TOO_MANY = 429
_TIMED_OUT = 408
_SERVER_ERROR = 500


def header(reply: Reply, name: str) -> str:
    """Return a header of the answer, whatever the case of its name; empty if absent."""
    return next((value for key, value in reply.headers.items() if key.lower() == name), "")


def in_trouble(reply: Reply) -> Deferred | None:
    """Return `Deferred` if the platform is overloaded or down, as HTTP itself says it."""
    if reply.status in (_TOO_MANY, _TIMED_OUT) or reply.status >= _SERVER_ERROR:
        given = header(reply, "retry-after").strip()
        seconds = int(given) if _SECONDS.fullmatch(given) else None
        wait = None if seconds is None else timedelta(seconds=seconds)
        return Deferred(why=f"HTTP {reply.status}", retry_after=wait)
    return None


def said(reply: Reply, *, most: int = MAX_BYTES) -> Mapping[str, Any]:
    """Return the JSON object in the answer, numbers as text; empty if it holds none.

    ``most`` is how many bytes are read at all.
    """
    try:
        return read_object(reply.body, max_bytes=most)
    except Malformed:
        return {}
