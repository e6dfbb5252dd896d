"""Whether a platform lets us write now: its reply windows, and who may read the answer.

What was said in public can be answered in public or, where the platform has a way, in private:
two different sends, each with windows of its own. An answer stays in kind unless somebody chooses.
"""

from dataclasses import dataclass
from datetime import datetime

from router.channel.contract import Audience, Capabilities, Window
from router.domain.conversation import Conversation
from router.domain.errors import CannotReply, Invalid, QuotaUsed, WindowClosed
from router.service.records import OpenWindow
from router.service.unit import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRoom:
    """Whether the platform lets us write now. ``why`` is a stable code when it does not."""

    allowed: bool
    why: str = ""
    closes_at: datetime | None = None
    sends_left: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyWay:
    """One way to answer: who may read it, and whether it is open now."""

    audience: Audience
    room: ReplyRoom


def audiences(held: Conversation, capabilities: Capabilities) -> tuple[Audience, ...]:
    """Return who may read an answer in this conversation, the usual first."""
    return capabilities.public_answers if held.public else (Audience.PRIVATE,)


def audience_of(
    held: Conversation, capabilities: Capabilities, wished: Audience | None
) -> Audience:
    """Return who is to read an answer; raises CannotReply or Invalid if there is no such way."""
    possible = audiences(held, capabilities)
    if not possible:
        raise CannotReply(f"channel {held.channel} takes no answers to what is said in public")
    if wished is None:
        return possible[0]
    if wished not in possible:
        raise Invalid(f"audience: must be one of {', '.join(possible)} in this conversation")
    return wished


def ways(
    unit: Unit, held: Conversation, *, capabilities: Capabilities, at: datetime
) -> tuple[ReplyWay, ...]:
    """Return every way to answer this conversation, the usual first."""
    return tuple(
        ReplyWay(
            audience=each,
            room=reply_room(unit, held, capabilities=capabilities, at=at, audience=each),
        )
        for each in audiences(held, capabilities)
    )


def reply_room(
    unit: Unit,
    conversation: Conversation,
    *,
    capabilities: Capabilities,
    at: datetime,
    audience: Audience | None = None,
) -> ReplyRoom:
    """Return whether and until when this conversation can be answered on its channel."""
    possible = audiences(conversation, capabilities)
    if not capabilities.replies or not possible:
        return ReplyRoom(allowed=False, why=CannotReply.code)
    if not capabilities.windows:
        return ReplyRoom(allowed=True)
    readers = audience or possible[0]
    standing = _standing(unit, conversation, readers, at=at)
    if standing:
        last = max(standing, key=lambda window: window.closes_at)
        counts = [window.sends_left for window in standing]
        left = None if None in counts else sum(count or 0 for count in counts)
        return ReplyRoom(allowed=True, closes_at=last.closes_at, sends_left=left)
    past = unit.outbox.last_window(conversation.account, conversation.external_id)
    if past is not None and past.closes_at > at:
        return ReplyRoom(allowed=False, why=QuotaUsed.code, closes_at=past.closes_at)
    closed_at = past.closes_at if past else None
    return ReplyRoom(allowed=False, why=WindowClosed.code, closes_at=closed_at)


def use_window(
    unit: Unit,
    held: Conversation,
    *,
    capabilities: Capabilities,
    at: datetime,
    audience: Audience,
) -> None:
    """Count one answer against a window; raises CannotReply, WindowClosed or QuotaUsed."""
    room = reply_room(unit, held, capabilities=capabilities, at=at, audience=audience)
    if not room.allowed:
        if room.why == CannotReply.code:
            raise CannotReply(f"channel {held.channel} takes no replies")
        if room.why == QuotaUsed.code:
            raise QuotaUsed("the platform lets us write again once the contact has written")
        raise WindowClosed("the platform's reply window is over; the contact must write first")
    if not capabilities.windows:
        return
    standing = _standing(unit, held, audience, at=at)
    if all(window.sends_left is not None for window in standing):
        unit.outbox.use_window(held.account, standing[0].source, sends=1)


# ----- windows by who may read -------------------------------------------------------------------


def kept_as(window: Window, source: str) -> tuple[str, str]:
    """Return the kind and the source under which a window is stored.

    One that holds for one audience only says so, and one event may open one for each.
    """
    if window.audience is None:
        return window.kind, source
    return f"{window.kind}.{window.audience}", f"{source}.{window.audience}"


def _standing(
    unit: Unit, held: Conversation, audience: Audience, *, at: datetime
) -> tuple[OpenWindow, ...]:
    every = unit.outbox.windows(held.account, held.external_id, at=at)
    return tuple(each for each in every if _holds(each, held, audience))


def _holds(window: OpenWindow, held: Conversation, audience: Audience) -> bool:
    """Return whether a window lets us answer so; a comment's lets us answer only the comment."""
    _, bound, readers = window.kind.rpartition(".")
    return not bound or (held.public and readers == audience)
