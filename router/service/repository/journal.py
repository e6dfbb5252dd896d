"""The repository of the log: events, decisions, alerts, deliveries, leases."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from router.domain.events import Logged
from router.domain.ids import AccountName, AgentId, CaseId, ContactId, ConversationId, MediaId
from router.service.records import Alert, DecisionRecord, Lease, MediaRow, RawDelivery


class Journal(Protocol):
    """The event log, decisions, alerts, raw deliveries, cursors, media, leases."""

    def seq(self) -> int:
        """Return the number of the last event that this transaction can see (0: none)."""

    def events_since(self, seq: int, *, limit: int = 1000) -> tuple[Logged, ...]: ...
    def numbers_since(self, seq: int, *, limit: int) -> tuple[int, ...]: ...
    def touching_since(self, seq: int, *, limit: int) -> tuple[Logged, ...]:
        """Return the events after ``seq`` that change what can be decided, in order.

        What a customer said changes nothing before it is read, which is an event of its own.
        """

    def history(
        self,
        *,
        conversation: ConversationId | None = None,
        contact: ContactId | None = None,
        case: CaseId | None = None,
        limit: int = 200,
    ) -> tuple[tuple[datetime, Logged], ...]:
        """Return when and what happened to a thing, oldest first (the latest ``limit``)."""

    def decide(self, record: DecisionRecord) -> None: ...
    def decisions(
        self, conversation: ConversationId, *, limit: int = 50
    ) -> tuple[DecisionRecord, ...]:
        """Return the decisions on a conversation, newest first."""

    def decided_between(
        self, since: datetime, until: datetime, *, kinds: Collection[str]
    ) -> tuple[DecisionRecord, ...]:
        """Return the decisions of some kinds from ``since`` until before ``until``, in order."""

    def decisions_named(self, names: Collection[str]) -> Mapping[str, DecisionRecord]:
        """Return those of the decisions that are kept."""

    def alert(self, alert: Alert) -> None: ...
    def alerts(self, agent: AgentId, *, supervisor: bool, limit: int = 50) -> tuple[Alert, ...]:
        """Return alerts not yet seen: the agent's, and for supervisors those to all of them."""

    def see_alert(self, alert: str, *, by: AgentId, at: datetime) -> None: ...
    def keep_delivery(self, delivery: RawDelivery) -> None: ...
    def delivery(self, delivery: str) -> RawDelivery:
        """Raises NotFound."""

    def deliveries(self, *, state: str, limit: int = 100) -> tuple[RawDelivery, ...]: ...
    def mark_delivery(self, delivery: str, *, state: str, why: str = "") -> None: ...
    def forget_deliveries(self, *, before: datetime) -> int:
        """Delete taken raw deliveries older than ``before``; return how many."""

    def count(self, account: AccountName, kind: str, *, by: int = 1) -> None: ...
    def counts(self) -> Mapping[tuple[AccountName, str], int]: ...
    def ring(self, account: AccountName, key: str, *, hint: str) -> None:
        """Note that something is to be pulled."""

    def ringing(self, *, limit: int = 50) -> tuple[tuple[AccountName, str, str, str], ...]:
        """Return (account, key, cursor, hint) of what is to be pulled."""

    def pulled(self, account: AccountName, key: str, *, cursor: str, more: bool) -> None: ...
    def want_media(self, row: MediaRow) -> None: ...
    def media_known(self, media: MediaId) -> bool: ...
    def media(self, media: MediaId) -> MediaRow:
        """Raises NotFound."""

    def wanted_media(self, *, now: datetime, limit: int) -> tuple[MediaRow, ...]: ...
    def save_media(self, row: MediaRow) -> None: ...
    def lease(self, name: str, *, holder: str, now: datetime, until: datetime) -> Lease | None:
        """Take or keep a lease; None if somebody else holds it. A new holder gets a new fence."""

    def leased(self, name: str) -> Lease | None: ...
    def release_lease(self, name: str, *, holder: str) -> None: ...
    def meta(self, key: str) -> str | None: ...
    def set_meta(self, key: str, value: str) -> None: ...
