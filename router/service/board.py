"""The supervisor's view: queues, conversations, agents and cases; and what went wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from router.domain.conversation import (
    Conversation,
    Offered,
    Parked,
    Queued,
    WithAgent,
    WithBot,
    WrapUp,
    holder,
    responsible,
)
from router.domain.ids import AccountName, AgentId
from router.domain.policy import QueuePolicy, ShopPolicy
from router.domain.workforce import Agent
from router.service.cards import Card, CaseCard, cards_of, case_cards, urgency
from router.service.records import Alert, OutboxRow, OutboxState, RawDelivery
from router.service.unit import Unit

#: How many conversations one list of the board shows; the rest is counted.
MOST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLine:
    """A queue in numbers."""

    policy: QueuePolicy
    waiting: int
    late: int
    longest_since: datetime | None
    with_bot: int
    in_hand: int
    cases: int
    opens_at: datetime | None = None  # closed now: when it opens


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCard:
    """An agent and what they hold. ``load`` and ``capacity`` are in shares of attention."""

    agent: Agent
    load: float
    offered: int
    in_hand: int
    wrap_up: int
    parked: int
    cases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The supervisor's view."""

    at: datetime
    queues: tuple[QueueLine, ...]
    waiting: tuple[Card, ...]  # the next to be answered first
    in_hand: tuple[Card, ...]  # offered, with an agent, wrap-up, parked
    with_bot: tuple[Card, ...]
    agents: tuple[AgentCard, ...]
    cases: tuple[CaseCard, ...]  # the next due first
    alerts: tuple[Alert, ...]
    waiting_total: int
    outbox: Mapping[str, int]
    unreadable: int


def board(
    unit: Unit,
    *,
    me: AgentId,
    policy: ShopPolicy,
    weights: Mapping[AccountName, float],
    at: datetime,
) -> Board:
    """Return the supervisor's view of queues, conversations, agents and cases."""
    conversations = unit.conversations.open()
    cards = cards_of(unit, conversations, policy=policy, at=at)
    waiting = sorted(
        (card for card in cards if isinstance(card.conversation.state, Queued)),
        key=urgency,
    )
    in_hand = [
        card
        for card in cards
        if isinstance(card.conversation.state, Offered | WithAgent | WrapUp | Parked)
    ]
    with_bot = [card for card in cards if isinstance(card.conversation.state, WithBot)]
    cases = case_cards(unit, unit.cases.all_open(), at=at)
    return Board(
        at=at,
        queues=_lines(policy, cards, cases, at),
        waiting=tuple(waiting[:MOST]),
        in_hand=tuple(in_hand[:MOST]),
        with_bot=tuple(with_bot[:MOST]),
        agents=_agents(unit, conversations, cases, weights),
        cases=cases,
        alerts=unit.journal.alerts(me, supervisor=True),
        waiting_total=len(waiting),
        outbox=unit.outbox.counts(),
        unreadable=len(unit.journal.deliveries(state="unreadable")),
    )


def _lines(
    policy: ShopPolicy, cards: tuple[Card, ...], cases: tuple[CaseCard, ...], at: datetime
) -> tuple[QueueLine, ...]:
    lines = []
    for queue in policy.queues.values():
        here = [card for card in cards if policy.queue(card.conversation.queue) is queue]
        line = [card for card in here if isinstance(card.conversation.state, Queued)]
        since = [
            card.conversation.state.since
            for card in line
            if isinstance(card.conversation.state, Queued)
        ]
        lines.append(
            QueueLine(
                policy=queue,
                waiting=len(line),
                late=sum(card.late for card in line),
                longest_since=min(since, default=None),
                with_bot=sum(isinstance(card.conversation.state, WithBot) for card in here),
                in_hand=sum(card.agent is not None for card in here),
                cases=sum(each.case.queue == queue.name for each in cases),
                opens_at=None if queue.hours.is_open(at) else queue.hours.after(at, timedelta(0)),
            )
        )
    return tuple(lines)


def _agents(
    unit: Unit,
    conversations: tuple[Conversation, ...],
    cases: tuple[CaseCard, ...],
    weights: Mapping[AccountName, float],
) -> tuple[AgentCard, ...]:
    cards = []
    for agent in unit.workforce.all():
        if not agent.active:
            continue
        mine = [each for each in conversations if responsible(each.state) == agent.id]
        load = sum(
            weights.get(each.account, 0.25) for each in mine if holder(each.state) is not None
        )
        cards.append(
            AgentCard(
                agent=agent,
                load=load,
                offered=sum(isinstance(each.state, Offered) for each in mine),
                in_hand=sum(isinstance(each.state, WithAgent) for each in mine),
                wrap_up=sum(isinstance(each.state, WrapUp) for each in mine),
                parked=sum(isinstance(each.state, Parked) for each in mine),
                cases=sum(each.case.owner == agent.id for each in cases),
            )
        )
    return tuple(cards)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What an operator must look at: answers that did not go out, deliveries nobody could read."""

    outbox: tuple[OutboxRow, ...]
    unreadable: tuple[RawDelivery, ...]
    ignored: Mapping[tuple[AccountName, str], int]


def trouble(unit: Unit) -> Trouble:
    """Return what did not go out, and what could not be read."""
    return Trouble(
        outbox=unit.outbox.listed(
            (OutboxState.DEAD, OutboxState.REFUSED, OutboxState.IN_DOUBT, OutboxState.QUEUED)
        ),
        unreadable=unit.journal.deliveries(state="unreadable"),
        ignored=unit.journal.counts(),
    )
