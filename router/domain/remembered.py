"""What colleagues remember of a person: "low-allergen only", "calls after six"."""

from dataclasses import dataclass
from datetime import datetime

from router.domain.ids import AgentId, ContactId


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """One thing to remember.

    ``contact`` is the origin contact that it was written of, never rewritten by a merge: after a
    split each side has its own.
    """

    id: str
    contact: ContactId
    text: str
    written_by: AgentId
    written_at: datetime
    changed_by: AgentId | None = None
    changed_at: datetime | None = None
    removed_at: datetime | None = None
    version: int = 0
