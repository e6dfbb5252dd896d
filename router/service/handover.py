"""What an agent is given with a conversation: what happened, the mood, and what to remember."""

from dataclasses import dataclass

from router.domain.digest import Point, digest
from router.domain.ids import ConversationId
from router.domain.reading import Mood
from router.domain.remembered import Remembered
from router.service.remember import remembered_of
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
    return Handover(
        points=digest(
            conversation,
            unit.conversations.timeline(members, limit=_LOOK_BACK),
            unit.cases.open_of(members),
        ),
        mood=held.mood,
        notes=remembered_of(unit, held.contact),
    )
