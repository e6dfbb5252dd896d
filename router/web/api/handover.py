"""What an agent is given with a conversation, and notes to remember of a person."""

from datetime import datetime
from typing import Annotated, Self

import msgspec
from msgspec import Meta

from router.domain.digest import About, Point
from router.domain.ids import ContactId, ConversationId
from router.domain.reading import Trend
from router.domain.remembered import Remembered
from router.service import remember
from router.service.handover import Handover, handover
from router.web.api.operations import Asked, Operations
from router.web.api.shapes import Shape

operations = Operations("handover")


class PointShape(Shape, frozen=True):
    """One line of what happened, in the words of who said it."""

    about: About
    text: str
    channel: str | None
    at: datetime

    @classmethod
    def of(cls, value: Point) -> Self:
        """Return the line."""
        return cls(about=value.about, text=value.text, channel=value.channel, at=value.at)


class RememberedShape(Shape, frozen=True):
    """A note to remember about a person."""

    id: str
    text: str
    written_by: str
    written_at: datetime
    changed_by: str | None
    changed_at: datetime | None

    @classmethod
    def of(cls, value: Remembered) -> Self:
        """Return the note."""
        return cls(
            id=value.id,
            text=value.text,
            written_by=value.written_by,
            written_at=value.written_at,
            changed_by=value.changed_by,
            changed_at=value.changed_at,
        )


class HandoverShape(Shape, frozen=True):
    """What whoever takes a conversation should know: at most five lines over all channels.

    ``written`` are the lines of a model, of that name, where one sums up; made of the timeline's
    words only. ``anger`` is 0 calm, 1 annoyed, 2 upset, 3 furious.
    """

    points: tuple[PointShape, ...]
    written: tuple[str, ...]
    writer: str
    anger: int
    trend: Trend
    notes: tuple[RememberedShape, ...]


class NoteBody(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be remembered."""

    text: Annotated[str, Meta(min_length=1, max_length=remember.LONGEST)]


@operations.add("GET", "/conversations/{conversation}/handover", answer=HandoverShape)
async def get_handover(asked: Asked) -> HandoverShape:
    """Say what happened on all channels, how the customer fares, and what to remember."""
    conversation = ConversationId(asked.part("conversation"))
    found: Handover = await asked.deps.store.read(handover, conversation)
    return HandoverShape(
        points=tuple(map(PointShape.of, found.points)),
        written=found.written,
        writer=found.writer,
        anger=found.mood.anger,
        trend=found.mood.trend,
        notes=tuple(map(RememberedShape.of, found.notes)),
    )


@operations.add("GET", "/contacts/{contact}/remembered", answer=tuple[RememberedShape, ...])
async def list_remembered(asked: Asked) -> tuple[RememberedShape, ...]:
    """List what is remembered of a person, over all merged contacts."""
    found = await asked.deps.store.read(remember.remembered_of, ContactId(asked.part("contact")))
    return tuple(map(RememberedShape.of, found))


@operations.add(
    "POST", "/contacts/{contact}/remembered", answer=RememberedShape, body=NoteBody, status=201
)
async def add_remembered(asked: Asked) -> RememberedShape:
    """Write down something to remember about a person."""
    noted = await asked.deps.store.transact(
        remember.remember,
        contact=ContactId(asked.part("contact")),
        text=asked.body.text,
        by=asked.agent.id,
        at=asked.at,
    )
    return RememberedShape.of(noted)


@operations.add("PATCH", "/remembered/{note}", answer=RememberedShape, body=NoteBody)
async def change_remembered(asked: Asked) -> RememberedShape:
    """Word a note on a person anew."""
    noted = await asked.deps.store.transact(
        remember.amend,
        noted=asked.part("note"),
        text=asked.body.text,
        by=asked.agent.id,
        at=asked.at,
    )
    return RememberedShape.of(noted)


@operations.add("DELETE", "/remembered/{note}")
async def remove_remembered(asked: Asked) -> None:
    """Take a note on a person away."""
    await asked.deps.store.transact(
        remember.unremember, noted=asked.part("note"), by=asked.agent.id, at=asked.at
    )
