"""What the API says of lists and desks: shapes of the views that services build."""

from datetime import datetime
from typing import Any, Self

from router.service.board import Board
from router.service.cards import Card, CaseCard
from router.service.desktop import Desk, OfferCard
from router.service.stories import CaseStory
from router.web.api.shapes import (
    AgentShape,
    AlertShape,
    CaseShape,
    ConversationShape,
    InteractionShape,
    Shape,
)


class CaseCardShape(Shape, frozen=True):
    """A case with the names that a list shows."""

    case: CaseShape
    contact: str
    contact_name: str
    owner_name: str
    late: bool

    @classmethod
    def of(cls, value: CaseCard) -> Self:
        """Return the card."""
        return cls(
            case=CaseShape.of(value.case),
            contact=value.contact,
            contact_name=value.contact_name,
            owner_name=value.owner_name,
            late=value.late,
        )


class CardShape(Shape, frozen=True):
    """A conversation in a list, with the person's open complaints."""

    conversation: ConversationShape
    contact: str
    contact_name: str
    vip: bool
    agent: str | None
    agent_name: str
    severity: int
    due_at: datetime | None
    late: bool
    last: str
    cases: tuple[CaseCardShape, ...]

    @classmethod
    def of(cls, value: Card) -> Self:
        """Return the card."""
        return cls(
            conversation=ConversationShape.of(value.conversation),
            contact=value.contact,
            contact_name=value.contact_name,
            vip=value.vip,
            agent=value.agent,
            agent_name=value.agent_name,
            severity=value.severity,
            due_at=value.due_at,
            late=value.late,
            last=value.last,
            cases=tuple(map(CaseCardShape.of, value.cases)),
        )


class StoryShape(Shape, frozen=True):
    """A case with the customer's own words, from every channel.

    ``probable`` is the evidence if the person is only probably the one who complained, and
    ``proposal`` what to accept or reject then.
    """

    card: CaseCardShape
    words: tuple[InteractionShape, ...]
    probable: str = ""
    proposal: str = ""

    @classmethod
    def of(cls, value: CaseStory) -> Self:
        """Return the story."""
        return cls(
            card=CaseCardShape.of(value.card),
            words=tuple(map(InteractionShape.of, value.words)),
            probable=value.probable,
            proposal=value.proposal,
        )


class OfferShape(Shape, frozen=True):
    """An offer as the agent sees it before accepting: complaints first."""

    reservation: str
    offered_at: datetime
    until: datetime
    card: CardShape
    stories: tuple[StoryShape, ...]
    last: tuple[InteractionShape, ...]

    @classmethod
    def of(cls, value: OfferCard) -> Self:
        """Return the offer."""
        return cls(
            reservation=value.reservation.id,
            offered_at=value.reservation.offered_at,
            until=value.reservation.until,
            card=CardShape.of(value.card),
            stories=tuple(map(StoryShape.of, value.stories)),
            last=tuple(map(InteractionShape.of, value.last)),
        )


class DeskShape(Shape, frozen=True):
    """What stands on an agent's desk."""

    me: AgentShape
    offers: tuple[OfferShape, ...]
    mine: tuple[CardShape, ...]
    cases: tuple[CaseCardShape, ...]
    alerts: tuple[AlertShape, ...]

    @classmethod
    def of(cls, value: Desk) -> Self:
        """Return the desk."""
        return cls(
            me=AgentShape.of(value.me),
            offers=tuple(map(OfferShape.of, value.offers)),
            mine=tuple(map(CardShape.of, value.mine)),
            cases=tuple(map(CaseCardShape.of, value.cases)),
            alerts=tuple(map(AlertShape.of, value.alerts)),
        )


class QueueShape(Shape, frozen=True):
    """A queue in numbers; ``answer_within`` in seconds, ``opens_at`` while it is closed."""

    name: str
    title: dict[str, str]
    answer_within: float
    share: float
    waiting: int
    late: int
    longest_since: datetime | None
    with_bot: int
    in_hand: int
    cases: int
    opens_at: datetime | None

    @classmethod
    def of(cls, value: Any) -> Self:
        """Return a `router.service.board.QueueLine`, flat."""
        counted = ("waiting", "late", "longest_since", "with_bot", "in_hand", "cases", "opens_at")
        return cls(
            name=value.policy.name,
            title=dict(value.policy.title),
            answer_within=value.policy.answer_within.total_seconds(),
            share=value.policy.share,
            **{name: getattr(value, name) for name in counted},
        )


class AgentCardShape(Shape, frozen=True):
    """An agent and what they hold; ``load`` is in shares of attention."""

    agent: AgentShape
    load: float
    offered: int
    in_hand: int
    wrap_up: int
    parked: int
    cases: int

    @classmethod
    def of(cls, value: Any) -> Self:
        """Return a `router.service.board.AgentCard`."""
        counted = ("load", "offered", "in_hand", "wrap_up", "parked", "cases")
        return cls(
            agent=AgentShape.of(value.agent),
            **{name: getattr(value, name) for name in counted},
        )


class BoardShape(Shape, frozen=True):
    """The supervisor's view."""

    at: datetime
    queues: tuple[QueueShape, ...]
    waiting: tuple[CardShape, ...]
    in_hand: tuple[CardShape, ...]
    with_bot: tuple[CardShape, ...]
    agents: tuple[AgentCardShape, ...]
    cases: tuple[CaseCardShape, ...]
    alerts: tuple[AlertShape, ...]
    waiting_total: int
    outbox: dict[str, int]
    unreadable: int

    @classmethod
    def of(cls, value: Board) -> Self:
        """Return the board."""
        return cls(
            at=value.at,
            queues=tuple(map(QueueShape.of, value.queues)),
            waiting=tuple(map(CardShape.of, value.waiting)),
            in_hand=tuple(map(CardShape.of, value.in_hand)),
            with_bot=tuple(map(CardShape.of, value.with_bot)),
            agents=tuple(map(AgentCardShape.of, value.agents)),
            cases=tuple(map(CaseCardShape.of, value.cases)),
            alerts=tuple(map(AlertShape.of, value.alerts)),
            waiting_total=value.waiting_total,
            outbox=dict(value.outbox),
            unreadable=value.unreadable,
        )
