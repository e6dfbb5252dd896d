"""The repositories of persons: who they are, and who is probably one of them."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from router.domain.contact import Contact, MergeRecord
from router.domain.evidence import Proposal
from router.domain.identity import Claim, ClaimKind, Identity
from router.domain.ids import AccountName, ContactId
from router.service.records import KnownClaim, KnownIdentity, PersonLine


class Contacts(Protocol):
    """Persons, their identities, claims and merges."""

    def add(self, contact: Contact) -> None: ...
    def get(self, contact: ContactId) -> Contact:
        """Raises NotFound."""

    def save(self, contact: Contact) -> None:
        """Write name, language, vip and note; never the root."""

    def lock(self, contact: ContactId) -> ContactId:
        """Hold the person against other transactions; return the root (root rows locked)."""

    def members(self, contact: ContactId) -> tuple[ContactId, ...]:
        """Return every origin contact of the person that ``contact`` belongs to, root first."""

    def members_of(
        self, contacts: Collection[ContactId]
    ) -> Mapping[ContactId, tuple[ContactId, ...]]:
        """Return, for each contact that exists, what `members` says of the person."""

    def roots(self, contacts: Collection[ContactId]) -> Mapping[ContactId, tuple[Contact, int]]:
        """Return, for each contact, who stands for the person, and their case version."""

    def root_ids(self, contacts: Collection[ContactId]) -> Mapping[ContactId, ContactId]:
        """Return, for each contact that exists, who stands for the person."""

    def lines(self, contacts: Collection[ContactId]) -> Mapping[ContactId, PersonLine]:
        """Return, for each given contact (origin or root), how lists show the whole person."""

    def search(self, words: str, *, limit: int) -> tuple[Contact, ...]:
        """Return roots whose name, claim values or external ids contain ``words``, newest first."""

    def known(self, account: AccountName, external_id: str) -> KnownIdentity | None: ...
    def attach(self, known: KnownIdentity) -> None:
        """Insert an identity; a second insert of the same raises Conflict."""

    def seen(
        self, identity: Identity, *, at: datetime, name: str = "", following: bool | None = None
    ) -> None:
        """Note that the identity was active; a non-empty name replaces the old one."""

    def profile_asked(self, identity: Identity, *, at: datetime) -> None: ...
    def identities(self, members: Collection[ContactId]) -> tuple[KnownIdentity, ...]: ...
    def hold_claim(self, claim: Claim) -> None:
        """Hold what is claimed against other transactions: who claims the same comes after."""

    def add_claim(self, identity: Identity, claim: Claim, *, at: datetime) -> bool:
        """Return whether it is new, or newly verified."""

    def claims(self, members: Collection[ContactId]) -> tuple[KnownClaim, ...]: ...
    def claimants(
        self, kind: ClaimKind, value: str, *, verified: bool = True
    ) -> tuple[ContactId, ...]:
        """Return the roots of persons of whom this is claimed, oldest contact first."""

    def record_merge(self, record: MergeRecord) -> None: ...
    def merge_record(self, record_id: str) -> MergeRecord:
        """Raises NotFound."""

    def undo_merge(self, record_id: str, *, at: datetime, by: str) -> None: ...
    def merges(self, members: Collection[ContactId]) -> tuple[MergeRecord, ...]:
        """Return all merges that name one of ``members``, undone ones too, oldest first."""

    def set_roots(self, roots: Mapping[ContactId, ContactId]) -> None: ...
    def case_version(self, contact: ContactId) -> int:
        """Return the root's counter of changes to the person's cases."""

    def bump_case_version(self, contact: ContactId) -> None:
        """Count one more change to the cases of the person (on the root)."""

    def renew_case_versions(self, contacts: Collection[ContactId]) -> None:
        """Give them all one counter that is higher than any of them ever had.

        Whoever is one person from now on, or no longer is, was never seen with this counter.
        """


class Proposals(Protocol):
    """What is probably true: that two contacts are one person."""

    def add(self, proposal: Proposal) -> bool:
        """Insert; return False if the same was proposed before, whatever became of it."""

    def get(self, proposal: str) -> Proposal:
        """Raises NotFound."""

    def open_of(self, members: Collection[ContactId]) -> tuple[Proposal, ...]:
        """Return what is proposed of a person and undecided, strongest first."""

    def decide(self, proposal: str, *, state: str, by: str, at: datetime) -> None:
        """Accept or reject; raises Conflict if somebody else was first."""
