"""Notes to remember about a person: written, changed and taken away, each by somebody."""

from dataclasses import replace
from datetime import datetime

from router.domain.errors import Invalid
from router.domain.events import Happened
from router.domain.ids import AgentId, ContactId
from router.domain.remembered import Remembered
from router.service.ports import NotFound
from router.service.unit import Unit

#: The longest note, and how many one person may have.
LONGEST, MOST = 300, 30


def remembered_of(unit: Unit, contact: ContactId) -> tuple[Remembered, ...]:
    """Return what is remembered of a person over all merged contacts, oldest first."""
    return unit.memory.of(unit.contacts.members(unit.contacts.get(contact).id))


def remember(unit: Unit, *, contact: ContactId, text: str, by: AgentId, at: datetime) -> Remembered:
    """Write down something to remember; raises NotFound or Invalid."""
    unit.contacts.lock(unit.contacts.get(contact).id)
    if len(remembered_of(unit, contact)) >= MOST:
        raise Invalid(f"text: there are {MOST} notes already; take one away first")
    noted = Remembered(
        id=unit.new_id(), contact=contact, text=_worded(text), written_by=by, written_at=at
    )
    unit.memory.add(noted)
    _log(unit, noted, by=by, at=at)
    return noted


def amend(unit: Unit, *, noted: str, text: str, by: AgentId, at: datetime) -> Remembered:
    """Word a note anew; raises NotFound, Conflict or Invalid."""
    held = _standing(unit, noted)
    changed = replace(held, text=_worded(text), changed_by=by, changed_at=at)
    saved = unit.memory.save(changed)
    _log(unit, saved, by=by, at=at)
    return saved


def unremember(unit: Unit, *, noted: str, by: AgentId, at: datetime) -> None:
    """Take a note away; raises NotFound or Conflict."""
    held = _standing(unit, noted)
    saved = unit.memory.save(replace(held, changed_by=by, changed_at=at, removed_at=at))
    _log(unit, saved, by=by, at=at)


def _standing(unit: Unit, noted: str) -> Remembered:
    held = unit.memory.get(noted)
    if held.removed_at is not None:
        raise NotFound("this note was taken away")
    return held


def _worded(text: str) -> str:
    worded = text.strip()
    if not worded:
        raise Invalid("text: is empty; write what is to be remembered")
    if len(worded) > LONGEST:
        raise Invalid(f"text: has {len(worded)} characters; the most is {LONGEST}")
    return worded


def _log(unit: Unit, noted: Remembered, *, by: AgentId, at: datetime) -> None:
    unit.record(
        Happened(
            kind="remembered_changed", contact=noted.contact, agent=by, facts={"note": noted.id}
        ),
        at=at,
    )
