"""The repository of what became of the coach's hints."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from router.domain.coach import Rule
from router.domain.ids import ConversationId
from router.service.ports import Ids
from router.store.helpers import coached

_ADD = sa.insert(coached)
_COUNTS = (
    sa.select(coached.c.rule, coached.c.outcome, sa.func.count().label("times"))
    .where(coached.c.at > sa.bindparam("since"), coached.c.at <= sa.bindparam("until"))
    .group_by(coached.c.rule, coached.c.outcome)
)


class SqlCoached:
    """Fulfils `router.service.repository.help.Coached` on a connection."""

    def __init__(self, connection: Connection, ids: Ids) -> None:
        self._connection, self._ids = connection, ids

    def add(
        self,
        *,
        at: datetime,
        conversation: ConversationId,
        author: str,
        rule: Rule,
        outcome: str,
    ) -> None:
        """Count one hint: taken, or sent all the same."""
        values = {
            "id": self._ids.new(),
            "at": at,
            "conversation_id": conversation,
            "author": author,
            "rule": rule.value,
            "outcome": outcome,
        }
        self._connection.execute(_ADD, values)

    def counts(self, since: datetime, until: datetime) -> dict[tuple[str, str], int]:
        """Return how many hints there were in that time, by (rule, outcome)."""
        asked = {"since": since, "until": until}
        rows = self._connection.execute(_COUNTS, asked).mappings().all()
        return {(row["rule"], row["outcome"]): row["times"] for row in rows}
