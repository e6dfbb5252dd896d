"""The floor as the tables have it, read for all or for some conversations."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from router.domain.conversation import Conversation, Offered, Queued, holder
from router.domain.floor import Change, Entered, Gone, Held, Holding, Staffed, Waiting
from router.domain.ids import AccountName, ConversationId
from router.domain.policy import ShopPolicy
from router.service.ports import NotFound
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
    found: list[Conversation] = []
    gone: list[Change] = []
    for each in ids:
        try:
            found.append(unit.conversations.get(each))
        except NotFound:
            gone.append(Gone(conversation=each))
    return Seen(seq=seq, changes=(*agents, *gone, *_changes(unit, found, policy, families)))


def _changes(
    unit: Unit,
    conversations: Collection[Conversation],
    policy: ShopPolicy,
    families: Mapping[AccountName, str],
) -> tuple[Change, ...]:
    return tuple(_change(unit, each, policy, families) for each in conversations)


def _change(
    unit: Unit,
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
    return Entered(waiting=waiting_entry(unit, held, family=family))


def waiting_entry(unit: Unit, held: Conversation, *, family: str) -> Waiting:
    """Return a queued conversation as routing sees it, with the person's open complaints."""
    members = unit.contacts.members(held.contact)
    root = unit.contacts.get(members[0])
    cases = unit.cases.open_of(members)
    return Waiting(
        conversation=held.id,
        contact=members[0],
        queue=held.queue,
        channel=held.channel,
        family=family,
        language=held.language,
        needs=held.needs,
        since=held.state.since if isinstance(held.state, Queued) else held.opened_at,
        priority=held.priority,
        vip=root.vip,
        upset=held.flagged,
        severity=max((case.severity for case in cases), default=0),
        cases=len(cases),
        case_version=unit.contacts.case_version(held.contact),
        unread=unit.conversations.unread_of(members),
        bot_ok=held.bot_ok,
        previous=held.previous_agent,
        excluded=held.excluded,
    )
