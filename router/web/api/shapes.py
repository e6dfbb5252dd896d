"""What the API says: structs, filled from the domain's values field by field."""

from datetime import datetime
from typing import Any, Self

import msgspec

from router.domain.case import CaseStatus, Resolution
from router.domain.content import (
    Content,
    Link,
    Media,
    Menu,
    Place,
    Pressed,
    Text,
    Unsupported,
    plain_text,
)
from router.domain.conversation import Conversation, State
from router.domain.identity import ClaimKind
from router.domain.reading import Alarm, EntityKind, Intent, Trend
from router.domain.timeline import Direction, Interaction, Kind, Sending
from router.domain.workforce import Presence, Role


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the API says."""

    @classmethod
    def of(cls, value: Any) -> Self:
        """Return the shape of a value that has the same fields."""
        return msgspec.convert(value, cls, from_attributes=True)


class NeedShape(Shape, frozen=True):
    """A skill and the least proficiency wanted."""

    skill: str
    least: int
    hard: bool


class AgentShape(Shape, frozen=True):
    """A person who answers."""

    id: str
    login: str
    name: str
    role: Role
    skills: dict[str, int]
    families: frozenset[str]
    languages: frozenset[str]
    groups: frozenset[str]
    capacity: float
    presence: Presence
    presence_since: datetime
    active: bool


class StateShape(Shape, frozen=True):
    """Where a conversation stands; fields that its state does not have are null."""

    kind: str
    since: datetime | None = None
    until: datetime | None = None
    agent: str | None = None
    reservation: str | None = None

    @classmethod
    def of(cls, value: State) -> Self:
        """Return the state with just the fields that it has."""
        known = ("since", "until", "agent", "reservation")
        given = {name: getattr(value, name) for name in known if hasattr(value, name)}
        return cls(kind=type(value).__name__, **given)


class MoodShape(Shape, frozen=True):
    """How the customer fares: ``anger`` 0 calm to 3 furious, ``again`` asks the same again."""

    anger: int
    trend: Trend
    again: bool
    repeats: int
    escalate: bool


class ConversationShape(Shape, frozen=True):
    """A run of interactions on one account, until wrap-up."""

    id: str
    contact: str
    channel: str
    account: str
    external_id: str
    thread: str
    queue: str
    needs: tuple[NeedShape, ...]
    language: str
    priority: int
    public: bool
    opened_at: datetime
    waiting_since: datetime | None
    first_answer_at: datetime | None
    last_in_at: datetime | None
    last_out_at: datetime | None
    wants_human: bool
    flagged: bool
    subject: str
    disposition: str
    disposition_note: str
    closed_at: datetime | None
    last_seq: int
    state: StateShape
    mood: MoodShape

    @classmethod
    def of(cls, value: Conversation) -> Self:
        """Return the conversation; its needs are in order of skill."""
        special = {"state", "needs", "mood"}
        names = [name for name in cls.__struct_fields__ if name not in special]
        return cls(
            **{name: getattr(value, name) for name in names},
            needs=tuple(NeedShape.of(need) for need in sorted(value.needs)),
            state=StateShape.of(value.state),
            mood=MoodShape.of(value.mood),
        )


class OptionShape(Shape, frozen=True):
    """One entry of a menu."""

    id: str
    label: str


class ContentShape(Shape, frozen=True):
    """What an interaction says. ``text`` holds its words, whatever it is.

    ``media`` names a file that we keep: the same token opens ``/media/{media}``.
    """

    kind: str
    text: str
    media: str = ""
    media_kind: str = ""
    name: str = ""
    mime: str = ""
    size: int = 0
    link: str = ""
    latitude: float | None = None
    longitude: float | None = None
    payload: str = ""
    options: tuple[OptionShape, ...] = ()

    @classmethod
    def of(cls, value: Content) -> Self:  # noqa: PLR0911  one shape for each kind of content
        """Return the content as one flat shape."""
        text = plain_text(value)
        match value:
            case Text():
                return cls(kind="text", text=text)
            case Media(kind=kind, name=name, mime=mime, size=size, link=link, stored=stored):
                return cls(
                    kind="media",
                    text=text,
                    media=stored,
                    media_kind=kind.value,
                    name=name,
                    mime=mime,
                    size=size,
                    link=link,
                )
            case Place(latitude=latitude, longitude=longitude):
                return cls(kind="place", text=text, latitude=latitude, longitude=longitude)
            case Link(url=url, title=title):
                return cls(kind="link", text=text, link=url, name=title)
            case Pressed(payload=payload):
                return cls(kind="pressed", text=text, payload=payload)
            case Menu(options=options):
                shown = tuple(OptionShape.of(option) for option in options)
                return cls(kind="menu", text=text, options=shown)
            case Unsupported(kind=kind):
                return cls(kind="unsupported", text=text, name=kind)


class EntityShape(Shape, frozen=True):
    """A number or address in a message."""

    kind: EntityKind
    value: str


class ReadingShape(Shape, frozen=True):
    """What was understood of a message, and by which rules."""

    language: str
    intent: Intent
    complaint: Alarm
    complaint_score: float
    severity: int
    wants_human: bool
    sentiment: float
    entities: tuple[EntityShape, ...]
    because: tuple[str, ...]
    reader: str
    corrected_by: str
    corrected_at: datetime | None


class InteractionShape(Shape, frozen=True):
    """One thing said or done. ``seq`` orders what one conversation holds.

    ``sources`` are the publications that an answer of ours came from.
    """

    id: str
    contact: str
    conversation: str
    channel: str
    account: str
    direction: Direction
    kind: Kind
    author: str
    author_name: str
    at: datetime
    received_at: datetime
    seq: int
    public: bool
    final: bool
    sending: Sending
    why: str
    edited_at: datetime | None
    recalled_at: datetime | None
    unread: bool
    sources: tuple[str, ...]
    content: ContentShape
    reading: ReadingShape | None

    @classmethod
    def of(cls, value: Interaction) -> Self:
        """Return the interaction; what was taken back is empty, as on every page."""
        special = {"content", "reading"}
        names = [name for name in cls.__struct_fields__ if name not in special]
        return cls(
            **{name: getattr(value, name) for name in names},
            content=ContentShape.of(value.content),
            reading=ReadingShape.of(value.reading) if value.reading else None,
        )


class CaseShape(Shape, frozen=True):
    """A complaint. While it is open, exactly one of ``owner`` and ``queue`` is set."""

    id: str
    contact: str
    status: CaseStatus
    severity: int
    topic: str
    summary: str
    order: str
    shop: str
    opened_at: datetime
    conversation: str | None
    owner: str | None
    queue: str | None
    level: int
    due_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str
    resolved_at: datetime | None
    resolved_by: str
    resolution: Resolution | None
    resolution_note: str
    reopened: int
    last_at: datetime | None


class ContactShape(Shape, frozen=True):
    """A person; ``root`` stands for it once it was merged."""

    id: str
    root: str
    name: str
    language: str
    vip: bool
    created_at: datetime
    note: str


class IdentityShape(Shape, frozen=True):
    """How one account knows a person."""

    channel: str
    account: str
    external_id: str
    contact: str
    name: str
    following: bool
    first_seen_at: datetime
    last_seen_at: datetime

    @classmethod
    def of(cls, value: Any) -> Self:
        """Return a known identity, flat."""
        rest = ("contact", "name", "following", "first_seen_at", "last_seen_at")
        return cls(
            channel=value.identity.channel,
            account=value.identity.account,
            external_id=value.identity.external_id,
            **{name: getattr(value, name) for name in rest},
        )


class ClaimShape(Shape, frozen=True):
    """Something said about who a person is."""

    kind: ClaimKind
    value: str
    verified: bool
    source: str
    account: str
    external_id: str
    at: datetime

    @classmethod
    def of(cls, value: Any) -> Self:
        """Return a known claim, flat."""
        return cls(
            kind=value.claim.kind,
            value=value.claim.value,
            verified=value.claim.verified,
            source=value.claim.source,
            account=value.identity.account,
            external_id=value.identity.external_id,
            at=value.at,
        )


class MergeShape(Shape, frozen=True):
    """Two contacts that were made one, and whether that was undone."""

    id: str
    keep: str
    fold: str
    at: datetime
    by: str
    why: str
    undone_at: datetime | None
    undone_by: str


class PersonShape(Shape, frozen=True):
    """Everything that is known of a person, over all merged contacts."""

    contact: ContactShape
    name: str
    members: tuple[str, ...]
    identities: tuple[IdentityShape, ...]
    claims: tuple[ClaimShape, ...]
    merges: tuple[MergeShape, ...]
    cases: tuple[CaseShape, ...]
    conversations: tuple[ConversationShape, ...]

    @classmethod
    def of(cls, value: Any) -> Self:
        """Return a `router.service.contacts.Person`."""
        return cls(
            contact=ContactShape.of(value.contact),
            name=value.name,
            members=value.members,
            identities=tuple(map(IdentityShape.of, value.identities)),
            claims=tuple(map(ClaimShape.of, value.claims)),
            merges=tuple(map(MergeShape.of, value.merges)),
            cases=tuple(map(CaseShape.of, value.cases)),
            conversations=tuple(map(ConversationShape.of, value.conversations)),
        )


class DecisionShape(Shape, frozen=True):
    """A decision as it was taken, with its reasons."""

    id: str
    at: datetime
    kind: str
    conversation: str
    agent: str | None
    reservation: str | None
    because: dict[str, Any]
    seen_seq: int
    cases: tuple[str, ...]


class AlertShape(Shape, frozen=True):
    """Something that somebody must look at now; ``agent`` null means every supervisor."""

    id: str
    at: datetime
    agent: str | None
    kind: str
    conversation: str | None
    case: str | None
    facts: dict[str, Any]
    seen_at: datetime | None


class EventShape(Shape, frozen=True):
    """One entry of the log of what happened."""

    at: datetime
    kind: str
    facts: dict[str, Any]
