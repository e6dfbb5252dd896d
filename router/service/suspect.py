"""What a customer writes about who they are: kept, weighed, linked if strong, proposed if weak."""

from datetime import datetime

from router.domain.errors import IllegalStep
from router.domain.events import Happened
from router.domain.evidence import LINK_AT, PROPOSE_AT, Proposal, strength
from router.domain.identity import Claim, ClaimKind, Identity
from router.domain.ids import AgentId, ContactId
from router.domain.policy import ShopPolicy
from router.domain.reading import EntityKind, Reading
from router.domain.timeline import Interaction
from router.service.identify import contradict, elder, fold, taken_apart
from router.service.probable import propose
from router.service.unit import Unit

_CLAIMED = {
    EntityKind.PHONE: ClaimKind.PHONE,
    EntityKind.EMAIL: ClaimKind.EMAIL,
    EntityKind.ORDER: ClaimKind.ORDER,
}
#: More strangers than this with one number prove only that the number is shared.
_SHARED_BY = 5


def learn_from_words(
    unit: Unit,
    said: Interaction,
    reading: Reading,
    *,
    external_id: str,
    policy: ShopPolicy,
    at: datetime,
) -> None:
    """Keep the numbers that a customer wrote as claims, and see whom else they name."""
    identity = Identity(channel=said.channel, account=said.account, external_id=external_id)
    for entity in reading.entities:
        kind = _CLAIMED.get(entity.kind)
        if kind is None:
            continue
        value = entity.value.lower() if kind is ClaimKind.EMAIL else entity.value
        claim = Claim(kind=kind, value=value, verified=False, source="customer")
        if unit.contacts.add_claim(identity, claim, at=at):
            _compare(unit, said.contact, claim, policy=policy, at=at)


def _compare(
    unit: Unit, contact: ContactId, claim: Claim, *, policy: ShopPolicy, at: datetime
) -> None:
    here = unit.contacts.get(contact).root
    others = [
        each
        for each in unit.contacts.claimants(claim.kind, claim.value, verified=False)
        if unit.contacts.get(each).root != here
    ]
    if len(others) > _SHARED_BY:
        return
    for other in others:
        here = unit.contacts.get(contact).root
        if taken_apart(unit, here, other) or contradict(unit, here, other):
            continue
        agreed = _agreed(unit, here, other)
        worth = strength(agreed)
        why = "+".join(sorted(agreed))
        if worth >= LINK_AT:
            keep, gone = elder(unit, here, other)
            fold(unit, keep=keep, gone=gone, by="rule", why=why, policy=policy, at=at)
        elif worth >= PROPOSE_AT:
            propose(unit, here, other, why=why, worth=worth, at=at)


def _agreed(unit: Unit, one: ContactId, other: ContactId) -> frozenset[ClaimKind]:
    """Return the kinds of what both say; a name that both go by counts beside something else."""
    kinds = {kind for kind, _value in _said_of(unit, one) & _said_of(unit, other)}
    if kinds and _names(unit, one) & _names(unit, other):
        kinds.add(ClaimKind.NAME)
    return frozenset(kinds)


def _names(unit: Unit, person: ContactId) -> set[str]:
    known = unit.contacts.identities(unit.contacts.members(person))
    names = {unit.contacts.get(person).name, *(each.name for each in known)}
    return {name.strip().casefold() for name in names if len(name.strip()) > 1}


def _said_of(unit: Unit, person: ContactId) -> set[tuple[ClaimKind, str]]:
    members = unit.contacts.members(person)
    return {
        (known.claim.kind, known.claim.value.casefold()) for known in unit.contacts.claims(members)
    }


def accept_proposal(
    unit: Unit, *, proposal: str, by: AgentId, policy: ShopPolicy, at: datetime
) -> None:
    """Make the two contacts one by a colleague's word on the evidence."""
    held = _undecided(unit, proposal)
    one, other = (unit.contacts.get(each).root for each in (held.one, held.other))
    if one != other:
        keep, gone = elder(unit, one, other)
        fold(unit, keep=keep, gone=gone, by=by, why=held.evidence, policy=policy, at=at)
    unit.proposals.decide(proposal, state="accepted", by=by, at=at)


def reject_proposal(unit: Unit, *, proposal: str, by: AgentId, at: datetime) -> None:
    """Say that they are two; it is not proposed again."""
    held = _undecided(unit, proposal)
    unit.proposals.decide(proposal, state="rejected", by=by, at=at)
    for person in (held.one, held.other):
        unit.contacts.bump_case_version(person)
        unit.record(
            Happened(kind="contact_changed", contact=person, facts={"rejected": proposal}), at=at
        )


def _undecided(unit: Unit, proposal: str) -> Proposal:
    held = unit.proposals.get(proposal)
    if held.state != "open":
        raise IllegalStep(f"the proposal was {held.state} already")
    return held
