"""The repository of corrected readings, which are labelled examples for training."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from router.domain.ids import AgentId, ContactId, InteractionId
from router.domain.reading import Labels, Reading
from router.service.records import Correction
from router.store.codec import dump, load
from router.store.rows import many
from router.store.tables import corrections

_ADD = sa.insert(corrections)
_NEWEST = (
    sa.select(corrections)
    .where(corrections.c.id < sa.bindparam("before_id"))
    .order_by(corrections.c.id.desc())
    .limit(sa.bindparam("at_most", type_=sa.Integer))
)
#: Sorts after every id.
_LAST = "\U0010ffff"


class SqlCorrections:
    """Fulfils `router.service.repository.talk.Corrections` on a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, correction: Correction) -> None:
        """Insert."""
        self._connection.execute(_ADD, _values(correction))

    def newest(self, *, before: str = "", limit: int = 100) -> tuple[Correction, ...]:
        """Return a page, newest first; ``before`` is the id of the last one of the page before."""
        asked = {"before_id": before or _LAST, "at_most": limit}
        return tuple(map(_correction, many(self._connection, _NEWEST, asked)))


def _values(correction: Correction) -> dict[str, Any]:
    return {
        "id": correction.id,
        "interaction_id": correction.interaction,
        "contact_id": correction.contact,
        "at": correction.at,
        "by": correction.by,
        "text": correction.text,
        "labels": dump(correction.labels),
        "before": None if correction.before is None else dump(correction.before),
    }


def _correction(row: RowMapping) -> Correction:
    before = row["before"]
    return Correction(
        id=row["id"],
        interaction=InteractionId(row["interaction_id"]),
        contact=ContactId(row["contact_id"]),
        at=row["at"],
        by=AgentId(row["by"]),
        text=row["text"],
        labels=load(Labels, row["labels"]),
        before=None if before is None else load(Reading, before),
    )
