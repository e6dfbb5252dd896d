"""Single fields of a parsed payload, read with patience: a wrong type is an absent field.

A customer's words must not be lost over a field beside them, so nothing here raises.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters._common.jsonin import read_json
from router.channel.contract import Malformed
from router.domain.content import Content, Place, Unsupported

_EMPTY: Mapping[str, Any] = {}
_DIGITS = 19
_IN_A_SECOND = ((10**15, 10**6), (10**11, 10**3), (0, 1))


def word(fields: Any, *names: str) -> str:
    """Return the first non-empty text under one of ``names``; empty if there is none."""
    if isinstance(fields, Mapping):
        for name in names:
            value = fields.get(name)
            if isinstance(value, str) and value:
                return value
    return ""


def inside(fields: Any, name: str) -> Mapping[str, Any]:
    """Return the object under ``name``, also if it stands there as JSON in a text."""
    value = fields.get(name) if isinstance(fields, Mapping) else None
    return value if isinstance(value, Mapping) else opened(value)


def opened(value: Any) -> Mapping[str, Any]:
    """Return the object that a text holds as JSON; empty if it holds none."""
    if not isinstance(value, str):
        return _EMPTY
    try:
        read = read_json(value.encode("utf-8", "replace"))
    except Malformed:
        return _EMPTY
    return read if isinstance(read, Mapping) else _EMPTY


def many(fields: Any, name: str) -> Sequence[Any]:
    """Return the list under ``name``; empty if there is none."""
    value = fields.get(name) if isinstance(fields, Mapping) else None
    return value if isinstance(value, list) else ()


def moment_of(given: str) -> datetime | None:
    """Return a time given in seconds, milli- or microseconds since 1970, told by its size."""
    if not (given.isascii() and given.isdigit() and len(given) <= _DIGITS):
        return None
    number = int(given)
    parts = next(parts for least, parts in _IN_A_SECOND if number >= least)
    try:
        whole = datetime.fromtimestamp(number // parts, UTC)
        return whole + timedelta(microseconds=number % parts * (10**6 // parts))
    except (ValueError, OverflowError, OSError):
        return None


def place_of(latitude: str, longitude: str, label: str) -> Content:
    """Return the place; if its numbers cannot be read, what it is called."""
    try:
        north, east = float(latitude), float(longitude)
    except ValueError:
        return Unsupported(kind="location", text=label)
    if not (math.isfinite(north) and math.isfinite(east)):
        return Unsupported(kind="location", text=label)
    return Place(latitude=north, longitude=east, label=label)
