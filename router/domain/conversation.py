"""A conversation and its states: each a class with just the fields that exist in it."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from router.domain.errors import IllegalStep
from router.domain.ids import (
    AccountName,
    AgentId,
    ChannelName,
    ContactId,
    ConversationId,
    QueueName,
    ReservationId,
)
from router.domain.plan import Following
from router.domain.reading import CALM, Mood
from router.domain.workforce import Need


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """In line. ``since`` survives a lapsed offer, so nobody loses a place."""

    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A place is held with an agent, who has until ``until`` to accept."""

    reservation: ReservationId
    agent: AgentId
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WithBot:
    """The bot answers."""

    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WithAgent:
    """An agent has it in hand."""

    agent: AgentId
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapUp:
    """The contact has gone; the agent records what came of it."""

    agent: AgentId
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """Put aside until a time, by the agent who has it; the contact's next word wakes it."""

    agent: AgentId
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Somebody has it outside Mainstem: a call that an agent answered on the phone."""

    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Over. The contact's next word opens another conversation."""

    at: datetime


State: TypeAlias = Queued | Offered | WithBot | WithAgent | WrapUp | Parked | Elsewhere | Closed


# ----- what can happen to it -----------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The router holds a place with an agent."""

    reservation: ReservationId
    agent: AgentId
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept:
    """The agent takes what was offered."""

    reservation: ReservationId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """An offer ends without being taken: declined, lapsed or withdrawn."""

    reservation: ReservationId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HandToBot:
    """The bot takes it from the line."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HandToHuman:
    """The bot gives it to a person: it stands in line, from the time it asked for one."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """An agent or supervisor takes it, wherever it stands."""

    agent: AgentId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Requeue:
    """Back in line: transferred, or taken from an agent by a supervisor."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The conversation itself is over; wrap-up begins."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """The contact writes again during wrap-up, or the time of a parked one has come."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Park:
    """The agent puts it aside until a time."""

    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """Wrap-up is done, the bot is done, or the contact left the line."""

    at: datetime


Step: TypeAlias = (
    Offer
    | Accept
    | Release
    | HandToBot
    | HandToHuman
    | Take
    | Requeue
    | Finish
    | Resume
    | Park
    | Close
)


def step(state: State, event: Step) -> State:  # noqa: C901, PLR0911, PLR0912  one table
    """Return the state after ``event``, or raise `IllegalStep`."""
    match state, event:
        case Queued(since=since), Offer():
            return Offered(
                reservation=event.reservation, agent=event.agent, since=since, until=event.until
            )
        case Offered(reservation=held), Accept(reservation=given) if held == given:
            return WithAgent(agent=state.agent, since=event.at)
        case Offered(reservation=held, since=since), Release(reservation=given) if held == given:
            return Queued(since=since)
        case Queued(), HandToBot():
            return WithBot(since=event.at)
        case WithBot(), HandToHuman():
            return Queued(since=event.at)
        case (
            (Queued() | Offered() | WithBot() | WithAgent() | WrapUp() | Parked() | Elsewhere()),
            Take(),
        ):
            return WithAgent(agent=event.agent, since=event.at)
        case Offered(since=since), Requeue():
            return Queued(since=since)
        case ((WithAgent() | WrapUp() | Parked() | WithBot() | Elsewhere()), Requeue()):
            return Queued(since=event.at)
        case WithAgent(agent=agent), Finish():
            return WrapUp(agent=agent, since=event.at)
        case ((WrapUp(agent=agent) | Parked(agent=agent)), Resume()):
            return WithAgent(agent=agent, since=event.at)
        case WithAgent(agent=agent), Park():
            return Parked(agent=agent, until=event.until)
        case ((Queued() | WithBot() | WrapUp() | Elsewhere()), Close()):
            return Closed(at=event.at)
        case _:
            raise IllegalStep(
                f"cannot {type(event).__name__} a conversation that is {type(state).__name__}"
            )


def holder(state: State) -> AgentId | None:
    """Return the agent whose capacity the conversation takes, if any."""
    match state:
        case Offered(agent=agent) | WithAgent(agent=agent) | WrapUp(agent=agent):
            return agent
        case _:
            return None


def responsible(state: State) -> AgentId | None:
    """Return the agent who sees the conversation on the desk, if any."""
    return state.agent if isinstance(state, Parked) else holder(state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A run of interactions on one account until wrap-up, with what triage made of it.

    ``priority`` is the supervisor's raise, in steps (0 none). ``unread`` counts interactions that
    no reader has seen. ``bot_ok`` says that the bot knows an answer to the last question.
    ``flagged`` says that something in it may be a complaint (`Alarm.WATCH`). ``mood`` is the
    contact's after the latest message that was read.
    """

    id: ConversationId
    contact: ContactId
    channel: ChannelName
    account: AccountName
    external_id: str  # the identity's id on the account
    thread: str
    queue: QueueName
    state: State
    needs: frozenset[Need]
    language: str
    priority: int
    public: bool
    opened_at: datetime
    waiting_since: datetime | None  # the contact's first word that nobody has answered
    first_answer_at: datetime | None
    last_in_at: datetime | None
    last_out_at: datetime | None
    unread: int
    bot_ok: bool
    wants_human: bool
    flagged: bool
    previous_agent: AgentId | None
    excluded: frozenset[AgentId]
    subject: str
    disposition: str
    disposition_note: str
    closed_at: datetime | None
    last_seq: int
    version: int
    mood: Mood = CALM
    plan: Following | None = None
