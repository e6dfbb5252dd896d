"""What Weibo pushes, as one struct; ids are text, and dates are read without any locale.

https://open.weibo.com/wiki/Receive_General_Message
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec

from adapters._common.jsonin import read_json, read_object
from adapters._common.xmlin import read_xml
from router.channel.contract import Malformed

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(
    r"[A-Z][a-z]{2} (?P<month>[A-Z][a-z]{2}) +(?P<day>[0-9]{1,2}) "
    r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2}) "
    r"(?P<sign>[+-])(?P<offset>[0-9]{4}) (?P<year>[0-9]{4})"
)


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """One message or event. ``data`` is what ``type`` makes of it."""

    type: str
    sender_id: str
    created_at: str
    receiver_id: str = ""
    text: str = ""
    data: dict[str, Any] = {}

    @property
    def at(self) -> datetime:
        """Return when it was said, or raise `Malformed`."""
        return read_date(self.created_at)

    def datum(self, name: str) -> str:
        """Return one text of ``data``; empty if it is absent or something else."""
        value = self.data.get(name, "")
        return value if isinstance(value, str) else ""

    @property
    def canonical(self) -> str:
        """Return text and data in one fixed spelling, so that a second copy has the same hash."""
        return json.dumps([self.text, self.data], ensure_ascii=True, sort_keys=True)


def read_push(body: bytes) -> Push:
    """Return the push in a JSON or XML body, or raise `Malformed`."""
    fields = dict(read_xml(body) if body.lstrip()[:1] == b"<" else read_object(body))
    fields["data"] = _data(fields.get("data"))
    try:
        push = msgspec.convert(fields, Push)
    except msgspec.ValidationError as error:
        raise Malformed(f"not a push as Weibo documents it: {error}") from error
    if not push.sender_id:
        raise Malformed("sender_id is empty")
    return push


def _data(given: Any) -> Mapping[str, Any]:
    """Return ``data``, which may be an object, JSON in a text, or nothing."""
    if isinstance(given, str) and given.strip():
        given = read_json(given.encode("utf-8", "replace"))
    if isinstance(given, dict):
        return given
    return {} if not given else {"data": given}


def read_date(given: str) -> datetime:
    """Return a date such as ``Mon Jul 16 18:09:20 +0800 2012``, or raise `Malformed`."""
    found = _DATE.fullmatch(given.strip())
    if found is None or found["month"] not in _MONTHS:
        raise Malformed("created_at must be a date such as Mon Jul 16 18:09:20 +0800 2012")
    offset = timedelta(hours=int(found["offset"][:2]), minutes=int(found["offset"][2:]))
    try:
        return datetime(
            int(found["year"]),
            _MONTHS.index(found["month"]) + 1,
            int(found["day"]),
            int(found["hour"]),
            int(found["minute"]),
            int(found["second"]),
            tzinfo=timezone(offset if found["sign"] == "+" else -offset),
        ).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Malformed(f"created_at is no date: {error}") from error
