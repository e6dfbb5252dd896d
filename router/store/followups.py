"""The repository of the questions that follow a resolution."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from router.domain.followup import FollowUp, FollowUpState
from router.domain.ids import CaseId, ContactId, ConversationId, InteractionId
from router.store.aftermath import follow_ups
from router.store.rows import many, must_change

_among: sa.BindParameter[Any] = sa.bindparam("members", expanding=True)
_OLDEST = (follow_ups.c.since, follow_ups.c.id)
_ADD = sa.insert(follow_ups)
_SAVE = sa.update(follow_ups).where(
    follow_ups.c.id == sa.bindparam("of"), follow_ups.c.version == sa.bindparam("expected")
)
_DUE = (
    sa.select(follow_ups)
    .where(
        follow_ups.c.state == FollowUpState.DUE.value, follow_ups.c.next_at <= sa.bindparam("at")
    )
    .order_by(follow_ups.c.next_at, follow_ups.c.id)
    .limit(sa.bindparam("at_most", type_=sa.Integer))
)
_WAITING = (
    sa.select(follow_ups)
    .where(
        follow_ups.c.contact_id.in_(_among),
        follow_ups.c.state.in_((FollowUpState.DUE.value, FollowUpState.ASKED.value)),
    )
    .order_by(*_OLDEST)
)
_OF = sa.select(follow_ups).where(follow_ups.c.case_id == sa.bindparam("of")).order_by(*_OLDEST)


class SqlFollowUps:
    """Fulfils `router.service.unit.FollowUps` on a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, follow_up: FollowUp) -> None:
        """Insert."""
        values = {"id": follow_up.id, **_values(follow_up), "version": follow_up.version}
        self._connection.execute(_ADD, values)

    def save(self, follow_up: FollowUp) -> FollowUp:
        """Write if the version is the stored one, else raise Conflict; return it as it is now."""
        version = follow_up.version
        keys = {"of": follow_up.id, "expected": version, "version": version + 1}
        problem = f"follow-up {follow_up.id} was changed meanwhile"
        must_change(self._connection, _SAVE, {**keys, **_values(follow_up)}, problem)
        return replace(follow_up, version=version + 1)

    def due(self, at: datetime, *, limit: int = 50) -> tuple[FollowUp, ...]:
        """Return what is to be asked and is looked at again now, the longest waiting first."""
        rows = many(self._connection, _DUE, {"at": at, "at_most": limit})
        return tuple(map(_follow_up, rows))

    def waiting(self, members: Collection[ContactId]) -> tuple[FollowUp, ...]:
        """Return a person's follow-ups that are due or asked, oldest first."""
        rows = many(self._connection, _WAITING, {"members": list(members)})
        return tuple(map(_follow_up, rows))

    def of(self, case: CaseId) -> tuple[FollowUp, ...]:
        """Return a case's follow-ups, oldest first."""
        return tuple(map(_follow_up, many(self._connection, _OF, {"of": case})))


def _values(follow_up: FollowUp) -> dict[str, Any]:
    return {
        "case_id": follow_up.case,
        "contact_id": follow_up.contact,
        "state": follow_up.state.value,
        "since": follow_up.since,
        "next_at": follow_up.next_at,
        "conversation_id": follow_up.conversation,
        "interaction_id": follow_up.question,
        "asked_at": follow_up.asked_at,
        "settled_at": follow_up.settled_at,
    }


def _follow_up(row: RowMapping) -> FollowUp:
    conversation, question = row["conversation_id"], row["interaction_id"]
    return FollowUp(
        id=row["id"],
        case=CaseId(row["case_id"]),
        contact=ContactId(row["contact_id"]),
        state=FollowUpState(row["state"]),
        since=row["since"],
        next_at=row["next_at"],
        conversation=None if conversation is None else ConversationId(conversation),
        question=None if question is None else InteractionId(question),
        asked_at=row["asked_at"],
        settled_at=row["settled_at"],
        version=row["version"],
    )
