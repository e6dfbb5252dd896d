"""The binary frames of Taobao's message channel (TMC): read, and the few that we send, written.

https://open.taobao.com (message service). Little-endian: version, type, then headers up to a zero.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from adapters._common.fields import inside, word
from adapters._common.jsonin import read_object
from adapters._common.wordin import fit
from router.channel.contract import Malformed

_VERSION = 2
_MOST = 1024 * 1024
_DIGITS, _LARGEST = 20, 2**64 - 1
_END, _CUSTOM, _TOKEN = 0, 1, 5
_SIZES = {2: "<B", 3: "<H", 4: "<I", 5: "<Q", 6: "<Q"}
_VOID, _STRING, _BYTES = 0, 1, 7


class FrameType(IntEnum):
    """What a frame is for."""

    CONNECT = 0
    CONNECTED = 1
    SEND = 2
    SENT = 3


class Kind(IntEnum):
    """What a frame of type `FrameType.SEND` is; its header ``__kind``."""

    PULL = 1
    CONFIRM = 2
    DATA = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame. ``content`` holds the custom headers; numbers are numbers, texts are texts."""

    type: int
    token: str = ""
    status: int = 0
    phrase: str = ""
    content: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fields(self) -> Mapping[str, Any]:
        """Return the custom headers as the readers of JSON know them: numbers are texts."""
        return {name: _worded(value) for name, value in self.content.items()}

    @property
    def is_news(self) -> bool:
        """Return whether it carries a message, which is to be confirmed."""
        return self.type == FrameType.SEND and word(self.fields, "__kind") == str(int(Kind.DATA))

    @property
    def name(self) -> str:
        """Return how a frame that carries no message is counted."""
        if self.type == FrameType.CONNECTED and self.status:
            return "frame.refused"
        return f"frame.{_NAMES.get(self.type, 'other')}"

    @property
    def confirmation(self) -> bytes:
        """Return the frame that confirms the message; empty if it has no id to confirm."""
        key = word(self.fields, "id")
        fits = key.isascii() and key.isdigit() and len(key) <= _DIGITS and int(key) <= _LARGEST
        return confirm_frame(self.token, int(key)) if fits else b""


def _worded(value: Any) -> Any:
    if isinstance(value, Mapping | list):
        return value
    if isinstance(value, bytes):
        return fit(value.decode("utf-8", "replace"))
    return "" if value is None else str(value)


_NAMES: Mapping[int, str] = {0: "connect", 1: "connected", 2: "send", 3: "sent"}


def frame_of(body: bytes) -> Frame:
    """Return a frame as it is on the wire, or as a relay has read it already (JSON)."""
    if not body.lstrip().startswith(b"{"):
        return read_frame(body)
    told = read_object(body)
    kind = word(told, "messageType")
    return Frame(
        type=int(kind) if kind in {"0", "1", "2", "3"} else FrameType.SEND,
        token=word(told, "token"),
        content=inside(told, "content") if "__kind" in inside(told, "content") else told,
    )


class _Reader:
    """Takes values off the front of a frame, or raises `Malformed` where it ends too soon."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def number(self, form: str) -> int:
        found: int = struct.unpack(form, self.raw(struct.calcsize(form)))[0]
        return found

    def raw(self, length: int) -> bytes:
        taken = self._data[self._at : self._at + length]
        if len(taken) != length:
            raise Malformed("the frame ends too soon")
        self._at += length
        return taken

    def text(self) -> str:
        return fit(self.raw(self.number("<I")).decode("utf-8", "replace"))

    def value(self) -> int | str | bytes | None:
        form = self.number("<B")
        if form in _SIZES:
            return self.number(_SIZES[form])
        if form == _VOID:
            return None
        if form == _STRING:
            return self.text()
        if form == _BYTES:
            return self.raw(self.number("<I"))
        raise Malformed(f"a value of the unknown format {form}")


def read_frame(data: bytes) -> Frame:
    """Return the frame, or raise `Malformed`."""
    if len(data) > _MOST:
        raise Malformed(f"the frame has {len(data)} bytes, expected at most {_MOST}")
    source = _Reader(data)
    if source.number("<B") != _VERSION:
        raise Malformed("not a frame of version 2")
    kind, token, status, phrase = source.number("<B"), "", 0, ""
    content: dict[str, Any] = {}
    while header := source.number("<H"):
        match header:
            case 1:
                key = source.text()
                content[key] = source.value()
            case 2:
                status = source.number("<I")
            case 3:
                phrase = source.text()
            case 4:
                source.number("<I")
            case 5:
                token = source.text()
            case _:
                raise Malformed(f"a header of the unknown kind {header}")
    return Frame(type=kind, token=token, status=status, phrase=phrase, content=content)


# ----- what we send ------------------------------------------------------------------------------


def connect_frame(content: Mapping[str, str]) -> bytes:
    """Return the frame that opens the connection; it holds a signature and is never stored."""
    headers = b"".join(_custom(key, _text_value(value)) for key, value in content.items())
    return struct.pack("<BB", _VERSION, FrameType.CONNECT) + headers + _number(_END)


def pull_frame(token: str) -> bytes:
    """Return the frame that asks for messages; sent every few seconds, it keeps the socket open."""
    return _send(token, _custom("__kind", _small(Kind.PULL)))


def confirm_frame(token: str, message: int) -> bytes:
    """Return the frame that confirms a message, which otherwise comes again."""
    kind, key = _custom("__kind", _small(Kind.CONFIRM)), _custom("id", _large(message))
    return _send(token, kind + key)


def _send(token: str, headers: bytes) -> bytes:
    head = struct.pack("<BB", _VERSION, FrameType.SEND)
    return head + _number(_TOKEN) + _text(token) + headers + _number(_END)


def _custom(key: str, value: bytes) -> bytes:
    return _number(_CUSTOM) + _text(key) + value


def _number(value: int) -> bytes:
    return struct.pack("<H", value)


def _text(value: str) -> bytes:
    raw = value.encode("utf-8", "replace")
    return struct.pack("<I", len(raw)) + raw


def _text_value(value: str) -> bytes:
    return struct.pack("<B", _STRING) + _text(value)


def _small(value: int) -> bytes:
    return struct.pack("<BB", 2, value)


def _large(value: int) -> bytes:
    return struct.pack("<BQ", 5, value)
