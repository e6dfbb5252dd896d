"""The repository of what is probably true: that two contacts are one person."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from router.domain.evidence import Proposal
from router.domain.ids import ContactId
from router.store.dialect import insert_new
from router.store.rows import insert, many, must_change, the
from router.store.tables import proposals

_among: sa.BindParameter[Any] = sa.bindparam("members", expanding=True)
_ADD = insert_new(proposals)
_GET = sa.select(proposals).where(proposals.c.id == sa.bindparam("of"))
_OPEN = (
    sa.select(proposals)
    .where(
        proposals.c.state == "open",
        sa.or_(proposals.c.one_id.in_(_among), proposals.c.other_id.in_(_among)),
    )
    .order_by(proposals.c.strength.desc(), proposals.c.at, proposals.c.id)
)
_DECIDE = sa.update(proposals).where(
    proposals.c.id == sa.bindparam("of"), proposals.c.state == "open"
)


class SqlProposals:
    """Fulfils `router.service.unit.Proposals` on a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, proposal: Proposal) -> bool:
        """Insert; return False if the same was proposed before, whatever became of it."""
        return insert(
            self._connection,
            _ADD,
            {
                "id": proposal.id,
                "one_id": proposal.one,
                "other_id": proposal.other,
                "evidence": proposal.evidence,
                "strength": proposal.strength,
                "at": proposal.at,
                "state": proposal.state,
                "decided_by": proposal.decided_by,
                "decided_at": proposal.decided_at,
            },
        )

    def get(self, proposal: str) -> Proposal:
        """Return one; raises NotFound."""
        return _proposal(the(self._connection, _GET, {"of": proposal}, f"proposal {proposal}"))

    def open_of(self, members: Collection[ContactId]) -> tuple[Proposal, ...]:
        """Return what is proposed of a person and undecided, strongest first."""
        rows = many(self._connection, _OPEN, {"members": list(members)})
        return tuple(map(_proposal, rows))

    def decide(self, proposal: str, *, state: str, by: str, at: datetime) -> None:
        """Accept or reject; raises Conflict if somebody else was first."""
        values = {"of": proposal, "state": state, "decided_by": by, "decided_at": at}
        must_change(self._connection, _DECIDE, values, f"proposal {proposal} is decided already")


def _proposal(row: RowMapping) -> Proposal:
    return Proposal(
        id=row["id"],
        one=ContactId(row["one_id"]),
        other=ContactId(row["other_id"]),
        evidence=row["evidence"],
        strength=row["strength"],
        at=row["at"],
        state=row["state"],
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
    )
