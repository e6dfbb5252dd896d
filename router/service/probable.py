"""Who is probably the same person: proposed, shown, and told of before anybody merges."""

from datetime import datetime

from router.domain.case import Case
from router.domain.events import Happened
from router.domain.evidence import Proposal
from router.domain.ids import ContactId
from router.service.awareness import warn
from router.service.unit import Unit


def propose(
    unit: Unit, one: ContactId, other: ContactId, *, why: str, worth: float, at: datetime
) -> None:
    """Note that two are probably one person; who has them in hand learns of open complaints.

    What was proposed before, whatever became of it, is not proposed again.
    """
    first, second = sorted((one, other))
    proposal = Proposal(
        id=unit.new_id(), one=first, other=second, evidence=why, strength=worth, at=at
    )
    if unit.proposals.add(proposal):
        for person in (first, second):
            unit.contacts.bump_case_version(person)
            unit.record(
                Happened(
                    kind="merge_proposed",
                    contact=person,
                    facts={"other": second if person == first else first, "why": why},
                ),
                at=at,
            )
        warn_probable(unit, one, at=at)


def warn_probable(unit: Unit, contact: ContactId, *, at: datetime) -> None:
    """Let a complaint be known wherever its person probably is too, on either side."""
    here = unit.cases.open_of(unit.contacts.members(contact))
    for _proposal, other in suspected(unit, contact):
        there = unit.cases.open_of(unit.contacts.members(other))
        if here:
            warn(unit, other, case=here[0].id, at=at)
        if there:
            warn(unit, contact, case=there[0].id, at=at)


def suspected(unit: Unit, contact: ContactId) -> tuple[tuple[Proposal, ContactId], ...]:
    """Return open proposals of a person, each with the root of the other side, strongest first."""
    members = unit.contacts.members(contact)
    here = members[0]
    found = []
    for proposal in unit.proposals.open_of(members):
        sides = [unit.contacts.get(each).root for each in (proposal.one, proposal.other)]
        others = [side for side in sides if side != here]
        if len(others) == 1:
            found.append((proposal, others[0]))
    return tuple(found)


def probable_cases(unit: Unit, contact: ContactId) -> tuple[tuple[Proposal, Case], ...]:
    """Return open complaints of those who are probably the same person."""
    return tuple(
        (proposal, case)
        for proposal, other in suspected(unit, contact)
        for case in unit.cases.open_of(unit.contacts.members(other))
    )
