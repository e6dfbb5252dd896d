"""A person as colleagues see them: who they are, and merging and splitting by hand."""

from dataclasses import dataclass, replace
from datetime import datetime

import phonenumbers

from router.domain.case import Case
from router.domain.contact import Contact, MergeRecord, check_split
from router.domain.conversation import Conversation
from router.domain.errors import CannotMerge, Invalid
from router.domain.events import Happened
from router.domain.identity import Claim, ClaimKind, Identity
from router.domain.ids import AgentId, ContactId
from router.domain.policy import ShopPolicy
from router.service.awareness import recompute
from router.service.identify import claim, fold, refresh_roots
from router.service.records import KnownClaim, KnownIdentity
from router.service.unit import Unit

#: Where a number without a country code is taken to be from.
_REGION = "CN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Everything that is known of a person, over all merged contacts."""

    contact: Contact
    members: tuple[ContactId, ...]
    identities: tuple[KnownIdentity, ...]
    claims: tuple[KnownClaim, ...]
    merges: tuple[MergeRecord, ...]
    cases: tuple[Case, ...]
    conversations: tuple[Conversation, ...]

    @property
    def open_cases(self) -> tuple[Case, ...]:
        """Return the complaints that somebody still has to act on."""
        return tuple(case for case in self.cases if case.is_open)

    @property
    def name(self) -> str:
        """Return the best name that is known, or an empty text."""
        names = (self.contact.name, *(known.name for known in self.identities))
        return next((name for name in names if name), "")


def person(unit: Unit, contact: ContactId) -> Person:
    """Return the person that ``contact`` belongs to; raises NotFound."""
    members = unit.contacts.members(unit.contacts.get(contact).id)
    return Person(
        contact=unit.contacts.get(members[0]),
        members=members,
        identities=unit.contacts.identities(members),
        claims=unit.contacts.claims(members),
        merges=unit.contacts.merges(members),
        cases=unit.cases.of(members),
        conversations=unit.conversations.of(members),
    )


def merge(
    unit: Unit,
    *,
    keep: ContactId,
    gone: ContactId,
    by: AgentId,
    why: str,
    policy: ShopPolicy,
    at: datetime,
) -> MergeRecord:
    """Make two contacts one by a colleague's word. Can be undone with `split`."""
    if not why.strip():
        raise Invalid("why: say why these two are the same person")
    if keep == gone:
        raise CannotMerge("a contact cannot be merged with itself")
    unit.contacts.get(keep)
    unit.contacts.get(gone)
    return fold(unit, keep=keep, gone=gone, by=by, why=why, policy=policy, at=at)


def split(
    unit: Unit, *, merge_id: str, by: AgentId, policy: ShopPolicy, at: datetime
) -> MergeRecord:
    """Undo a merge: each side gets back its own history, cases included."""
    record = unit.contacts.merge_record(merge_id)
    check_split(record)
    for each in sorted((record.keep, record.fold)):
        unit.contacts.lock(each)
    unit.contacts.undo_merge(merge_id, at=at, by=by)
    refresh_roots(unit, record)
    for each in (record.keep, record.fold):
        recompute(unit, each, policy=policy, at=at)
    unit.record(
        Happened(
            kind="contacts_split",
            contact=record.keep,
            facts={"fold": record.fold, "by": by, "merge": merge_id},
        ),
        at=at,
    )
    return unit.contacts.merge_record(merge_id)


def change(
    unit: Unit,
    *,
    contact: ContactId,
    name: str,
    vip: bool,
    note: str,
    by: AgentId,
    at: datetime,
) -> Contact:
    """Correct the name, the standing or the note of a person."""
    root = unit.contacts.lock(contact)
    changed = replace(unit.contacts.get(root), name=name.strip(), vip=vip, note=note)
    unit.contacts.save(changed)
    unit.record(Happened(kind="contact_changed", contact=root, facts={"by": by}), at=at)
    return changed


def vouch(
    unit: Unit,
    *,
    identity: Identity,
    said: Claim,
    by: AgentId,
    policy: ShopPolicy,
    at: datetime,
) -> None:
    """Keep an agent's word about who a person is; a verified claim may join two contacts.

    Raises Invalid for a phone number or an address that is none.
    """
    word = replace(said, value=_written(said), source=f"agent:{by}")
    claim(unit, identity, word, policy=policy, at=at)


def _written(said: Claim) -> str:
    """Return a claim's value as it is compared: numbers in E.164, addresses in lower case."""
    value = said.value.strip()
    if said.kind is ClaimKind.EMAIL:
        if "@" not in value.strip("@"):
            raise Invalid("value: is no e-mail address; write it as name@example.com")
        return value.lower()
    if said.kind is not ClaimKind.PHONE:
        return value
    try:
        number = phonenumbers.parse(value, _REGION)
    except phonenumbers.NumberParseException as error:
        raise Invalid("value: is no phone number; write it as +86 138 0013 8000") from error
    if not phonenumbers.is_possible_number(number):
        raise Invalid("value: no phone number has so many digits; write it as +86 138 0013 8000")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
