"""``pam.transcript/1`` and the ``meta`` of an uploaded file, as structs; and cues, once parsed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

SCHEMA = "pam.transcript/1"
_WEEK = 7 * 24 * 3600 * 1000

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Name = Annotated[str, Meta(max_length=128)]
Role = Literal["agent", "customer", "bot", "system", "unknown"]


class Participant(Struct):
    """One speaker of the call."""

    id: Id
    role: Role
    name: Name = ""
    phone: Name = ""


class TurnIn(Struct):
    """One segment. Offsets in milliseconds from the start of the call."""

    participant: Id
    begin_ms: Annotated[int, Meta(ge=0, le=_WEEK)]
    text: str
    end_ms: Annotated[int, Meta(ge=-_WEEK, le=_WEEK)] | None = None
    id: Id | None = None
    final: bool = True
    confidence: float | None = None


class About(Struct):
    """What is known of a call apart from its words: the ``meta`` of a file."""

    call_id: Id | None = None
    started_at: Annotated[datetime, Meta(tz=True)] | None = None
    language: Annotated[str, Meta(max_length=35)] = ""
    direction: Literal["inbound", "outbound"] = "inbound"
    caller: Name = ""
    callee: Name = ""
    participants: list[Participant] = field(default_factory=list)
    complete: bool | None = None


class Document(About):
    """A whole call, or some more turns of one."""

    schema: str = SCHEMA
    turns: list[TurnIn] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """What one voice says in one cue of a file; ``begin`` and ``end`` in milliseconds."""

    begin: int
    end: int
    text: str
    voice: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cues:
    """A parsed file. ``call_id`` is what a comment in the file says, or ""."""

    cues: tuple[Cue, ...]
    warnings: tuple[str, ...] = ()
    call_id: str = ""
