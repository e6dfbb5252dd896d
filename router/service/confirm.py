"""What the contact says to "is it solved?": a yes confirms the case, a no opens it again."""

from dataclasses import replace
from datetime import datetime

from router.domain.events import Happened
from router.domain.followup import FollowUp, FollowUpState, answered, pressed
from router.domain.ids import AgentId
from router.domain.policy import ShopPolicy
from router.domain.timeline import Direction, Interaction
from router.service.cases import reopen
from router.service.lone import close_if_alone
from router.service.unit import Unit

#: Who opens a case again by saying that it is not solved, and what a bare yes is recorded as.
_CUSTOMER = AgentId("customer")
CONFIRMED = "confirmed"


def hear(unit: Unit, said: Interaction, *, policy: ShopPolicy, at: datetime) -> None:
    """Read the contact's word as an answer, if one was asked for; anything else changes nothing.

    A button is an answer wherever it is pressed; words are one only on the channel of the question.
    """
    if said.direction is not Direction.IN or said.recalled_at is not None:
        return
    for each in unit.follow_ups.waiting(unit.contacts.members(said.contact)):
        if each.state is FollowUpState.DUE:
            unit.follow_ups.save(replace(each, next_at=at))  # kept for this contact: look again
            continue
        solved = pressed(said.content, each.id)
        if solved is None and _in_the_same_place(unit, each, said):
            solved = answered(said.content)
        if solved is not None:
            _settle(unit, each, said, solved=solved, policy=policy, at=at)


def _in_the_same_place(unit: Unit, follow_up: FollowUp, said: Interaction) -> bool:
    if follow_up.conversation is None or follow_up.asked_at is None:
        return False
    asked, here = (
        unit.conversations.get(name) for name in (follow_up.conversation, said.conversation)
    )
    same = (asked.account, asked.external_id) == (here.account, here.external_id)
    return same and said.received_at >= follow_up.asked_at


def _settle(
    unit: Unit,
    follow_up: FollowUp,
    said: Interaction,
    *,
    solved: bool,
    policy: ShopPolicy,
    at: datetime,
) -> None:
    state = FollowUpState.CONFIRMED if solved else FollowUpState.DENIED
    unit.follow_ups.save(replace(follow_up, state=state, settled_at=at))
    unit.record(
        Happened(
            kind="case_confirmed" if solved else "case_denied",
            contact=said.contact,
            conversation=said.conversation,
            case=follow_up.case,
            facts={"interaction": said.id},
        ),
        at=at,
    )
    if solved:
        close_if_alone(unit, said, disposition=CONFIRMED, at=at)
    elif not unit.cases.get(follow_up.case).is_open:
        reopen(unit, case=follow_up.case, by=_CUSTOMER, policy=policy, at=at)
