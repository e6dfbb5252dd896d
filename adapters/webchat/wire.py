"""The frames of ``pam.v1`` that a browser sends, as structs; unknown fields are passed over."""

import re
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from router.channel.contract import Malformed

Key = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,128}$")]
Seq = Annotated[int, Meta(ge=0, lt=1 << 53)]
Short = Annotated[str, Meta(max_length=512)]
F = TypeVar("F", bound=Struct)
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


class Head(Struct):
    """What every frame has. ``id`` is the sender's own, repeated in the answer."""

    op: Short
    v: int = 1
    id: Short = ""


class Identity(Struct):
    """Who the visitor says to be; ``mode`` decides which of the others count.

    ``as_visitor`` asks to go on under the server's id of this browser, where the conversation of
    a stranger who signed in is.
    """

    mode: str = "anonymous"
    token: str = ""
    identifier: Short = ""
    hash: Annotated[str, Meta(max_length=128)] = ""
    name: Short = ""
    as_visitor: bool = False


class Resume(Struct):
    """From where missed messages are wanted."""

    conversation_id: Short | None = None
    last_seq: Seq = 0


class Hello(Struct):
    """The first frame."""

    identity: Identity = msgspec.field(default_factory=Identity)
    device: Short = ""
    locale: Annotated[str, Meta(max_length=35)] = ""
    resume: Resume | None = None


class Attachment(Struct):
    """A file that was posted to the address of an ``upload`` frame; ``ref`` is its answer."""

    ref: Annotated[str, Meta(min_length=1, max_length=512)]
    name: Short = ""
    mime: Annotated[str, Meta(max_length=128)] = ""
    size: Seq = 0


class Press(Struct):
    """An option of a menu that was pressed."""

    payload: Short
    label: Short = ""


class Send(Struct):
    """Something said. ``type``: text, image, voice, video, file or press."""

    client_msg_id: Key
    type: Short = "text"
    text: str = ""
    attachment: Attachment | None = None
    press: Press | None = None
    reply_to: Short = ""


class Read(Struct):
    """Everything up to ``seq`` was seen; ``ts`` is the time in that message's frame (ms)."""

    seq: Seq
    ts: Seq | None = None


class Recall(Struct):
    """An own message taken back: by the id we gave, or by the one the browser gave."""

    message_id: Short = ""
    client_msg_id: Key | None = None


class Rate(Struct):
    """A score for a conversation; 1 is worst, 5 is best."""

    score: Annotated[int, Meta(ge=1, le=5)]
    comment: Annotated[str, Meta(max_length=4000)] = ""
    conversation_id: Short = ""


class UploadRequest(Struct):
    """A wish to post one file; ``size`` in bytes."""

    name: Annotated[str, Meta(min_length=1, max_length=255)]
    size: Annotated[int, Meta(gt=0, lt=1 << 40)]
    mime: Annotated[str, Meta(max_length=128)] = "application/octet-stream"


def read(body: bytes, kind: type[F]) -> F:
    """Return ``body`` as a frame of ``kind``, or raise `Malformed` with the path of the fault.

    A NUL, which no database takes, becomes U+FFFD.
    """
    try:
        return msgspec.json.decode(_NUL.sub(rb"\1\\ufffd", body), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"frame is not readable: {error}") from error


def write(frame: dict[str, Any]) -> bytes:
    """Return ``frame`` as UTF-8 JSON."""
    return msgspec.json.encode(frame)
