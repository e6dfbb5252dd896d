"""The repositories of complaints and of what follows from them."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from router.domain.case import Case
from router.domain.crisis import Crisis, Subject
from router.domain.followup import FollowUp
from router.domain.ids import AgentId, CaseId, ContactId, ConversationId
from router.service.records import CaseLink


class Cases(Protocol):
    """Complaint cases."""

    def add(self, case: Case) -> None: ...
    def get(self, case: CaseId) -> Case:
        """Raises NotFound."""

    def save(self, case: Case) -> Case:
        """Write if the version is the stored one, else raise Conflict; return it as stored now."""

    def open_of(self, members: Collection[ContactId]) -> tuple[Case, ...]:
        """Return a person's open cases, worst first, then oldest."""

    def of(self, members: Collection[ContactId], *, limit: int = 100) -> tuple[Case, ...]:
        """Return all cases of a person, open ones first, then newest."""

    def all_open(self, *, limit: int = 500) -> tuple[Case, ...]:
        """Return open cases, the next due first."""

    def open_owned_by(self, owner: AgentId) -> tuple[Case, ...]:
        """Return the open cases that ``owner`` answers for, the next due first."""

    def overdue(self, at: datetime, *, limit: int = 100) -> tuple[Case, ...]: ...
    def resolved_since(
        self, members: Collection[ContactId], since: datetime
    ) -> tuple[Case, ...]: ...
    def opened_between(
        self, since: datetime, until: datetime, *, limit: int = 5000
    ) -> tuple[Case, ...]:
        """Return cases that were opened after ``since`` and not after ``until``, oldest first."""

    def count_about(self, topic: str, since: datetime, until: datetime) -> int:
        """Count cases of a topic that were opened after ``since`` and not after ``until``."""

    def count_saying(self, words: Collection[str], since: datetime, until: datetime) -> int:
        """Count cases opened in that time whose customer's words have one of ``words``."""

    def link(self, link: CaseLink) -> bool:
        """Join an interaction to a case; False if it was."""

    def links(self, case: CaseId) -> tuple[CaseLink, ...]:
        """Return what belongs to the case, oldest first."""

    def linked_to(self, conversations: Collection[ConversationId]) -> frozenset[ConversationId]:
        """Return those in which something was said that belongs to a case."""

    def open_of_persons(
        self, contacts: Collection[ContactId]
    ) -> Mapping[ContactId, tuple[Case, ...]]:
        """Return, for each given contact (origin or root), the open cases of the whole person."""


class FollowUps(Protocol):
    """The questions that follow a resolution."""

    def add(self, follow_up: FollowUp) -> None: ...
    def save(self, follow_up: FollowUp) -> FollowUp:
        """Write if the version is the stored one, else raise Conflict; return it as stored now."""

    def due(self, at: datetime, *, limit: int = 50) -> tuple[FollowUp, ...]:
        """Return what is to be asked and is looked at again now, the longest waiting first."""

    def waiting(self, members: Collection[ContactId]) -> tuple[FollowUp, ...]:
        """Return a person's follow-ups that are due or asked, oldest first."""

    def of(self, case: CaseId) -> tuple[FollowUp, ...]:
        """Return a case's follow-ups, oldest first."""


class Crises(Protocol):
    """Bursts of complaints and the statements about them."""

    def add(self, crisis: Crisis) -> bool:
        """Insert; return False if there is a crisis on this subject already."""

    def get(self, crisis: str) -> Crisis:
        """Raises NotFound."""

    def save(self, crisis: Crisis) -> Crisis:
        """Write if the version is the stored one, else raise Conflict; return it as stored now."""

    def live(self) -> tuple[Crisis, ...]:
        """Return those that are not over, oldest first."""

    def ended(self, *, limit: int = 50) -> tuple[Crisis, ...]:
        """Return those that are over, newest first."""

    def last_on(self, subject: Subject) -> Crisis | None:
        """Return the latest crisis on a subject, over or not."""
