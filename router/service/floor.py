"""The floor as the tables have it, read for all or for some conversations."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from router.domain.case import Case
from router.domain.contact import Contact
from router.domain.conversation import Conversation, Offered, Queued, holder
from router.domain.floor import Change, Entered, Gone, Held, Holding, Staffed, Waiting
from router.domain.ids import AccountName, ContactId, ConversationId
from router.domain.plan import begun, needs_in
from router.domain.policy import ShopPolicy
from router.service.unit import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Changes to the floor, and the last event that they include."""

    seq: int
    changes: tuple[Change, ...]


def look_at_all(unit: Unit, *, policy: ShopPolicy, families: Mapping[AccountName, str]) -> Seen:
    """Return the whole floor: every agent and every open conversation."""
    seq = unit.journal.seq()
    staff = tuple(Staffed(agent=agent) for agent in unit.workforce.all())
    held = unit.conversations.open()
    return Seen(seq=seq, changes=(*staff, *_changes(unit, held, policy, families)))


def look_at(
    unit: Unit,
    ids: Collection[ConversationId],
    *,
    staff: bool,
    policy: ShopPolicy,
    families: Mapping[AccountName, str],
) -> Seen:
    """Return how some conversations stand now (and all agents, if ``staff``)."""
    seq = unit.journal.seq()
    agents = tuple(Staffed(agent=each) for each in unit.workforce.all()) if staff else ()
    found = unit.conversations.some(ids)
    missing = set(ids) - {each.id for each in found}
    gone = tuple(Gone(conversation=each) for each in sorted(missing))
    return Seen(seq=seq, changes=(*agents, *gone, *_changes(unit, found, policy, families)))


def _changes(
    unit: Unit,
    conversations: Collection[Conversation],
    policy: ShopPolicy,
    families: Mapping[AccountName, str],
) -> tuple[Change, ...]:
    persons = _persons(unit, {each.contact for each in conversations if _waits(each)})
    return tuple(_change(persons, each, policy, families) for each in conversations)


def _waits(held: Conversation) -> bool:
    return holder(held.state) is None and isinstance(held.state, Queued)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Person:
    """What routing must know of whoever waits."""

    root: Contact
    case_version: int
    cases: tuple[Case, ...]
    unread: int


def _persons(unit: Unit, contacts: Collection[ContactId]) -> dict[ContactId, _Person]:
    """Return what is known of the persons to whom ``contacts`` belong; few questions for all."""
    if not contacts:
        return {}
    cases = unit.cases.open_of_persons(contacts)
    unread = unit.conversations.unread_of_persons(contacts)
    return {
        contact: _Person(
            root=root, case_version=version, cases=cases[contact], unread=unread[contact]
        )
        for contact, (root, version) in unit.contacts.roots(contacts).items()
    }


def _change(
    persons: Mapping[ContactId, _Person],
    held: Conversation,
    policy: ShopPolicy,
    families: Mapping[AccountName, str],
) -> Change:
    family = families.get(held.account, "im")
    agent = holder(held.state)
    if agent is not None:
        offered = held.state if isinstance(held.state, Offered) else None
        return Held(
            holding=Holding(
                conversation=held.id,
                contact=held.contact,
                agent=agent,
                weight=policy.routing.family_weight[family],
                reservation=offered.reservation if offered else None,
                until=offered.until if offered else None,
            ),
            at=held.state.since,  # type: ignore[union-attr]  # every holding state has it
        )
    if not isinstance(held.state, Queued):
        return Gone(conversation=held.id)
    return Entered(waiting=_entry(persons[held.contact], held, family=family, policy=policy))


def waiting_entry(unit: Unit, held: Conversation, *, family: str, policy: ShopPolicy) -> Waiting:
    """Return a queued conversation as routing sees it, with the person's open complaints."""
    person = _persons(unit, (held.contact,))[held.contact]
    return _entry(person, held, family=family, policy=policy)


def _entry(person: _Person, held: Conversation, *, family: str, policy: ShopPolicy) -> Waiting:
    since = held.state.since if isinstance(held.state, Queued) else held.opened_at
    plan, begins = held.plan, False
    if plan is None or plan.queue != held.queue:
        plan = begun(held.queue, policy.queue(held.queue).plan, since)
        begins = plan is not None
    return Waiting(
        conversation=held.id,
        contact=person.root.id,
        queue=held.queue,
        channel=held.channel,
        family=family,
        language=held.language,
        needs=held.needs if plan is None else needs_in(held.needs, plan.step),
        since=since,
        priority=held.priority,
        vip=person.root.vip,
        upset=held.flagged,
        severity=max((case.severity for case in person.cases), default=0),
        cases=len(person.cases),
        case_version=person.case_version,
        unread=person.unread,
        bot_ok=held.bot_ok,
        previous=held.previous_agent,
        excluded=held.excluded,
        plan=plan,
        begins_plan=begins,
    )
