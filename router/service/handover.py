"""What an agent is given with a conversation: what happened, the mood, and what to remember."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from router.domain.case import Case
from router.domain.conversation import Conversation
from router.domain.digest import Point, digest
from router.domain.ids import ContactId, ConversationId
from router.domain.reading import Mood
from router.domain.remembered import Remembered
from router.service.unit import Unit

#: How much of a person's timeline is looked at.
_LOOK_BACK = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """Five lines over all channels, the customer's mood and its trend, and notes on the person."""

    points: tuple[Point, ...]
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
    return Handover(
        points=digest(held.id, unit.conversations.timeline(members, limit=_LOOK_BACK), cases),
        mood=held.mood,
        notes=notes,
    )
