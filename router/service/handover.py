"""What an agent is given with a conversation: what happened, the mood, and what to remember."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from router.domain.case import Case
from router.domain.conversation import Conversation
from router.domain.digest import Point, digest
from router.domain.ids import ContactId, ConversationId
from router.domain.reading import Mood
from router.domain.remembered import Remembered
from router.service.briefing import last_word, written_lines
from router.service.unit import Unit

#: How much of a person's timeline is looked at.
_LOOK_BACK = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """Five lines over all channels, the customer's mood and its trend, and notes on the person.

    ``points`` are in the words of who said them. ``written`` are a model's, ``writer`` is its name;
    empty where none is configured, or none may be shown.
    """

    points: tuple[Point, ...]
    written: tuple[str, ...]
    writer: str
    mood: Mood
    notes: tuple[Remembered, ...]


def handover(unit: Unit, conversation: ConversationId) -> Handover:
    """Return what whoever takes a conversation should know; raises NotFound."""
    held = unit.conversations.get(conversation)
    members = unit.contacts.members(held.contact)
    return handed_over(
        unit,
        held,
        members=members,
        cases=unit.cases.open_of(members),
        notes=unit.memory.of(members),
    )


def handed_over(
    unit: Unit,
    held: Conversation,
    *,
    members: Collection[ContactId],
    cases: Sequence[Case],
    notes: tuple[Remembered, ...],
) -> Handover:
    """Return what whoever takes ``held`` should know of the person, whose cases are at hand."""
    timeline = unit.conversations.timeline(members, limit=_LOOK_BACK)
    written, writer = written_lines(unit, last_word(timeline, held.id))
    return Handover(
        points=digest(held.id, timeline, cases),
        written=written,
        writer=writer,
        mood=held.mood,
        notes=notes,
    )
