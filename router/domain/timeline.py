"""The timeline: interactions, each one thing said or done on one channel at one time."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from router.domain.content import Content
from router.domain.ids import (
    AccountName,
    ChannelName,
    ContactId,
    ConversationId,
    InteractionId,
    PublicationId,
)
from router.domain.reading import Reading


class Direction(StrEnum):
    """Which way it went."""

    IN = "in"  # the contact said or did it
    OUT = "out"  # our side said it through us
    ELSEWHERE = "elsewhere"  # our side said it, not through us
    INTERNAL = "internal"  # a note between colleagues, or a fact about the conversation


class Kind(StrEnum):
    """What sort of interaction it is."""

    MESSAGE = "message"
    COMMENT = "comment"
    TURN = "turn"
    CALL = "call"
    FOLLOW = "follow"
    SHOP = "shop"
    RATING = "rating"
    NOTE = "note"


class Sending(StrEnum):
    """How far something of ours has come; ``NONE`` for everything else."""

    NONE = ""
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    REFUSED = "refused"
    DEAD = "dead"
    DOUBT = "in_doubt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One message, comment, call segment or note.

    ``at`` is the platform's time, ``received_at`` ours. ``seq`` numbers the interactions of one
    conversation from 1. ``author`` is an agent's id, ``bot``, ``system`` or empty for the contact.
    ``sources`` are the publications that an answer of ours came from.
    """

    id: InteractionId
    contact: ContactId
    conversation: ConversationId
    channel: ChannelName
    account: AccountName
    external_id: str
    direction: Direction
    kind: Kind
    author: str
    author_name: str
    content: Content
    at: datetime
    received_at: datetime
    seq: int
    public: bool
    final: bool
    sending: Sending
    why: str
    edited_at: datetime | None
    recalled_at: datetime | None
    reading: Reading | None
    unread: bool
    sources: tuple[PublicationId, ...] = ()
