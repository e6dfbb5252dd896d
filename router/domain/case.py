"""A complaint case: it belongs to the contact, so it follows across channels; it has its clock."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from router.domain.errors import CaseStillOpen, IllegalStep, Invalid
from router.domain.hours import AROUND_THE_CLOCK, Hours
from router.domain.ids import AgentId, CaseId, ContactId, ConversationId, InteractionId, QueueName


class CaseStatus(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Resolution(StrEnum):
    """How a case was resolved."""

    REFUNDED = "refunded"
    REPLACED = "replaced"
    REPAIRED = "repaired"
    COMPENSATED = "compensated"
    EXPLAINED = "explained"
    APOLOGISED = "apologised"
    UNFOUNDED = "unfounded"


#: Who must act: the agent or queue, then the supervisors, then the manager.
LEVELS = ("agent", "supervisor", "manager")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseClock:
    """How long a case of one severity may stand at each level before the next is called.

    ``act_within`` has one duration for each of `LEVELS`, counted in ``hours``.
    """

    act_within: tuple[timedelta, timedelta, timedelta]
    hours: Hours = AROUND_THE_CLOCK


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A complaint. While it is open, exactly one of ``owner`` and ``queue`` is set.

    ``severity`` is 1–3. ``due_at`` is when the next level is called; it exists as long as the case
    is open. ``summary`` is the customer's own words that opened it. ``shop`` is the account that it
    concerns, by its name; empty if nobody knows.
    """

    id: CaseId
    contact: ContactId
    status: CaseStatus
    severity: int
    topic: str
    summary: str
    order: str
    opened_at: datetime
    opened_by: InteractionId | None
    conversation: ConversationId | None
    owner: AgentId | None
    queue: QueueName | None
    level: int
    due_at: datetime | None
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    resolved_at: datetime | None = None
    resolved_by: str = ""
    resolution: Resolution | None = None
    resolution_note: str = ""
    reopened: int = 0
    last_at: datetime | None = None
    shop: str = ""
    version: int = 0

    @property
    def is_open(self) -> bool:
        """Return whether somebody still has to act."""
        return self.status is not CaseStatus.RESOLVED


def due(clocks: Mapping[int, CaseClock], *, severity: int, level: int, at: datetime) -> datetime:
    """Return when a case that stands at ``level`` since ``at`` must move or be resolved."""
    clock = clocks[severity]
    return clock.hours.after(at, clock.act_within[level])


def joined(
    case: Case, *, severity: int, order: str, at: datetime, clocks: Mapping[int, CaseClock]
) -> Case:
    """Return ``case`` after one more complaint: it can grow worse, and then its clock tightens."""
    worse = max(case.severity, severity)
    due_at = case.due_at
    if worse > case.severity and due_at is not None:
        due_at = min(due_at, due(clocks, severity=worse, level=case.level, at=at))
    return replace(case, severity=worse, order=case.order or order, due_at=due_at, last_at=at)


def acknowledged(case: Case, *, by: str, at: datetime) -> Case:
    """Return ``case`` once somebody has told the customer that it is known."""
    if case.status is not CaseStatus.OPEN:
        raise IllegalStep(f"case {case.id} is {case.status}; only an open case is acknowledged")
    return replace(case, status=CaseStatus.ACKNOWLEDGED, acknowledged_at=at, acknowledged_by=by)


def resolved(case: Case, *, by: str, resolution: Resolution, note: str, at: datetime) -> Case:
    """Return ``case`` closed. Needs an acknowledgement first; raises `CaseStillOpen` without."""
    if case.status is CaseStatus.RESOLVED:
        raise IllegalStep(f"case {case.id} is resolved already")
    if case.status is CaseStatus.OPEN:
        raise CaseStillOpen(f"case {case.id} must be acknowledged before it is resolved")
    return replace(
        case,
        status=CaseStatus.RESOLVED,
        resolved_at=at,
        resolved_by=by,
        resolution=resolution,
        resolution_note=note,
        owner=None,
        queue=None,
        due_at=None,
    )


def reopened(
    case: Case, *, queue: QueueName, at: datetime, clocks: Mapping[int, CaseClock]
) -> Case:
    """Return a resolved ``case`` open again, in ``queue`` with a fresh clock."""
    if case.status is not CaseStatus.RESOLVED:
        raise IllegalStep(f"case {case.id} is {case.status}; only a resolved case is reopened")
    return replace(
        case,
        status=CaseStatus.OPEN,
        owner=None,
        queue=queue,
        level=0,
        due_at=due(clocks, severity=case.severity, level=0, at=at),
        acknowledged_at=None,
        acknowledged_by="",
        resolved_at=None,
        resolved_by="",
        resolution=None,
        resolution_note="",
        reopened=case.reopened + 1,
        last_at=at,
    )


def owned(case: Case, *, by: AgentId) -> Case:
    """Return ``case`` in one agent's hands; its clock runs on."""
    if not case.is_open:
        raise IllegalStep(f"case {case.id} is resolved and needs no owner")
    return replace(case, owner=by, queue=None)


def enqueued(case: Case, *, queue: QueueName) -> Case:
    """Return ``case`` back in a queue; its clock runs on."""
    if not case.is_open:
        raise IllegalStep(f"case {case.id} is resolved and has no place in a queue")
    return replace(case, owner=None, queue=queue)


def escalated(case: Case, *, at: datetime, clocks: Mapping[int, CaseClock]) -> Case:
    """Return ``case`` one level up with a new due time; at the top the clock only starts anew."""
    if not case.is_open:
        raise IllegalStep(f"case {case.id} is resolved and cannot be escalated")
    level = min(case.level + 1, len(LEVELS) - 1)
    return replace(
        case, level=level, due_at=due(clocks, severity=case.severity, level=level, at=at)
    )


def checked_severity(severity: int) -> int:
    """Return ``severity`` or raise `Invalid`: 1 mild, 2 clear, 3 serious."""
    if severity not in {1, 2, 3}:
        raise Invalid(f"severity: {severity} is not 1 (mild), 2 (clear) or 3 (serious)")
    return severity
