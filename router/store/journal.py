"""The repository of what is written down: events, decisions and alerts; the rest is in `upkeep`."""

from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import combinations
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from router.domain.events import Happened, Logged
from router.domain.ids import AgentId, CaseId, ContactId, ConversationId, ReservationId
from router.service.records import Alert, DecisionRecord
from router.store.codec import dump, load
from router.store.ledger import alerts, decisions, events
from router.store.rows import many
from router.store.upkeep import SqlUpkeep

_at_most = sa.bindparam("at_most", type_=sa.Integer)
_SEQ = sa.select(sa.func.coalesce(sa.func.max(events.c.seq), 0))
_SINCE = (
    sa.select(events)
    .where(events.c.seq > sa.bindparam("after"))
    .order_by(events.c.seq)
    .limit(_at_most)
)
_NUMBERS = (
    sa.select(events.c.seq)
    .where(events.c.seq > sa.bindparam("after"))
    .order_by(events.c.seq)
    .limit(_at_most)
)
_TOUCHING = _SINCE.where(
    events.c.kind != "conversation_opened",
    sa.or_(
        events.c.kind != "interaction_taken",
        events.c.facts.is_(None),
        events.c.facts.not_like('%"unread":true%'),
    ),
)
_ABOUT = ("conversation_id", "contact_id", "case_id")


def _history(columns: tuple[str, ...]) -> "sa.Select[Any]":
    about = [events.c[name] == sa.bindparam(f"of_{name}") for name in columns]
    return sa.select(events).where(*about).order_by(events.c.seq.desc()).limit(_at_most)


_HISTORY: Mapping[tuple[str, ...], "sa.Select[Any]"] = {
    columns: _history(columns)
    for size in range(len(_ABOUT) + 1)
    for columns in combinations(_ABOUT, size)
}
_DECIDE = sa.insert(decisions)
_DECISIONS = (
    sa.select(decisions)
    .where(decisions.c.conversation_id == sa.bindparam("of"))
    .order_by(decisions.c.at.desc(), decisions.c.id.desc())
    .limit(_at_most)
)
_DECIDED_BETWEEN = (
    sa.select(decisions)
    .where(decisions.c.at >= sa.bindparam("since"), decisions.c.at < sa.bindparam("until_"))
    .where(decisions.c.kind.in_(sa.bindparam("kinds", expanding=True)))
    .order_by(decisions.c.at, decisions.c.id)
)
_DECISIONS_NAMED = sa.select(decisions).where(
    decisions.c.id.in_(sa.bindparam("names", expanding=True))
)
_ALERT = sa.insert(alerts)
_HERS = alerts.c.agent_id == sa.bindparam("of")
_EVERY_SUPERVISOR = sa.or_(_HERS, alerts.c.agent_id.is_(None))
_ALERTS: Mapping[bool, "sa.Select[Any]"] = {
    supervisor: sa.select(alerts)
    .where(hers, alerts.c.seen_at.is_(None))
    .order_by(alerts.c.at.desc(), alerts.c.id.desc())
    .limit(_at_most)
    for supervisor, hers in ((False, _HERS), (True, _EVERY_SUPERVISOR))
}
_SEE = sa.update(alerts).where(alerts.c.id == sa.bindparam("of"), alerts.c.seen_at.is_(None))


class SqlJournal(SqlUpkeep):
    """The event log, decisions, alerts, and all that `upkeep` holds."""

    def seq(self) -> int:
        """Return the number of the last event that this transaction can see (0: none)."""
        last: int = self._connection.execute(_SEQ).scalar_one()
        return last

    def events_since(self, seq: int, *, limit: int = 1000) -> tuple[Logged, ...]:
        """Return the events after ``seq``, in the order of commits."""
        rows = many(self._connection, _SINCE, {"after": seq, "at_most": limit})
        return tuple(map(_logged, rows))

    def numbers_since(self, seq: int, *, limit: int) -> tuple[int, ...]:
        """Return the numbers of the events after ``seq``, in the order of commits."""
        asked = {"after": seq, "at_most": limit}
        return tuple(self._connection.execute(_NUMBERS, asked).scalars())

    def touching_since(self, seq: int, *, limit: int) -> tuple[Logged, ...]:
        """Return the events after ``seq`` that change what can be decided, in order.

        What a customer said changes nothing before it is read, which is an event of its own.
        """
        rows = many(self._connection, _TOUCHING, {"after": seq, "at_most": limit})
        return tuple(map(_logged, rows))

    def history(
        self,
        *,
        conversation: ConversationId | None = None,
        contact: ContactId | None = None,
        case: CaseId | None = None,
        limit: int = 200,
    ) -> tuple[tuple[datetime, Logged], ...]:
        """Return when and what happened to a thing, oldest first (the latest ``limit``)."""
        named = dict(zip(_ABOUT, (conversation, contact, case), strict=True))
        given = {name: each for name, each in named.items() if each is not None}
        asked = {f"of_{name}": each for name, each in given.items()}
        rows = many(self._connection, _HISTORY[tuple(given)], {**asked, "at_most": limit})
        return tuple((row["at"], _logged(row)) for row in reversed(rows))

    def decide(self, record: DecisionRecord) -> None:
        """Keep a decision with its reasons."""
        self._connection.execute(
            _DECIDE,
            {
                "id": record.id,
                "at": record.at,
                "kind": record.kind,
                "conversation_id": record.conversation,
                "agent_id": record.agent,
                "reservation_id": record.reservation,
                "because": dump(record.because),
                "seen_seq": record.seen_seq,
                "cases": dump(record.cases),
            },
        )

    def decisions(
        self, conversation: ConversationId, *, limit: int = 50
    ) -> tuple[DecisionRecord, ...]:
        """Return the decisions on a conversation, newest first."""
        asked = {"of": conversation, "at_most": limit}
        return tuple(map(_decision, many(self._connection, _DECISIONS, asked)))

    def decided_between(
        self, since: datetime, until: datetime, *, kinds: Collection[str]
    ) -> tuple[DecisionRecord, ...]:
        """Return the decisions of some kinds from ``since`` until before ``until``, in order."""
        asked = {"since": since, "until_": until, "kinds": list(kinds)}
        return tuple(map(_decision, many(self._connection, _DECIDED_BETWEEN, asked)))

    def decisions_named(self, names: Collection[str]) -> Mapping[str, DecisionRecord]:
        """Return those of the decisions that are kept."""
        found = many(self._connection, _DECISIONS_NAMED, {"names": list(names)})
        return {row["id"]: _decision(row) for row in found}

    def alert(self, alert: Alert) -> None:
        """Keep something that somebody must look at now."""
        self._connection.execute(
            _ALERT,
            {
                "id": alert.id,
                "at": alert.at,
                "agent_id": alert.agent,
                "kind": alert.kind,
                "conversation_id": alert.conversation,
                "case_id": alert.case,
                "facts": dump(alert.facts),
                "seen_at": alert.seen_at,
            },
        )

    def alerts(self, agent: AgentId, *, supervisor: bool, limit: int = 50) -> tuple[Alert, ...]:
        """Return alerts not yet seen, newest first: the agent's, and those to all supervisors."""
        asked = {"of": agent, "at_most": limit}
        return tuple(map(_alert, many(self._connection, _ALERTS[supervisor], asked)))

    def see_alert(self, alert: str, *, by: AgentId, at: datetime) -> None:
        """Note who saw an alert first."""
        self._connection.execute(_SEE, {"of": alert, "seen_by": by, "seen_at": at})


def _logged(row: RowMapping) -> Logged:
    contact, conversation = row["contact_id"], row["conversation_id"]
    case, agent, facts = row["case_id"], row["agent_id"], row["facts"]
    event = Happened(
        kind=row["kind"],
        contact=None if contact is None else ContactId(contact),
        conversation=None if conversation is None else ConversationId(conversation),
        case=None if case is None else CaseId(case),
        agent=None if agent is None else AgentId(agent),
        facts=None if facts is None else load(dict[str, Any], facts),
    )
    return Logged(seq=row["seq"], at=row["at"], event=event)


def _decision(row: RowMapping) -> DecisionRecord:
    agent, reservation = row["agent_id"], row["reservation_id"]
    return DecisionRecord(
        id=row["id"],
        at=row["at"],
        kind=row["kind"],
        conversation=ConversationId(row["conversation_id"]),
        agent=None if agent is None else AgentId(agent),
        reservation=None if reservation is None else ReservationId(reservation),
        because=load(dict[str, Any], row["because"]),
        seen_seq=row["seen_seq"],
        cases=load(tuple[CaseId, ...], row["cases"]),
    )


def _alert(row: RowMapping) -> Alert:
    agent, conversation, case = row["agent_id"], row["conversation_id"], row["case_id"]
    return Alert(
        id=row["id"],
        at=row["at"],
        agent=None if agent is None else AgentId(agent),
        kind=row["kind"],
        conversation=None if conversation is None else ConversationId(conversation),
        case=None if case is None else CaseId(case),
        facts=load(dict[str, Any], row["facts"]),
        seen_at=row["seen_at"],
    )
