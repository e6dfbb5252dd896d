"""Records that services keep and stores hold, beside the domain's values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from router.channel.contract import Call, Outbound
from router.domain.content import Content
from router.domain.identity import Claim, Identity
from router.domain.ids import (
    AccountName,
    AgentId,
    CaseId,
    ContactId,
    ConversationId,
    InteractionId,
    MediaId,
    OutboxId,
    PublicationId,
    QueueName,
    ReservationId,
)
from router.domain.reading import Labels, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownIdentity:
    """An identity with the contact that holds it (its origin, never rewritten by a merge)."""

    identity: Identity
    contact: ContactId
    name: str
    following: bool
    first_seen_at: datetime
    last_seen_at: datetime
    profile_asked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownClaim:
    """A claim with the identity it was made of."""

    identity: Identity
    contact: ContactId
    claim: Claim
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a conversation stands, for those who must be told of it."""

    account: AccountName
    external_id: str
    agent: AgentId | None
    agent_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLine:
    """A person in a list: the root contact, the best name that is known (or none), standing."""

    root: ContactId
    name: str
    vip: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A conversation that is over, as figures count it; ``person`` is the root contact."""

    conversation: ConversationId
    person: ContactId
    channel: str
    queue: QueueName
    opened_at: datetime
    closed_at: datetime
    first_answer_at: datetime | None
    disposition: str


class OutboxState(StrEnum):
    """Where an answer of ours stands.

    ``SENDING`` means that a call may have left; after a crash it becomes ``IN_DOUBT`` unless the
    platform takes an idempotency key. ``DEAD`` is the dead-letter list.
    """

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    DEAD = "dead"
    IN_DOUBT = "in_doubt"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """One answer: what to say, the calls that say it (encoded once), and how far it has come.

    ``claimed_by`` is the daemon that sends it now. ``leaving`` is set in a commit before its next
    call is carried and cleared by the platform's answer: between the two it may have arrived.
    What is ``promotional`` does not leave while its recipient has an open complaint.
    """

    id: OutboxId
    interaction: InteractionId
    conversation: ConversationId
    account: AccountName
    message: Outbound
    calls: tuple[Call, ...]
    next_call: int
    state: OutboxState
    attempts: int
    created_at: datetime
    next_at: datetime
    why: str
    reason: str
    settled_at: datetime | None
    claimed_by: str = ""
    leaving: bool = False
    promotional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWindow:
    """A reply window that stands open."""

    source: str
    kind: str
    closes_at: datetime
    sends_left: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """The record that holds a place with an agent. ``ended`` is empty while it is live."""

    id: ReservationId
    conversation: ConversationId
    agent: AgentId
    weight: float
    offered_at: datetime
    until: datetime
    ended: str
    ended_at: datetime | None
    seen_seq: int
    fence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRecord:
    """A decision as it was taken: what, for whom, and because of what (see `domain.routing`).

    ``seen_seq`` is the last event that it had seen; ``cases`` are the person's open cases that it
    had on its floor.
    """

    id: str
    at: datetime
    kind: str
    conversation: ConversationId
    agent: AgentId | None
    reservation: ReservationId | None
    because: Mapping[str, Any]
    seen_seq: int
    cases: tuple[CaseId, ...]


#: The kind of alert that says that a platform's clock on our answer is nearly over.
ANSWER_DUE = "answer_due"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something that somebody must look at now; ``agent`` None means every supervisor."""

    id: str
    at: datetime
    agent: AgentId | None
    kind: str
    conversation: ConversationId | None
    case: CaseId | None
    facts: Mapping[str, Any]
    seen_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawDelivery:
    """A delivery as it came. ``state`` is taken, unreadable or replayed."""

    id: str
    account: AccountName
    at: datetime
    state: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyChange:
    """An edit (with content) or a recall (without) that came before its message."""

    target: str
    at: datetime
    content: Content | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLink:
    """An interaction that belongs to a case."""

    case: CaseId
    interaction: InteractionId
    conversation: ConversationId
    severity: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRow:
    """A media file: wanted from the platform, stored with us, or refused with a reason."""

    id: MediaId
    account: AccountName
    interaction: InteractionId | None
    state: str
    content: Content | None
    mime: str
    name: str
    size: int
    sha256: str
    attempts: int
    next_at: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationUse:
    """An answer that came from a publication; ``author`` is an agent's id or ``bot``."""

    publication: PublicationId
    interaction: InteractionId
    conversation: ConversationId
    author: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """A bearer token of the API; only its SHA-256 is kept."""

    id: str
    agent: AgentId
    name: str
    created_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What sign-in needs to know of a person."""

    agent: AgentId
    password_hash: str
    must_change_password: bool
    session_epoch: int
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who may do what only one may do; ``fence`` grows with every new holder."""

    name: str
    holder: str
    fence: int
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """How a colleague says that a message is to be read: a labelled example.

    ``text`` is what the message said then; ``before`` is the reading that was corrected.
    """

    id: str
    interaction: InteractionId
    contact: ContactId
    at: datetime
    by: AgentId
    text: str
    labels: Labels
    before: Reading | None
