"""The repository of complaint cases."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from router.domain.case import Case, CaseStatus, Resolution
from router.domain.ids import AgentId, CaseId, ContactId, ConversationId, InteractionId, QueueName
from router.service.records import CaseLink
from router.store.dialect import insert_new
from router.store.rows import insert, many, must_change, the
from router.store.tables import case_interactions, cases, contacts

_CHUNK = 5000  # contacts asked for in one statement; both databases take six times as many
_RESOLVED = CaseStatus.RESOLVED.value

_asked, _member = contacts.alias("asked"), contacts.alias("member")
_among: sa.BindParameter[Any] = sa.bindparam("members", expanding=True)
_at_most = sa.bindparam("at_most", type_=sa.Integer)
_is_open = cases.c.status.in_((CaseStatus.OPEN.value, CaseStatus.ACKNOWLEDGED.value))
_worst_first = (cases.c.severity.desc(), cases.c.opened_at, cases.c.id)

_ADD = sa.insert(cases)
_GET = sa.select(cases).where(cases.c.id == sa.bindparam("of"))
_SAVE = sa.update(cases).where(
    cases.c.id == sa.bindparam("of"), cases.c.version == sa.bindparam("expected")
)
_OPEN_OF = sa.select(cases).where(cases.c.contact_id.in_(_among), _is_open).order_by(*_worst_first)
_OF = (
    sa.select(cases)
    .where(cases.c.contact_id.in_(_among))
    .order_by(cases.c.status == _RESOLVED, cases.c.opened_at.desc(), cases.c.id.desc())
    .limit(_at_most)
)
_ALL_OPEN = sa.select(cases).where(_is_open).order_by(cases.c.due_at, cases.c.id).limit(_at_most)
_OWNED = (
    sa.select(cases)
    .where(_is_open, cases.c.owner == sa.bindparam("by"))
    .order_by(cases.c.due_at, cases.c.id)
)
_OVERDUE = _ALL_OPEN.where(cases.c.due_at <= sa.bindparam("at"))
_RESOLVED_SINCE = (
    sa.select(cases)
    .where(
        cases.c.contact_id.in_(_among),
        cases.c.status == _RESOLVED,
        cases.c.resolved_at >= sa.bindparam("since"),
    )
    .order_by(cases.c.resolved_at.desc(), cases.c.id.desc())
)
_OPENED_BETWEEN = (
    sa.select(cases)
    .where(cases.c.opened_at > sa.bindparam("since"), cases.c.opened_at <= sa.bindparam("until"))
    .order_by(cases.c.opened_at, cases.c.id)
    .limit(_at_most)
)
_ABOUT_TOPIC = (
    sa.select(sa.func.count())
    .select_from(cases)
    .where(
        cases.c.topic == sa.bindparam("topic"),
        cases.c.opened_at > sa.bindparam("since"),
        cases.c.opened_at <= sa.bindparam("until"),
    )
)
_LINK = insert_new(case_interactions)
_LINKS = (
    sa.select(case_interactions)
    .where(case_interactions.c.case_id == sa.bindparam("of"))
    .order_by(case_interactions.c.at, case_interactions.c.interaction_id)
)
_LINKED = (
    sa.select(case_interactions.c.conversation_id)
    .where(case_interactions.c.conversation_id.in_(sa.bindparam("wanted", expanding=True)))
    .distinct()
)
_OPEN_OF_PERSONS = (
    sa.select(_asked.c.id.label("asked_id"), *cases.c)
    .join(_member, _member.c.root_id == _asked.c.root_id)
    .join(cases, cases.c.contact_id == _member.c.id)
    .where(_asked.c.id.in_(_among), _is_open)
    .order_by(*_worst_first)
)


class SqlCases:
    """Complaint cases, and what was said in them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, case: Case) -> None:
        """Insert a case."""
        values = {"id": case.id, **_values(case), "version": case.version}
        self._connection.execute(_ADD, values)

    def get(self, case: CaseId) -> Case:
        """Return a case; raises NotFound."""
        return _case(the(self._connection, _GET, {"of": case}, f"case {case}"))

    def save(self, case: Case) -> Case:
        """Write if the version is the stored one, else raise Conflict; return it as it is now."""
        keys = {"of": case.id, "expected": case.version, "version": case.version + 1}
        problem = f"case {case.id} was changed meanwhile"
        must_change(self._connection, _SAVE, {**keys, **_values(case)}, problem)
        return replace(case, version=case.version + 1)

    def open_of(self, members: Collection[ContactId]) -> tuple[Case, ...]:
        """Return a person's open cases, worst first, then oldest."""
        return tuple(map(_case, many(self._connection, _OPEN_OF, {"members": list(members)})))

    def of(self, members: Collection[ContactId], *, limit: int = 100) -> tuple[Case, ...]:
        """Return all cases of a person, open ones first, then newest."""
        asked = {"members": list(members), "at_most": limit}
        return tuple(map(_case, many(self._connection, _OF, asked)))

    def all_open(self, *, limit: int = 500) -> tuple[Case, ...]:
        """Return open cases, the next due first."""
        return tuple(map(_case, many(self._connection, _ALL_OPEN, {"at_most": limit})))

    def open_owned_by(self, owner: AgentId) -> tuple[Case, ...]:
        """Return the open cases that ``owner`` answers for, the next due first."""
        return tuple(map(_case, many(self._connection, _OWNED, {"by": owner})))

    def overdue(self, at: datetime, *, limit: int = 100) -> tuple[Case, ...]:
        """Return open cases that were due at ``at`` or before, the longest overdue first."""
        asked = {"at": at, "at_most": limit}
        return tuple(map(_case, many(self._connection, _OVERDUE, asked)))

    def resolved_since(self, members: Collection[ContactId], since: datetime) -> tuple[Case, ...]:
        """Return a person's cases that were resolved at ``since`` or later, the latest first."""
        asked = {"members": list(members), "since": since}
        return tuple(map(_case, many(self._connection, _RESOLVED_SINCE, asked)))

    def opened_between(
        self, since: datetime, until: datetime, *, limit: int = 5000
    ) -> tuple[Case, ...]:
        """Return cases that were opened after ``since`` and not after ``until``, oldest first."""
        asked = {"since": since, "until": until, "at_most": limit}
        return tuple(map(_case, many(self._connection, _OPENED_BETWEEN, asked)))

    def count_about(self, topic: str, since: datetime, until: datetime) -> int:
        """Count cases of a topic that were opened after ``since`` and not after ``until``."""
        asked = {"topic": topic, "since": since, "until": until}
        return int(self._connection.execute(_ABOUT_TOPIC, asked).scalar_one())

    def count_saying(self, words: Collection[str], since: datetime, until: datetime) -> int:
        """Count cases opened in that time whose customer's words have one of ``words``."""
        said = sa.func.lower(cases.c.summary)
        found = sa.or_(*(said.contains(word, autoescape=True) for word in words))
        counted = (
            sa.select(sa.func.count())
            .select_from(cases)
            .where(cases.c.opened_at > since, cases.c.opened_at <= until, found)
        )
        return int(self._connection.execute(counted).scalar_one())

    def link(self, link: CaseLink) -> bool:
        """Join an interaction to a case; False if it was."""
        values = {
            "case_id": link.case,
            "interaction_id": link.interaction,
            "conversation_id": link.conversation,
            "severity": link.severity,
            "at": link.at,
        }
        return insert(self._connection, _LINK, values)

    def links(self, case: CaseId) -> tuple[CaseLink, ...]:
        """Return what belongs to the case, oldest first."""
        return tuple(map(_link, many(self._connection, _LINKS, {"of": case})))

    def linked_to(self, conversations: Collection[ConversationId]) -> frozenset[ConversationId]:
        """Return those in which something was said that belongs to a case."""
        wanted, found = list(conversations), set[ConversationId]()
        for start in range(0, len(wanted), _CHUNK):
            asked = {"wanted": wanted[start : start + _CHUNK]}
            found.update(row["conversation_id"] for row in many(self._connection, _LINKED, asked))
        return frozenset(found)

    def open_of_persons(
        self, contacts: Collection[ContactId]
    ) -> Mapping[ContactId, tuple[Case, ...]]:
        """Return, for each given contact (origin or root), the open cases of the whole person."""
        found: defaultdict[ContactId, list[Case]] = defaultdict(list)
        wanted = list(contacts)
        for start in range(0, len(wanted), _CHUNK):
            asked = {"members": wanted[start : start + _CHUNK]}
            for row in many(self._connection, _OPEN_OF_PERSONS, asked):
                found[row["asked_id"]].append(_case(row))
        return {contact: tuple(found[contact]) for contact in wanted}


def _values(case: Case) -> dict[str, Any]:
    return {
        "contact_id": case.contact,
        "status": case.status.value,
        "severity": case.severity,
        "topic": case.topic,
        "summary": case.summary,
        "order_no": case.order,
        "opened_at": case.opened_at,
        "opened_by": case.opened_by,
        "conversation_id": case.conversation,
        "owner": case.owner,
        "queue": case.queue,
        "level": case.level,
        "due_at": case.due_at,
        "acknowledged_at": case.acknowledged_at,
        "acknowledged_by": case.acknowledged_by,
        "resolved_at": case.resolved_at,
        "resolved_by": case.resolved_by,
        "resolution": None if case.resolution is None else case.resolution.value,
        "resolution_note": case.resolution_note,
        "reopened": case.reopened,
        "last_at": case.last_at,
        "shop": case.shop,
    }


def _case(row: RowMapping) -> Case:
    opened_by, conversation = row["opened_by"], row["conversation_id"]
    owner, queue, resolution = row["owner"], row["queue"], row["resolution"]
    return Case(
        id=CaseId(row["id"]),
        contact=ContactId(row["contact_id"]),
        status=CaseStatus(row["status"]),
        severity=row["severity"],
        topic=row["topic"],
        summary=row["summary"],
        order=row["order_no"],
        opened_at=row["opened_at"],
        opened_by=None if opened_by is None else InteractionId(opened_by),
        conversation=None if conversation is None else ConversationId(conversation),
        owner=None if owner is None else AgentId(owner),
        queue=None if queue is None else QueueName(queue),
        level=row["level"],
        due_at=row["due_at"],
        acknowledged_at=row["acknowledged_at"],
        acknowledged_by=row["acknowledged_by"],
        resolved_at=row["resolved_at"],
        resolved_by=row["resolved_by"],
        resolution=None if resolution is None else Resolution(resolution),
        resolution_note=row["resolution_note"],
        reopened=row["reopened"],
        last_at=row["last_at"],
        shop=row["shop"],
        version=row["version"],
    )


def _link(row: RowMapping) -> CaseLink:
    return CaseLink(
        case=CaseId(row["case_id"]),
        interaction=InteractionId(row["interaction_id"]),
        conversation=ConversationId(row["conversation_id"]),
        severity=row["severity"],
        at=row["at"],
    )
