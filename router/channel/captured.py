"""Reading captured requests, answers and times from plain data; every complaint names its field."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from router.channel.contract import Moment, Reply, Request

NOWHERE = "https://mainstem.invalid"
_MOST_PARAMETERS = 1000
_TIME_HELP = "give a time such as 2025-10-09T08:53:20Z, or seconds since 1970 such as 1760000000"


class BadCapture(Exception):
    """A capture cannot be read; the message names the field and how to mend it."""


def read_time(given: Any, where: str) -> datetime:
    """Return a time given as RFC 3339 with an offset, or in seconds since 1970."""
    try:
        if isinstance(given, datetime) and given.tzinfo is not None:
            return given.astimezone(UTC)
        if isinstance(given, str) and not given.replace(".", "", 1).isdigit():
            read = datetime.fromisoformat(given)
            if read.tzinfo is not None:
                return read.astimezone(UTC)
        elif isinstance(given, int | float | str) and not isinstance(given, bool):
            return datetime.fromtimestamp(float(given), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise BadCapture(f"{where}: {error}; {_TIME_HELP}") from error
    raise BadCapture(f"{where}: {_TIME_HELP}")


def read_request(given: Any, moment: Moment, *, base: str = NOWHERE, where: str) -> Request:
    """Return the request that plain data describes.

    ``path`` is a path or a whole address; ``raw_query`` wins over ``query`` (an object or a list
    of pairs), and either over a query string in the path. Header names lose their case.
    """
    fields = read_object(given, where)
    method = fields.get("method", "POST")
    if not isinstance(method, str) or not method:
        raise BadCapture(f"{where}.method: expected a method such as POST")
    path = fields.get("path", fields.get("url", "/"))
    if not isinstance(path, str):
        raise BadCapture(f"{where}.path: expected a path such as /hooks/wechat")
    address, _, tail = _address(path, base).partition("?")
    query = _query(fields, tail, where)
    return Request(
        method=method.upper(),
        url=f"{address}?{query}" if query else address,
        headers=_headers(fields.get("headers"), where),
        body=_body(fields, where),
        moment=moment,
        query=read_query(query),
    )


def read_query(raw: str) -> tuple[tuple[str, str], ...]:
    """Return the decoded parameters of a raw query string; none if there are far too many."""
    try:
        pairs = parse_qsl(raw, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        return ()
    return tuple(pairs)


def read_reply(given: Any, *, where: str) -> Reply:
    """Return the platform's answer that plain data describes."""
    fields = read_object(given, where)
    status = fields.get("status", 200)
    if not isinstance(status, int) or isinstance(status, bool):
        raise BadCapture(f"{where}.status: expected a number such as 200")
    return Reply(
        status=status, body=_body(fields, where), headers=_headers(fields.get("headers"), where)
    )


def _address(path: str, base: str) -> str:
    if "://" in path.partition("?")[0]:
        return path
    rooted = path if path.startswith("/") else f"/{path}"
    stem = base.rstrip("/")
    inside = urlsplit(stem).path
    if inside and (rooted == inside or rooted.startswith((f"{inside}/", f"{inside}?"))):
        return f"{stem}{rooted.removeprefix(inside)}"
    return f"{stem}{rooted}"


def _query(fields: Mapping[str, Any], tail: str, where: str) -> str:
    raw = fields.get("raw_query")
    if isinstance(raw, str):
        return raw.removeprefix("?")
    if raw is not None:
        raise BadCapture(f"{where}.raw_query: expected text such as signature=…&timestamp=…")
    if fields.get("query") is None:
        return tail
    return urlencode(_pairs(fields["query"], f"{where}.query"), errors="surrogatepass")


def _pairs(given: Any, where: str) -> list[tuple[str, str]]:
    items = list(given.items()) if isinstance(given, Mapping) else given
    if not isinstance(items, list):
        raise BadCapture(f"{where}: expected an object, or a list of pairs of name and value")
    pairs: list[tuple[str, str]] = []
    for item in items:
        if not isinstance(item, Sequence) or isinstance(item, str) or len(item) != len(("k", "v")):
            raise BadCapture(f"{where}: expected pairs of name and value, got {item!r}")
        name, value = item
        for each in value if isinstance(value, list) else (value,):
            if not isinstance(each, str | int | float):
                raise BadCapture(f"{where}.{name}: expected text")
            pairs.append((str(name), str(each)))
    return pairs


def _headers(given: Any, where: str) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in [] if given is None else _pairs(given, f"{where}.headers"):
        known = headers.get(name.lower())
        headers[name.lower()] = value if known is None else f"{known}, {value}"
    return headers


def _body(fields: Mapping[str, Any], where: str) -> bytes:
    text, encoded = fields.get("body"), fields.get("body_b64")
    if text is not None and encoded is not None:
        raise BadCapture(f"{where}: give body or body_b64, not both")
    if isinstance(encoded, str):
        try:
            return base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadCapture(f"{where}.body_b64: expected Base64: {error}") from error
    if encoded is not None or not isinstance(text, str | None):
        raise BadCapture(
            f"{where}.body: expected the raw body as text, exactly as it came; "
            "put other bytes in body_b64"
        )
    return (text or "").encode("utf-8", "surrogatepass")


def read_object(given: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise BadCapture(f"{where}: expected an object, got {_kind(given)}")
    return given


def read_list(given: Any, where: str) -> Sequence[Any]:
    if not isinstance(given, list) or not given:
        raise BadCapture(f"{where}: expected a list with at least one step, got {_kind(given)}")
    return given


def _kind(given: Any) -> str:
    return "nothing" if given is None else type(given).__name__
