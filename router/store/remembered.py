"""The repository of what colleagues remember of a person."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from router.domain.ids import AgentId, ContactId
from router.domain.remembered import Remembered
from router.store.helpers import remembered
from router.store.rows import many, must_change, the

_among: sa.BindParameter[Any] = sa.bindparam("members", expanding=True)
_ADD = sa.insert(remembered)
_GET = sa.select(remembered).where(remembered.c.id == sa.bindparam("of"))
_SAVE = sa.update(remembered).where(
    remembered.c.id == sa.bindparam("of"), remembered.c.version == sa.bindparam("expected")
)
_OF = (
    sa.select(remembered)
    .where(remembered.c.contact_id.in_(_among), remembered.c.removed_at.is_(None))
    .order_by(remembered.c.written_at, remembered.c.id)
)


class SqlRemembered:
    """Fulfils `router.service.repository.help.Memory` on a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, noted: Remembered) -> None:
        """Insert."""
        self._connection.execute(_ADD, {"id": noted.id, **_values(noted), "version": 0})

    def get(self, noted: str) -> Remembered:
        """Return it, taken away or not; raises NotFound."""
        return _noted(the(self._connection, _GET, {"of": noted}, f"note {noted}"))

    def save(self, noted: Remembered) -> Remembered:
        """Write if the version is the stored one, else raise Conflict; return it as it is now."""
        version = noted.version
        keys = {"of": noted.id, "expected": version, "version": version + 1}
        problem = "a colleague changed this note meanwhile"
        must_change(self._connection, _SAVE, {**keys, **_values(noted)}, problem)
        return replace(noted, version=version + 1)

    def of(self, members: Collection[ContactId]) -> tuple[Remembered, ...]:
        """Return what is remembered of a person, oldest first."""
        return tuple(map(_noted, many(self._connection, _OF, {"members": list(members)})))


def _values(noted: Remembered) -> dict[str, Any]:
    return {
        "contact_id": noted.contact,
        "text": noted.text,
        "written_by": noted.written_by,
        "written_at": noted.written_at,
        "changed_by": noted.changed_by or "",
        "changed_at": noted.changed_at,
        "removed_at": noted.removed_at,
    }


def _noted(row: RowMapping) -> Remembered:
    return Remembered(
        id=row["id"],
        contact=ContactId(row["contact_id"]),
        text=row["text"],
        written_by=AgentId(row["written_by"]),
        written_at=row["written_at"],
        changed_by=AgentId(row["changed_by"]) if row["changed_by"] else None,
        changed_at=row["changed_at"],
        removed_at=row["removed_at"],
        version=row["version"],
    )
