"""How the daemon and a reader's process speak: MessagePack, each frame after its length."""

import struct
from typing import Final

import msgspec

from router.domain.knowledge import Answerable, Candidate
from router.service.hearing import Heard, Run

#: Bytes of the length before each frame: unsigned, big end first.
HEAD: Final = struct.Struct(">I")
#: A longer frame is a fault and not a message.
MOST: Final = 64 * 1024 * 1024


class Read(msgspec.Struct, frozen=True, tag=True):
    """Read these runs."""

    runs: tuple[Run, ...]


class Find(msgspec.Struct, frozen=True, tag=True):
    """Find the articles that may answer a question."""

    question: str
    language: str
    limit: int


class Learn(msgspec.Struct, frozen=True, tag=True):
    """Know these articles from now on. Answered at once; the index follows in the background."""

    articles: tuple[Answerable, ...]


Asked = Read | Find | Learn


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The first frame: who reads here. ``warning`` says what is missing, or is empty."""

    reader: str
    warning: str


class Done(msgspec.Struct, frozen=True, tag=True):
    """What was heard in each run."""

    heard: tuple[tuple[Heard, ...], ...]


class Found(msgspec.Struct, frozen=True, tag=True):
    """The articles; None while none are known."""

    candidates: tuple[Candidate, ...] | None


class Noted(msgspec.Struct, frozen=True, tag=True):
    """The articles will be known."""


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The reader raised; ``kind`` names the class, the traceback stands on standard error."""

    kind: str


Answered = Ready | Done | Found | Noted | Failed

_encode = msgspec.msgpack.Encoder().encode
_asked: msgspec.msgpack.Decoder[Asked] = msgspec.msgpack.Decoder(Asked)
_answered: msgspec.msgpack.Decoder[Answered] = msgspec.msgpack.Decoder(Answered)


def asked_in(frame: bytes) -> Asked:
    """Return what the daemon asks; raises ``msgspec.DecodeError``."""
    return _asked.decode(frame)


def answered_in(frame: bytes) -> Answered:
    """Return what the process answers; raises ``msgspec.DecodeError``."""
    return _answered.decode(frame)


def framed(message: Asked | Answered) -> bytes:
    """Return ``message`` as it goes over the pipe."""
    body = _encode(message)
    return HEAD.pack(len(body)) + body
