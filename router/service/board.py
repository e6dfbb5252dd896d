"""What supervisors and agents look at: values built for pages and the API alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from router.channel.contract import Capabilities
from router.domain.case import Case
from router.domain.content import plain_text
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
from router.domain.ids import (
    AccountName,
    AgentId,
    CaseId,
    ContactId,
    ConversationId,
)
from router.domain.policy import QueuePolicy, ShopPolicy
from router.domain.timeline import Direction, Interaction
from router.domain.workforce import Agent
from router.service.contacts import Person, person
from router.service.records import (
    Alert,
    DecisionRecord,
    OutboxRow,
    OutboxState,
    RawDelivery,
    Reservation,
)
from router.service.reply import ReplyRoom, reply_room
from router.service.suspect import probable_cases
from router.service.unit import Unit

#: How many conversations one list of the board shows; the rest is counted.
MOST = 300
#: Among how many interactions the contact's last words are looked for.
_LOOK_BACK = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCard:
    """A case with the names that a page shows."""

    case: Case
    contact: ContactId  # the root
    contact_name: str
    owner_name: str
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A conversation in a list. ``due_at`` is when its contact should have an answer.

    ``last`` is what the contact said last, in words; empty if it was no words.
    """

    conversation: Conversation
    contact: ContactId  # the root
    contact_name: str
    vip: bool
    agent: AgentId | None
    agent_name: str
    cases: tuple[CaseCard, ...]
    within: timedelta
    due_at: datetime | None
    late: bool
    last: str

    @property
    def severity(self) -> int:
        """Return the worst open case of the person; 0 without one."""
        return max((each.case.severity for each in self.cases), default=0)


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


def _severity_order(card: Card) -> tuple[object, ...]:
    held = card.conversation
    since = held.state.since if isinstance(held.state, Queued | Offered) else held.opened_at
    return (card.severity == 0, -held.priority, -card.severity, since, held.id)


def board(
    unit: Unit,
    *,
    me: AgentId,
    policy: ShopPolicy,
    weights: Mapping[AccountName, float],
    at: datetime,
) -> Board:
    """Return the supervisor's view of queues, conversations, agents and cases."""
    names = {agent.id: agent.name for agent in unit.workforce.all()}
    conversations = unit.conversations.open()
    cards = _cards(unit, conversations, names=names, policy=policy, at=at)
    waiting = sorted(
        (card for card in cards if isinstance(card.conversation.state, Queued)),
        key=_severity_order,
    )
    in_hand = [
        card
        for card in cards
        if isinstance(card.conversation.state, Offered | WithAgent | WrapUp | Parked)
    ]
    with_bot = [card for card in cards if isinstance(card.conversation.state, WithBot)]
    cases = tuple(_case_card(unit, case, names, at) for case in unit.cases.all_open())
    return Board(
        at=at,
        queues=_lines(policy, cards, cases),
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


def _cards(
    unit: Unit,
    conversations: tuple[Conversation, ...],
    *,
    names: Mapping[AgentId, str],
    policy: ShopPolicy,
    at: datetime,
) -> tuple[Card, ...]:
    persons: dict[ContactId, tuple[ContactId, str, bool]] = {}
    for each in conversations:
        if each.contact not in persons:
            known = person_line(unit, each.contact)
            persons[each.contact] = known
    cases = unit.cases.open_of_persons(tuple(persons))
    return tuple(
        _card(
            unit,
            each,
            persons[each.contact],
            cases.get(each.contact, ()),
            names=names,
            policy=policy,
            at=at,
        )
        for each in conversations
    )


def cards_of(
    unit: Unit, conversations: tuple[Conversation, ...], *, policy: ShopPolicy, at: datetime
) -> tuple[Card, ...]:
    """Return conversations as lists show them, with the open complaints of each person."""
    names = {agent.id: agent.name for agent in unit.workforce.all()}
    return _cards(unit, conversations, names=names, policy=policy, at=at)


def case_cards(unit: Unit, cases: tuple[Case, ...], *, at: datetime) -> tuple[CaseCard, ...]:
    """Return cases with the names that a list shows."""
    names = {agent.id: agent.name for agent in unit.workforce.all()}
    return tuple(_case_card(unit, case, names, at) for case in cases)


def person_line(unit: Unit, contact: ContactId) -> tuple[ContactId, str, bool]:
    """Return (root, best known name, vip) of the person that ``contact`` belongs to."""
    root = unit.contacts.get(unit.contacts.get(contact).root)
    name = root.name
    if not name:
        known = unit.contacts.identities(unit.contacts.members(root.id))
        name = next((each.name for each in known if each.name), "")
    return root.id, name, root.vip


def _card(
    unit: Unit,
    held: Conversation,
    known: tuple[ContactId, str, bool],
    cases: tuple[Case, ...],
    *,
    names: Mapping[AgentId, str],
    policy: ShopPolicy,
    at: datetime,
) -> Card:
    root, name, vip = known
    within = policy.queue(held.queue).answer_within
    if cases:
        within = min(within, policy.routing.complaint_within)
    due_at = held.waiting_since + within if held.waiting_since else None
    agent = responsible(held.state)
    return Card(
        conversation=held,
        contact=root,
        contact_name=name,
        vip=vip,
        agent=agent,
        agent_name=names.get(agent, "") if agent else "",
        cases=tuple(
            CaseCard(
                case=case,
                contact=root,
                contact_name=name,
                owner_name=names.get(case.owner, "") if case.owner else "",
                late=case.due_at is not None and case.due_at < at,
            )
            for case in cases
        ),
        within=within,
        due_at=due_at,
        late=due_at is not None and due_at < at,
        last=_last_words(unit, held),
    )


def _last_words(unit: Unit, held: Conversation) -> str:
    said = unit.conversations.said_in(held.id, limit=_LOOK_BACK)
    words = (plain_text(each.content) for each in reversed(said) if each.direction is Direction.IN)
    return next((each for each in words if each), "")


def _case_card(unit: Unit, case: Case, names: Mapping[AgentId, str], at: datetime) -> CaseCard:
    root, name, _vip = person_line(unit, case.contact)
    return CaseCard(
        case=case,
        contact=root,
        contact_name=name,
        owner_name=names.get(case.owner, "") if case.owner else "",
        late=case.due_at is not None and case.due_at < at,
    )


def _lines(
    policy: ShopPolicy, cards: tuple[Card, ...], cases: tuple[CaseCard, ...]
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


# ----- the desk ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStory:
    """An open case with the customer's own words that belong to it, from every channel."""

    card: CaseCard
    words: tuple[Interaction, ...]
    probable: str = ""  # the evidence, if the person is only probably the one who complained
    proposal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferCard:
    """An offer as the agent sees it, complaints first, before accepting."""

    reservation: Reservation
    card: Card
    stories: tuple[CaseStory, ...]
    last: tuple[Interaction, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What stands on an agent's desk."""

    me: Agent
    offers: tuple[OfferCard, ...]
    mine: tuple[Card, ...]
    cases: tuple[CaseCard, ...]
    alerts: tuple[Alert, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenConversation:
    """A conversation laid open: what was said in it, and the person's whole history."""

    card: Card
    said: tuple[Interaction, ...]
    timeline: tuple[Interaction, ...]  # every channel, newest first
    stories: tuple[CaseStory, ...]
    person: Person
    room: ReplyRoom
    decisions: tuple[DecisionRecord, ...]
    agent_names: Mapping[AgentId, str]


def desk(unit: Unit, *, me: AgentId, policy: ShopPolicy, at: datetime) -> Desk:
    """Return what stands on an agent's desk: offers, conversations, own cases, alerts."""
    agent = unit.workforce.get(me)
    names = {each.id: each.name for each in unit.workforce.all()}
    held = unit.conversations.held_by(me)
    cards = _cards(unit, held, names=names, policy=policy, at=at)
    offers = tuple(
        _offer(unit, card, names, at)
        for card in sorted(cards, key=_severity_order)
        if isinstance(card.conversation.state, Offered)
    )
    mine = tuple(card for card in cards if not isinstance(card.conversation.state, Offered))
    cases = tuple(
        _case_card(unit, case, names, at) for case in unit.cases.all_open() if case.owner == me
    )
    alerts = unit.journal.alerts(me, supervisor=agent.supervises())
    return Desk(me=agent, offers=offers, mine=mine, cases=cases, alerts=alerts)


def _offer(unit: Unit, card: Card, names: Mapping[AgentId, str], at: datetime) -> OfferCard:
    state = card.conversation.state
    if not isinstance(state, Offered):
        raise TypeError("only an offered conversation has an offer")
    return OfferCard(
        reservation=unit.workforce.reservation(state.reservation),
        card=card,
        stories=stories(unit, card.conversation.contact, names=names, at=at),
        last=unit.conversations.said_in(card.conversation.id, limit=5),
    )


def stories(
    unit: Unit, contact: ContactId, *, names: Mapping[AgentId, str], at: datetime
) -> tuple[CaseStory, ...]:
    """Return the person's open cases with the words that made them.

    After them stand the cases of those who are probably the same person, marked as such.
    """
    members = unit.contacts.members(contact)
    certain = tuple(
        CaseStory(card=_case_card(unit, case, names, at), words=_words_of(unit, case))
        for case in unit.cases.open_of(members)
    )
    probable = tuple(
        CaseStory(
            card=_case_card(unit, case, names, at),
            words=_words_of(unit, case),
            probable=proposal.evidence,
            proposal=proposal.id,
        )
        for proposal, case in probable_cases(unit, contact)
    )
    return (*certain, *probable)


def _words_of(unit: Unit, case: Case) -> tuple[Interaction, ...]:
    links = unit.cases.links(case.id)[-10:]
    return tuple(unit.conversations.interaction(link.interaction) for link in links)


def open_conversation(
    unit: Unit,
    *,
    conversation: ConversationId,
    policy: ShopPolicy,
    capabilities: Mapping[AccountName, Capabilities],
    at: datetime,
) -> OpenConversation:
    """Lay a conversation open, with the cross-channel history; raises NotFound."""
    held = unit.conversations.get(conversation)
    names = {each.id: each.name for each in unit.workforce.all()}
    (card,) = _cards(unit, (held,), names=names, policy=policy, at=at)
    members = unit.contacts.members(held.contact)
    able = capabilities.get(held.account) or Capabilities(replies=False)
    return OpenConversation(
        card=card,
        said=unit.conversations.said_in(conversation),
        timeline=unit.conversations.timeline(members, limit=50),
        stories=stories(unit, held.contact, names=names, at=at),
        person=person(unit, held.contact),
        room=reply_room(unit, held, capabilities=able, at=at),
        decisions=unit.journal.decisions(conversation),
        agent_names=names,
    )


def open_cases(unit: Unit, *, at: datetime) -> tuple[CaseCard, ...]:
    """Return every open case, the next due first."""
    names = {each.id: each.name for each in unit.workforce.all()}
    return tuple(_case_card(unit, case, names, at) for case in unit.cases.all_open())


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile:
    """A case laid open: its card, its words and what happened to it."""

    story: CaseStory
    person: Person
    history: tuple[tuple[datetime, str, Mapping[str, object]], ...]


def case_file(unit: Unit, *, case: CaseId, at: datetime) -> CaseFile:
    """Lay a case open; raises NotFound."""
    held = unit.cases.get(case)
    names = {each.id: each.name for each in unit.workforce.all()}
    words = tuple(
        unit.conversations.interaction(link.interaction) for link in unit.cases.links(case)
    )
    return CaseFile(
        story=CaseStory(card=_case_card(unit, held, names, at), words=words),
        person=person(unit, held.contact),
        history=tuple(
            (when, logged.event.kind, logged.event.facts or {})
            for when, logged in unit.journal.history(case=case)
        ),
    )


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
