"""Complaint cases: opened or joined by what was read, acknowledged, owned, escalated, resolved."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from router.domain.case import (
    LEVELS,
    Case,
    CaseStatus,
    Resolution,
    acknowledged,
    checked_severity,
    due,
    enqueued,
    escalated,
    joined,
    owned,
    reopened,
    resolved,
)
from router.domain.content import plain_text
from router.domain.events import Happened
from router.domain.ids import AgentId, CaseId, ContactId, QueueName
from router.domain.matter import Matter, same_matter
from router.domain.policy import ShopPolicy
from router.domain.reading import Alarm, EntityKind, Intent, Reading
from router.domain.timeline import Interaction
from router.service import followup
from router.service.awareness import reveal
from router.service.ports import NotFound
from router.service.records import Alert, CaseLink
from router.service.unit import Unit

#: How much of the customer's words stands in a case's title.
_SUMMARY = 300
_NO_TOPIC = frozenset({Intent.HUMAN_REQUEST, Intent.CHITCHAT, Intent.OTHER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What reading one interaction meant for the contact's cases."""

    case: Case
    opened: bool


def note_complaint(
    unit: Unit, said: Interaction, reading: Reading, *, policy: ShopPolicy, at: datetime
) -> Complaint | None:
    """Open a case for a complaint, or join the contact's open one. None if it is no complaint.

    A complaint of a contact whose case was resolved lately opens that case again.
    """
    if reading.complaint is not Alarm.ALERT:
        return None
    severity = max(1, min(3, reading.severity))
    order = next((e.value for e in reading.entities if e.kind is EntityKind.ORDER), "")
    unit.contacts.lock(said.contact)
    members = unit.contacts.members(said.contact)
    known = unit.cases.open_of(members)
    if known:
        case, opened = _join(unit, known[0], said, severity, order, policy=policy, at=at), False
    else:
        case, opened = _open(unit, said, reading, severity, order, policy=policy, at=at), True
    unit.cases.link(
        CaseLink(
            case=case.id,
            interaction=said.id,
            conversation=said.conversation,
            severity=severity,
            at=said.at,
        )
    )
    unit.contacts.bump_case_version(said.contact)
    return Complaint(case=case, opened=opened)


def _join(
    unit: Unit,
    case: Case,
    said: Interaction,
    severity: int,
    order: str,
    *,
    policy: ShopPolicy,
    at: datetime,
) -> Case:
    worse = joined(case, severity=severity, order=order, at=at, clocks=policy.clocks)
    saved = unit.cases.save(worse)
    _log(unit, saved, "case_joined", at=at, conversation=said.conversation, severity=severity)
    return saved


def _open(
    unit: Unit,
    said: Interaction,
    reading: Reading,
    severity: int,
    order: str,
    *,
    policy: ShopPolicy,
    at: datetime,
) -> Case:
    members = unit.contacts.members(said.contact)
    matter = Matter(topic=_topic(reading.intent), orders=frozenset({order} - {""}))
    back = _returned(unit, members, matter, policy=policy, at=at)
    if back is not None:
        case = reopened(back, queue=policy.case_queue, at=at, clocks=policy.clocks)
        followup.drop(unit, case.id, at=at)
        case = joined(case, severity=severity, order=order, at=at, clocks=policy.clocks)
        case = unit.cases.save(case)
        _log(unit, case, "case_reopened", at=at, conversation=said.conversation)
        return case
    case = Case(
        id=CaseId(unit.new_id()),
        contact=said.contact,
        status=CaseStatus.OPEN,
        severity=severity,
        topic=matter.topic,
        summary=plain_text(said.content)[:_SUMMARY],
        order=order,
        shop=said.account,
        opened_at=at,
        opened_by=said.id,
        conversation=said.conversation,
        owner=None,
        queue=policy.case_queue,
        level=0,
        due_at=due(policy.clocks, severity=severity, level=0, at=at),
        last_at=at,
    )
    unit.cases.add(case)
    _log(unit, case, "case_opened", at=at, conversation=said.conversation, severity=severity)
    return case


def _returned(
    unit: Unit,
    members: Collection[ContactId],
    matter: Matter,
    *,
    policy: ShopPolicy,
    at: datetime,
) -> Case | None:
    """Return the case that this complaint comes back to: resolved lately, not plainly another."""
    for case in unit.cases.resolved_since(members, at - policy.reopen_within):
        before = Matter(topic=case.topic, orders=frozenset({case.order} - {""}))
        if same_matter(before, matter) is not False:
            return case
    return None


def _topic(intent: Intent) -> str:
    """Return what a complaint is about; one that only complains is about the complaint."""
    return intent.value if intent not in _NO_TOPIC else Intent.COMPLAINT.value


def open_by_hand(
    unit: Unit,
    *,
    contact: ContactId,
    severity: int,
    topic: str,
    summary: str,
    by: AgentId,
    policy: ShopPolicy,
    at: datetime,
    shop: str = "",
) -> Case:
    """Open a case for what no channel heard, owned by whoever writes it down.

    ``shop`` is the account that it concerns; empty if nobody knows. Who was meanwhile taken off
    the staff owns nothing: the case waits in the cases' queue.
    """
    checked_severity(severity)
    stays = unit.workforce.lock(by).active
    unit.contacts.lock(contact)
    case = Case(
        id=CaseId(unit.new_id()),
        contact=contact,
        status=CaseStatus.OPEN,
        severity=severity,
        topic=topic,
        summary=summary[:_SUMMARY],
        order="",
        shop=shop,
        opened_at=at,
        opened_by=None,
        conversation=None,
        owner=by if stays else None,
        queue=None if stays else policy.case_queue,
        level=0,
        due_at=due(policy.clocks, severity=severity, level=0, at=at),
        last_at=at,
    )
    unit.cases.add(case)
    _log(unit, case, "case_opened", at=at, severity=severity, by=by)
    unit.contacts.bump_case_version(contact)
    reveal(unit, contact, policy=policy, at=at)
    return case


def acknowledge(unit: Unit, *, case: CaseId, by: AgentId, at: datetime) -> Case:
    """Note that the customer was told; whoever does it owns the case if nobody did.

    Who was meanwhile taken off the staff owns nothing: the case stays in its queue.
    """
    held = unit.cases.get(case)
    known = acknowledged(held, by=by, at=at)
    if known.owner is None and unit.workforce.lock(by).active:
        known = owned(known, by=by)
    return _saved(unit, known, "case_acknowledged", at=at, by=by)


def resolve(
    unit: Unit, *, case: CaseId, by: AgentId, resolution: Resolution, note: str, at: datetime
) -> Case:
    """Close a case that was acknowledged; raises CaseStillOpen otherwise.

    The customer is asked whether it is solved; see `router.service.followup`.
    """
    done = resolved(unit.cases.get(case), by=by, resolution=resolution, note=note, at=at)
    saved = _saved(unit, done, "case_resolved", at=at, by=by, resolution=resolution)
    followup.plan(unit, saved, at=at)
    return saved


def reopen(unit: Unit, *, case: CaseId, by: AgentId, policy: ShopPolicy, at: datetime) -> Case:
    """Open a resolved case again, in the cases' queue with a fresh clock."""
    again = reopened(unit.cases.get(case), queue=policy.case_queue, at=at, clocks=policy.clocks)
    saved = _saved(unit, again, "case_reopened", at=at, by=by)
    followup.drop(unit, case, at=at)
    reveal(unit, saved.contact, policy=policy, at=at)
    return saved


def own(unit: Unit, *, case: CaseId, owner: AgentId, by: AgentId, at: datetime) -> Case:
    """Give a case to an agent."""
    if not unit.workforce.lock(owner).active:
        raise NotFound(f"agent {owner} is not active")
    return _saved(
        unit, owned(unit.cases.get(case), by=owner), "case_owned", at=at, by=by, owner=owner
    )


def enqueue(unit: Unit, *, case: CaseId, queue: QueueName, by: AgentId, at: datetime) -> Case:
    """Put a case back in a queue."""
    placed = enqueued(unit.cases.get(case), queue=queue)
    return _saved(unit, placed, "case_enqueued", at=at, by=by, queue=queue)


def correct(
    unit: Unit,
    *,
    case: CaseId,
    severity: int,
    topic: str,
    order: str,
    by: AgentId,
    policy: ShopPolicy,
    at: datetime,
    shop: str | None = None,
) -> Case:
    """Correct what was understood. A new severity starts the level's clock anew.

    ``shop`` is the account that the case concerns; None leaves it as it is.
    """
    held = unit.cases.get(case)
    due_at = held.due_at
    if held.is_open and checked_severity(severity) != held.severity:
        due_at = due(policy.clocks, severity=severity, level=held.level, at=at)
    changed = replace(
        held,
        severity=severity,
        topic=topic,
        order=order,
        shop=held.shop if shop is None else shop,
        due_at=due_at,
    )
    return _saved(unit, changed, "case_changed", at=at, by=by, severity=severity)


def escalate_overdue(unit: Unit, *, policy: ShopPolicy, at: datetime) -> tuple[Case, ...]:
    """Move every case whose time has run out one level up, and tell who must act now."""
    moved = []
    for case in unit.cases.overdue(at):
        unit.contacts.lock(case.contact)
        higher = escalated(case, at=at, clocks=policy.clocks)
        _saved(unit, higher, "case_escalated", at=at, level=LEVELS[higher.level])
        unit.journal.alert(
            Alert(
                id=unit.new_id(),
                at=at,
                agent=None,
                kind="case_overdue",
                conversation=case.conversation,
                case=case.id,
                facts={"level": LEVELS[higher.level], "severity": case.severity},
                seen_at=None,
            )
        )
        unit.record(Happened(kind="alert_raised", case=case.id, contact=case.contact), at=at)
        moved.append(higher)
    return tuple(moved)


def _saved(unit: Unit, case: Case, kind: str, *, at: datetime, **facts: object) -> Case:
    unit.contacts.lock(case.contact)
    saved = unit.cases.save(case)
    _log(unit, saved, kind, at=at, **facts)
    unit.contacts.bump_case_version(case.contact)
    return saved


def _log(
    unit: Unit,
    case: Case,
    kind: str,
    *,
    at: datetime,
    conversation: object = None,
    **facts: object,
) -> None:
    unit.record(
        Happened(
            kind=kind,
            contact=case.contact,
            conversation=conversation or case.conversation,  # type: ignore[arg-type]
            case=case.id,
            agent=case.owner,
            facts={key: str(value) for key, value in facts.items()},
        ),
        at=at,
    )
