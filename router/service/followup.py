"""After a resolution: the question is planned, and asked where the contact can be answered."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from router.channel.contract import Capabilities
from router.domain.case import Case
from router.domain.conversation import Closed, Conversation
from router.domain.events import Happened
from router.domain.followup import FollowUp, FollowUpState, question
from router.domain.ids import AccountName, CaseId, ContactId
from router.domain.policy import ShopPolicy
from router.service.reply import announce
from router.service.room import reply_room
from router.service.unit import Unit

#: How long until a follow-up that could not be asked is looked at again.
LOOK_AGAIN = timedelta(minutes=5)
#: Among how many conversations of a person the channel to ask on is looked for.
_LOOK_BACK = 50


def plan(unit: Unit, case: Case, *, at: datetime) -> None:
    """Note that the customer is to be asked whether the matter is solved."""
    unit.follow_ups.add(
        FollowUp(
            id=unit.new_id(),
            case=case.id,
            contact=case.contact,
            state=FollowUpState.DUE,
            since=at,
            next_at=at,
        )
    )


def drop(unit: Unit, case: CaseId, *, at: datetime) -> None:
    """Ask no more: the case was opened again."""
    for each in unit.follow_ups.of(case):
        if each.state in {FollowUpState.DUE, FollowUpState.ASKED}:
            _over(unit, each, at=at)


def any_to_ask(unit: Unit, *, at: datetime) -> bool:
    """Return whether `ask_due` has something to look at; it only reads."""
    return bool(unit.follow_ups.due(at, limit=1))


def ask_due(
    unit: Unit,
    *,
    policy: ShopPolicy,
    capabilities: Mapping[AccountName, Capabilities],
    at: datetime,
) -> int:
    """Ask wherever it can be asked now; return how many were asked.

    Nobody is asked while something else is talked about with them, or while another complaint of
    theirs is open. Who cannot be reached within the reply window of any channel is asked after
    the next contact; once the time for a return is over, not at all.
    """
    asked = 0
    for each in unit.follow_ups.due(at):
        if each.since + policy.reopen_within <= at:
            _over(unit, each, at=at)
            continue
        place = _place(unit, each.contact, capabilities=capabilities, at=at)
        if place is None:
            unit.follow_ups.save(replace(each, next_at=at + LOOK_AGAIN))
            continue
        _ask(unit, each, place, policy=policy, able=capabilities[place.account], at=at)
        asked += 1
    return asked


def _over(unit: Unit, follow_up: FollowUp, *, at: datetime) -> None:
    unit.follow_ups.save(replace(follow_up, state=FollowUpState.OVER, settled_at=at))


def _place(
    unit: Unit,
    contact: ContactId,
    *,
    capabilities: Mapping[AccountName, Capabilities],
    at: datetime,
) -> Conversation | None:
    """Return the conversation to ask in: the last channel used that can be answered now."""
    members = unit.contacts.members(contact)
    if unit.cases.open_of(members) or unit.conversations.of(members, open_only=True, limit=1):
        return None
    held = [
        each
        for each in unit.conversations.of(members, limit=_LOOK_BACK)
        if each.last_in_at is not None and not each.public and isinstance(each.state, Closed)
    ]
    for each in _once_each(sorted(held, key=lambda one: one.last_in_at or at, reverse=True)):
        able = capabilities.get(each.account)
        if able is not None and reply_room(unit, each, capabilities=able, at=at).allowed:
            return each
    return None


def _once_each(held: list[Conversation]) -> Iterator[Conversation]:
    seen: set[tuple[str, str]] = set()
    for each in held:
        if (each.account, each.external_id) not in seen:
            seen.add((each.account, each.external_id))
            yield each


def _ask(
    unit: Unit,
    follow_up: FollowUp,
    place: Conversation,
    *,
    policy: ShopPolicy,
    able: Capabilities,
    at: datetime,
) -> None:
    said = announce(
        unit,
        conversation=place.id,
        content=question(follow_up.id, place.language),
        name=policy.shop.get("en" if place.language == "en" else "zh", ""),
        capabilities=able,
        at=at,
        key=f"followup:{follow_up.id}",
    )
    unit.follow_ups.save(
        replace(
            follow_up,
            state=FollowUpState.ASKED,
            conversation=place.id,
            question=said.interaction.id,
            asked_at=at,
        )
    )
    unit.record(
        Happened(
            kind="follow_up_asked",
            contact=place.contact,
            conversation=place.id,
            case=follow_up.case,
        ),
        at=at,
    )
