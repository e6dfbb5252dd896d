"""The contract's values as plain JSON data and back: what ``decode`` prints and cases are made of.

A value is an object with its class in ``type``; a content is an object with its ``kind`` (the kind
of a `Media` is image, voice, video or file; the platform's word of an `Unsupported` is ``what``).
Times are RFC 3339 in UTC, durations are seconds, bytes that are not UTF-8 stand as ``…_b64``.
"""

import base64
import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any, TypeGuard, TypeVar, get_args

import msgspec

from router.channel.contract import Audience, Outbound, Speaker
from router.domain.content import (
    Content,
    Link,
    Media,
    MediaKind,
    Menu,
    Place,
    Pressed,
    Text,
    Unsupported,
)

T = TypeVar("T")
_CONTENTS: Mapping[type[Content], str] = {
    Text: "text",
    Place: "place",
    Link: "link",
    Pressed: "pressed",
    Menu: "menu",
    Unsupported: "unsupported",
}
_CLASSES: Mapping[str, type[Content]] = {kind: made for made, kind in _CONTENTS.items()}
_SURROGATES = re.compile("[\ud800-\udfff]")


class BadShape(Exception):
    """Plain data does not describe the value that it should; the message names the field."""


def in_full(value: object) -> Any:
    """Return ``value`` as plain data with every field."""
    return _plain(value, lambda _field, _value: True)


def in_short(value: object) -> Any:
    """Return ``value`` as plain data without the fields that hold their default."""
    return _plain(value, _says_something)


def content_from(plain: Any) -> Content:
    """Return the content that ``plain`` describes, or raise `BadShape`."""
    if not isinstance(plain, Mapping) or not isinstance(plain.get("kind"), str):
        raise BadShape("content: expected an object with a kind, such as kind = text")
    rest = dict(plain)
    kind = rest.pop("kind")
    if kind in set(MediaKind):
        return _made(Media, {**rest, "kind": kind})
    if kind not in _CLASSES:
        allowed = ", ".join((*_CLASSES, *MediaKind))
        raise BadShape(f"content.kind: there is no {kind!r}; allowed are {allowed}")
    if kind == "unsupported" and "what" in rest:
        rest["kind"] = rest.pop("what")
    return _made(_CLASSES[kind], rest)


class _OutboundForm(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    content: Any
    recipient: str = "recipient"
    id: str = "m1"
    at: datetime | None = None
    by: Speaker = Speaker.AGENT
    speaker_name: str = ""
    thread: str = ""
    audience: Audience = Audience.PRIVATE
    reply_handle: str = ""
    reply_to: str = ""
    conversation: str = ""
    seq: int = 0


def outbound_from(plain: Any, *, at: datetime) -> Outbound:
    """Return the message to send that ``plain`` describes; ``at`` if it gives no time."""
    form = _made(_OutboundForm, plain)
    given = {name: getattr(form, name) for name in form.__struct_fields__}
    return Outbound(**{**given, "content": content_from(form.content), "at": form.at or at})


def time_text(moment: datetime) -> str:
    """Return an aware time as RFC 3339 in UTC, such as 2025-10-09T08:53:20Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def body_fields(name: str, body: bytes) -> dict[str, str]:
    """Return bytes as one text field, in Base64 under another name if they are not UTF-8."""
    try:
        return {name: body.decode()}
    except UnicodeDecodeError:
        return {f"{name}_b64": base64.b64encode(body).decode()}


def _made(made: type[T], plain: Any) -> T:
    try:
        return msgspec.convert(plain, made)
    except (msgspec.ValidationError, TypeError) as error:
        raise BadShape(str(error)) from error


def _plain(value: object, keep: Callable[["Field[Any]", object], bool]) -> Any:  # noqa: PLR0911
    """Return plain data; one return for each kind of value."""
    match value:
        case Enum():
            return value.value
        case str():
            return _SURROGATES.sub("\ufffd", value)
        case datetime():
            return time_text(value)
        case timedelta():
            return value.total_seconds()
        case date():
            return value.isoformat()
        case Mapping():
            return {str(key): _plain(held, keep) for key, held in value.items()}
        case AbstractSet():
            return sorted(_plain(held, keep) for held in value)
        case tuple() | list():
            return [_plain(held, keep) for held in value]
        case _ if _is_instance(value):
            return _object(value, keep)
        case _:
            return value


def _is_instance(value: object) -> TypeGuard[Any]:
    return is_dataclass(value) and not isinstance(value, type)


def _object(value: Any, keep: Callable[["Field[Any]", object], bool]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for field in fields(value):
        held = getattr(value, field.name)
        if not keep(field, held):
            continue
        if isinstance(held, bytes):
            shown.update(body_fields(field.name, held))
        else:
            shown[field.name] = _plain(held, keep)
    return _named(value, shown)


def _named(value: Any, shown: dict[str, Any]) -> dict[str, Any]:
    if isinstance(value, Media):
        return shown
    if isinstance(value, Unsupported):
        return {"kind": "unsupported", "what": shown.pop("kind"), **shown}
    if isinstance(value, get_args(Content)):
        return {"kind": _CONTENTS[type(value)], **shown}
    return {"type": type(value).__name__, **shown}


def _says_something(field: "Field[Any]", value: object) -> bool:
    if field.default is not MISSING:
        return bool(value != field.default)
    if field.default_factory is not MISSING:
        return bool(value != field.default_factory())
    return True
