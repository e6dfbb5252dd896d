"""How messages are read: corrected by colleagues, and by which readers."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from router.domain.ids import InteractionId
from router.domain.reading import Intent, Labels
from router.domain.workforce import Role
from router.service.correct import correct_reading
from router.service.records import Correction
from router.service.unit import Unit
from router.web.api.operations import Asked, Operations
from router.web.api.shapes import InteractionShape, ReadingShape, Shape

operations = Operations("readings")


class LabelsBody(msgspec.Struct, forbid_unknown_fields=True):
    """How a message is to be read. ``severity`` is 1 to 3 for a complaint and 0 otherwise."""

    complaint: bool
    severity: int
    intent: Intent
    language: str
    wants_human: bool


class LabelsShape(Shape, frozen=True):
    """How a colleague says that a message is to be read."""

    complaint: bool
    severity: int
    intent: Intent
    language: str
    wants_human: bool


class CorrectionShape(Shape, frozen=True):
    """A labelled example: the words, the labels, who and when, and the reading before."""

    id: str
    interaction: str
    contact: str
    at: datetime
    by: str
    text: str
    labels: LabelsShape
    before: ReadingShape | None

    @classmethod
    def of(cls, value: Correction) -> "CorrectionShape":
        """Return the correction."""
        names = [name for name in cls.__struct_fields__ if name not in {"labels", "before"}]
        return cls(
            **{name: getattr(value, name) for name in names},
            labels=LabelsShape.of(value.labels),
            before=ReadingShape.of(value.before) if value.before else None,
        )


class CorrectionsQuery(msgspec.Struct, forbid_unknown_fields=True):
    """A page of corrections, newest first; ``before`` pages by key."""

    before: str = ""
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class CorrectionList(Shape, frozen=True):
    """A page of corrections; ``next`` is the next page's ``before``."""

    corrections: tuple[CorrectionShape, ...]
    next: str = ""


class ReadersShape(Shape, frozen=True):
    """How many processes read by each reader, what they lack, and how often one came anew."""

    readers: dict[str, int]
    warnings: dict[str, str]
    restarts: int


@operations.add(
    "PUT", "/interactions/{interaction}/reading", answer=InteractionShape, body=LabelsBody
)
async def correct_interaction_reading(asked: Asked) -> InteractionShape:
    """Say how a customer's message is to be read; a complaint opens or joins a case.

    A message that is no complaint after all closes no case: that takes an acknowledgement and a
    resolution.
    """
    body: LabelsBody = asked.body
    said = await asked.deps.store.transact(
        correct_reading,
        interaction=InteractionId(asked.part("interaction")),
        labels=Labels(
            complaint=body.complaint,
            severity=body.severity,
            intent=body.intent,
            language=body.language,
            wants_human=body.wants_human,
        ),
        by=asked.agent.id,
        policy=asked.deps.policy,
        at=asked.at,
    )
    return InteractionShape.of(said)


@operations.add(
    "GET", "/corrections", answer=CorrectionList, query=CorrectionsQuery, role=Role.SUPERVISOR
)
async def list_corrections(asked: Asked) -> CorrectionList:
    """List how colleagues corrected readings, newest first."""
    found = await asked.deps.store.read(_newest, asked.query)
    more = found[-1].id if len(found) == asked.query.limit else ""
    return CorrectionList(corrections=tuple(map(CorrectionShape.of, found)), next=more)


def _newest(unit: Unit, wished: CorrectionsQuery) -> tuple[Correction, ...]:
    return unit.corrections.newest(before=wished.before, limit=wished.limit)


@operations.add("GET", "/readers", answer=ReadersShape, role=Role.SUPERVISOR)
async def get_readers(asked: Asked) -> ReadersShape:
    """Say which readers read messages now, and what they lack."""
    state = asked.deps.readers
    return ReadersShape(
        readers=dict(state.readers), warnings=dict(state.warnings()), restarts=state.restarts
    )
