"""The repository of crises and their statements."""

from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from router.domain.crisis import Crisis, CrisisState, Subject, Wordings, subject_of
from router.store.aftermath import crises
from router.store.codec import dump, load
from router.store.dialect import insert_new
from router.store.rows import insert, many, must_change, one, the

_at_most = sa.bindparam("at_most", type_=sa.Integer)
_ADD = insert_new(crises)
_GET = sa.select(crises).where(crises.c.id == sa.bindparam("of"))
_SAVE = sa.update(crises).where(
    crises.c.id == sa.bindparam("of"), crises.c.version == sa.bindparam("expected")
)
_LIVE = sa.select(crises).where(crises.c.ended_at.is_(None)).order_by(crises.c.raised_at)
_ENDED = (
    sa.select(crises)
    .where(crises.c.ended_at.is_not(None))
    .order_by(crises.c.raised_at.desc(), crises.c.id.desc())
    .limit(_at_most)
)
_LAST_ON = (
    sa.select(crises)
    .where(crises.c.subject == sa.bindparam("subject"))
    .order_by(crises.c.raised_at.desc(), crises.c.id.desc())
    .limit(1)
)


class SqlCrises:
    """Fulfils `router.service.unit.Crises` on a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, crisis: Crisis) -> bool:
        """Insert; return False if there is a crisis on this subject already."""
        values = {"id": crisis.id, **_values(crisis), "version": crisis.version}
        return insert(self._connection, _ADD, values)

    def get(self, crisis: str) -> Crisis:
        """Return one; raises NotFound."""
        return _crisis(the(self._connection, _GET, {"of": crisis}, f"crisis {crisis}"))

    def save(self, crisis: Crisis) -> Crisis:
        """Write if the version is the stored one, else raise Conflict; return it as it is now."""
        keys = {"of": crisis.id, "expected": crisis.version, "version": crisis.version + 1}
        problem = f"crisis {crisis.id} was changed meanwhile"
        must_change(self._connection, _SAVE, {**keys, **_values(crisis)}, problem)
        return replace(crisis, version=crisis.version + 1)

    def live(self) -> tuple[Crisis, ...]:
        """Return those that are not over, oldest first."""
        return tuple(map(_crisis, many(self._connection, _LIVE)))

    def ended(self, *, limit: int = 50) -> tuple[Crisis, ...]:
        """Return those that are over, newest first."""
        return tuple(map(_crisis, many(self._connection, _ENDED, {"at_most": limit})))

    def last_on(self, subject: Subject) -> Crisis | None:
        """Return the latest crisis on a subject, over or not."""
        row = one(self._connection, _LAST_ON, {"subject": subject.key})
        return None if row is None else _crisis(row)


def _values(crisis: Crisis) -> dict[str, Any]:
    return {
        "subject": crisis.subject.key,
        "state": crisis.state.value,
        "raised_at": crisis.raised_at,
        "raised_by": crisis.raised_by,
        "count": crisis.count,
        "usual": crisis.usual,
        "wordings": dump(crisis.wordings),
        "drafted_by": crisis.drafted_by,
        "drafted_at": crisis.drafted_at,
        "approved_by": crisis.approved_by,
        "approved_at": crisis.approved_at,
        "pinned_at": crisis.pinned_at,
        "ended_by": crisis.ended_by,
        "ended_at": crisis.ended_at,
    }


def _crisis(row: RowMapping) -> Crisis:
    given = {name: row[name] for name in ("id", "raised_at", "raised_by", "count", "usual")}
    settled = ("drafted_by", "drafted_at", "approved_by", "approved_at", "pinned_at")
    over = ("ended_by", "ended_at", "version")
    return Crisis(
        subject=subject_of(row["subject"]),
        state=CrisisState(row["state"]),
        wordings=load(Wordings, row["wordings"]),
        **given,
        **{name: row[name] for name in (*settled, *over)},
    )
