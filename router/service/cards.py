"""Conversations and cases as every list shows them: with names, complaints and what is due."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from router.domain.case import Case
from router.domain.conversation import Conversation, Offered, Queued, responsible
from router.domain.ids import AgentId, ContactId
from router.domain.policy import ShopPolicy
from router.service.records import PersonLine
from router.service.unit import Unit

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


def urgency(card: Card) -> tuple[object, ...]:
    """Return what cards are sorted by: complaints, then priority, then who waits longest."""
    held = card.conversation
    since = held.state.since if isinstance(held.state, Queued | Offered) else held.opened_at
    return (card.severity == 0, -held.priority, -card.severity, since, held.id)


def cards_of(
    unit: Unit, conversations: Collection[Conversation], *, policy: ShopPolicy, at: datetime
) -> tuple[Card, ...]:
    """Return conversations as lists show them, with the open complaints of each person."""
    contacts = {each.contact for each in conversations}
    persons = unit.contacts.lines(contacts)
    cases = unit.cases.open_of_persons(contacts)
    last = unit.conversations.last_words([each.id for each in conversations], among=_LOOK_BACK)
    names = agent_names(unit)
    return tuple(
        _card(
            each,
            persons[each.contact],
            cases.get(each.contact, ()),
            last=last.get(each.id, ""),
            names=names,
            policy=policy,
            at=at,
        )
        for each in conversations
    )


def case_cards(unit: Unit, cases: Collection[Case], *, at: datetime) -> tuple[CaseCard, ...]:
    """Return cases with the names that a list shows."""
    persons = unit.contacts.lines({case.contact for case in cases})
    names = agent_names(unit)
    return tuple(_case_card(case, persons[case.contact], names, at) for case in cases)


def agent_names(unit: Unit) -> Mapping[AgentId, str]:
    """Return the name of everybody who works or worked here."""
    return unit.workforce.names()


def open_cases(unit: Unit, *, at: datetime) -> tuple[CaseCard, ...]:
    """Return every open case, the next due first."""
    return case_cards(unit, unit.cases.all_open(), at=at)


def _card(
    held: Conversation,
    known: PersonLine,
    cases: tuple[Case, ...],
    *,
    last: str,
    names: Mapping[AgentId, str],
    policy: ShopPolicy,
    at: datetime,
) -> Card:
    within = policy.answer_within(held.queue, held.channel, complains=bool(cases))
    due_at = None
    if held.waiting_since is not None:
        due_at = policy.due(held.queue, held.channel, held.waiting_since, complains=bool(cases))
    agent = responsible(held.state)
    return Card(
        conversation=held,
        contact=known.root,
        contact_name=known.name,
        vip=known.vip,
        agent=agent,
        agent_name=names.get(agent, "") if agent else "",
        cases=tuple(_case_card(case, known, names, at) for case in cases),
        within=within,
        due_at=due_at,
        late=due_at is not None and due_at < at,
        last=last,
    )


def _case_card(
    case: Case, known: PersonLine, names: Mapping[AgentId, str], at: datetime
) -> CaseCard:
    return CaseCard(
        case=case,
        contact=known.root,
        contact_name=known.name,
        owner_name=names.get(case.owner, "") if case.owner else "",
        late=case.due_at is not None and case.due_at < at,
    )
