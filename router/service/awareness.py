"""News of a complaint: whoever holds the person is told, bots step back, offers are made anew.

Every path on which a person's open cases can grow ends here: a complaint that was read, a case
written by hand or reopened, a merge that reveals one.
"""

from dataclasses import replace
from datetime import datetime

from router.domain.conversation import (
    Conversation,
    HandToHuman,
    Offered,
    Queued,
    Release,
    WithAgent,
    WithBot,
    step,
)
from router.domain.events import Happened
from router.domain.ids import CaseId, ContactId
from router.domain.policy import ShopPolicy
from router.service.delivery import hold_promotions
from router.service.records import Alert
from router.service.unit import Unit


def reveal(unit: Unit, contact: ContactId, *, policy: ShopPolicy, at: datetime) -> None:
    """Everybody who has the person in hand learns of the open cases, if there are any."""
    cases = unit.cases.open_of(unit.contacts.members(contact))
    if cases:
        alert_holders(unit, contact, kind="complaint_revealed", at=at, case=cases[0].id)
        recompute(unit, contact, policy=policy, at=at)


def alert_holders(
    unit: Unit, contact: ContactId, *, kind: str, at: datetime, case: CaseId | None
) -> None:
    """Tell every agent who has the person in hand that there is news of a complaint."""
    for held in unit.conversations.of(unit.contacts.members(contact), open_only=True):
        if isinstance(held.state, WithAgent):
            agent = held.state.agent
            unit.journal.alert(
                Alert(
                    id=unit.new_id(),
                    at=at,
                    agent=agent,
                    kind=kind,
                    conversation=held.id,
                    case=case,
                    facts={},
                    seen_at=None,
                )
            )
            unit.record(
                Happened(
                    kind="alert_raised",
                    agent=agent,
                    conversation=held.id,
                    contact=contact,
                    case=case,
                    facts={"alert": kind},
                ),
                at=at,
            )


def warn(unit: Unit, contact: ContactId, *, case: CaseId, at: datetime) -> None:
    """Tell who has a person in hand of a complaint that is probably theirs; bots step back."""
    alert_holders(unit, contact, kind="complaint_probable", at=at, case=case)
    hold_promotions(unit, contact, at=at)
    for held in unit.conversations.of(unit.contacts.members(contact), open_only=True):
        if isinstance(held.state, WithBot):
            from_bot(unit, held, why="probable_case", at=at)
        elif held.bot_ok:
            _log_triaged(unit, unit.conversations.save(replace(held, bot_ok=False)), at=at)


def recompute(unit: Unit, contact: ContactId, *, policy: ShopPolicy, at: datetime) -> None:
    """Bring a person's open conversations up to date with the person's open cases.

    Nothing promotional goes out to them any more.
    """
    members = unit.contacts.members(contact)
    cases = unit.cases.open_of(members)
    if cases:
        hold_promotions(unit, contact, at=at)
    worst = max((case.severity for case in cases), default=0)
    for held in unit.conversations.of(members, open_only=True):
        changed = _with_needs(held, worst, policy) if worst else held
        if isinstance(held.state, WithBot) and cases:
            from_bot(unit, changed, why="open_case", at=at)
        elif isinstance(held.state, Offered) and cases:
            withdraw(unit, changed, why="complaint", at=at)
        elif changed != held:
            unit.conversations.save(changed)
            _log_triaged(unit, changed, at=at)
        elif isinstance(held.state, Queued):
            _log_triaged(unit, held, at=at)


def _with_needs(held: Conversation, worst: int, policy: ShopPolicy) -> Conversation:
    needs = {need.skill: need for need in held.needs}
    for need in policy.complaint_needs[worst]:
        if need.skill not in needs or needs[need.skill].least < need.least:
            needs[need.skill] = need
    return replace(held, needs=frozenset(needs.values()), bot_ok=False)


def withdraw(unit: Unit, held: Conversation, *, why: str, at: datetime) -> Conversation:
    """Take an offer back, so that it is made anew with what is known now."""
    if not isinstance(held.state, Offered):
        return held
    reservation, agent = held.state.reservation, held.state.agent
    unit.workforce.end_reservation(reservation, how="withdrawn", at=at)
    state = step(held.state, Release(reservation=reservation, at=at))
    saved = unit.conversations.save(replace(held, state=state))
    unit.record(
        Happened(
            kind="offer_withdrawn",
            contact=held.contact,
            conversation=held.id,
            agent=agent,
            facts={"reservation": reservation, "why": why},
        ),
        at=at,
    )
    return saved


def from_bot(unit: Unit, held: Conversation, *, why: str, at: datetime) -> Conversation:
    """Take a conversation from the bot and put it in line, from when the contact began to wait."""
    if not isinstance(held.state, WithBot):
        return held
    state = step(held.state, HandToHuman(at=held.waiting_since or at))
    saved = unit.conversations.save(replace(held, state=state, bot_ok=False))
    unit.record(
        Happened(
            kind="handed_to_human",
            contact=held.contact,
            conversation=held.id,
            facts={"why": why},
        ),
        at=at,
    )
    return saved


def _log_triaged(unit: Unit, held: Conversation, *, at: datetime) -> None:
    unit.record(
        Happened(kind="conversation_triaged", contact=held.contact, conversation=held.id), at=at
    )
