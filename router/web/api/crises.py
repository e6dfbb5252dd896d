"""Crises: what many complain of, the statement about it, and the conversations on it."""

from datetime import datetime
from typing import Any, Self

import msgspec

from router.domain.crisis import Crisis, CrisisState, subject_of
from router.domain.ids import ConversationId, QueueName
from router.domain.workforce import Role
from router.service import crisis as verbs
from router.service.cards import Card, cards_of
from router.service.statement import (
    Statement,
    Together,
    about,
    route_together,
    state,
    state_together,
    statements_for,
)
from router.service.unit import Unit
from router.web.api.answers import SaidShape
from router.web.api.cards import CardShape
from router.web.api.operations import Asked, Operations
from router.web.api.shapes import InteractionShape, Shape

operations = Operations("crises")


class CrisisShape(Shape, frozen=True):
    """A crisis. ``subject`` is ``topic:NAME`` or ``product:NAME``.

    ``wordings`` holds the statement by family of channels (or ``any``) and language. ``count``
    persons complained where ``usual`` were to be expected.
    """

    id: str
    subject: str
    state: CrisisState
    raised_at: datetime
    raised_by: str
    count: int
    usual: float
    wordings: dict[str, dict[str, str]]
    drafted_by: str
    drafted_at: datetime | None
    approved_by: str
    approved_at: datetime | None
    pinned_at: datetime | None
    ended_by: str
    ended_at: datetime | None

    @classmethod
    def of(cls, value: Crisis) -> Self:
        """Return the crisis."""
        special = {"subject", "wordings"}
        names = [name for name in cls.__struct_fields__ if name not in special]
        return cls(
            subject=value.subject.key,
            wordings={family: dict(said) for family, said in value.wordings.items()},
            **{name: getattr(value, name) for name in names},
        )


class CrisisFileShape(Shape, frozen=True):
    """A crisis with the open conversations on it."""

    crisis: CrisisShape
    conversations: tuple[CardShape, ...]


class StatementShape(Shape, frozen=True):
    """What is to be said first in a conversation, in its channel's tone and its language."""

    crisis: str
    subject: str
    text: str


class TogetherShape(Shape, frozen=True):
    """What became of many conversations: done, and left out with the code of the error."""

    done: tuple[str, ...]
    left_out: dict[str, str]

    @classmethod
    def of(cls, value: Together) -> Self:
        """Return what became of them."""
        left_out = {str(name): code for name, code in value.left_out.items()}
        return cls(done=tuple(value.done), left_out=left_out)


class SubjectBody(msgspec.Struct, forbid_unknown_fields=True):
    """What it is about: ``topic:NAME``, or ``product:NAME`` of crisis.toml."""

    subject: str


class WordingsBody(msgspec.Struct, forbid_unknown_fields=True):
    """The statement: family of channels (or ``any``, in Chinese and English) → language → words."""

    wordings: dict[str, dict[str, str]]


class ChosenBody(msgspec.Struct, forbid_unknown_fields=True):
    """Which conversations."""

    conversations: tuple[str, ...]


class RoutedBody(msgspec.Struct, forbid_unknown_fields=True):
    """Which conversations, and where they go."""

    conversations: tuple[str, ...]
    queue: str


async def _do(asked: Asked, verb: Any, **given: Any) -> CrisisShape:
    held = await asked.deps.store.transact(
        verb, crisis=asked.part("crisis"), by=asked.agent.id, at=asked.at, **given
    )
    return CrisisShape.of(held)


@operations.add("GET", "/crises", answer=tuple[CrisisShape, ...], role=Role.SUPERVISOR)
async def list_crises(asked: Asked) -> tuple[CrisisShape, ...]:
    """List the crises that stand, oldest first, and then those that are over, newest first."""
    found = await asked.deps.store.read(_listed)
    return tuple(map(CrisisShape.of, found))


def _listed(unit: Unit) -> tuple[Crisis, ...]:
    return (*unit.crises.live(), *unit.crises.ended())


@operations.add("POST", "/crises", answer=CrisisShape, body=SubjectBody, role=Role.SUPERVISOR)
async def raise_crisis(asked: Asked) -> CrisisShape:
    """Raise a crisis by hand."""
    raised = await asked.deps.store.transact(
        verbs.declare,
        subject=subject_of(asked.body.subject),
        by=asked.agent.id,
        policy=asked.deps.policy,
        at=asked.at,
    )
    return CrisisShape.of(raised)


@operations.add("GET", "/crises/{crisis}", answer=CrisisFileShape, role=Role.SUPERVISOR)
async def get_crisis(asked: Asked) -> CrisisFileShape:
    """Return a crisis with the open conversations on it."""
    crisis, cards = await asked.deps.store.read(
        _laid_open, asked.part("crisis"), policy=asked.deps.policy, at=asked.at
    )
    return CrisisFileShape(
        crisis=CrisisShape.of(crisis), conversations=tuple(map(CardShape.of, cards))
    )


def _laid_open(unit: Unit, crisis: str, /, **given: Any) -> tuple[Crisis, tuple[Card, ...]]:
    found = unit.crises.get(crisis)
    held = about(unit, found, policy=given["policy"])
    return found, cards_of(unit, held, **given)


@operations.add(
    "PUT",
    "/crises/{crisis}/statement",
    answer=CrisisShape,
    body=WordingsBody,
    role=Role.SUPERVISOR,
)
async def draft_statement(asked: Asked) -> CrisisShape:
    """Write the statement; it is a draft again until it is approved and pinned."""
    return await _do(asked, verbs.draft, wordings=asked.body.wordings)


@operations.add("POST", "/crises/{crisis}/approve", answer=CrisisShape, role=Role.SUPERVISOR)
async def approve_statement(asked: Asked) -> CrisisShape:
    """Approve the draft."""
    return await _do(asked, verbs.approve)


@operations.add("POST", "/crises/{crisis}/pin", answer=CrisisShape, role=Role.SUPERVISOR)
async def pin_statement(asked: Asked) -> CrisisShape:
    """Let bots and agents say the approved statement first from now on."""
    return await _do(asked, verbs.pin)


@operations.add("POST", "/crises/{crisis}/end", answer=CrisisShape, role=Role.SUPERVISOR)
async def end_crisis(asked: Asked) -> CrisisShape:
    """End a crisis; its statement is said no more."""
    return await _do(asked, verbs.end)


def _chosen(asked: Asked) -> dict[str, Any]:
    names = tuple(map(ConversationId, asked.body.conversations))
    return {"conversations": names, "by": asked.agent.id, "at": asked.at}


@operations.add(
    "POST",
    "/crises/{crisis}/say",
    answer=TogetherShape,
    body=ChosenBody,
    role=Role.SUPERVISOR,
)
async def say_statement_together(asked: Asked) -> TogetherShape:
    """Say the pinned statement in many conversations, wherever they stand."""
    deps = asked.deps
    done = await deps.store.transact(
        state_together,
        crisis=asked.part("crisis"),
        families=deps.families,
        capabilities=deps.capabilities,
        **_chosen(asked),
    )
    return TogetherShape.of(done)


@operations.add(
    "POST",
    "/crises/{crisis}/route",
    answer=TogetherShape,
    body=RoutedBody,
    role=Role.SUPERVISOR,
)
async def route_conversations_together(asked: Asked) -> TogetherShape:
    """Put many conversations in one queue."""
    done = await asked.deps.store.transact(
        route_together,
        queue=QueueName(asked.body.queue),
        policy=asked.deps.policy,
        **_chosen(asked),
    )
    return TogetherShape.of(done)


@operations.add(
    "GET", "/conversations/{conversation}/statements", answer=tuple[StatementShape, ...]
)
async def list_statements(asked: Asked) -> tuple[StatementShape, ...]:
    """List the pinned statements that are to be said first in a conversation."""
    deps = asked.deps
    found = await deps.store.read(
        _first, asked.part("conversation"), policy=deps.policy, families=deps.families
    )
    return tuple(
        StatementShape(crisis=each.crisis, subject=each.subject, text=each.text) for each in found
    )


def _first(unit: Unit, conversation: str, /, **given: Any) -> tuple[Statement, ...]:
    return statements_for(unit, unit.conversations.get(ConversationId(conversation)), **given)


@operations.add(
    "POST",
    "/conversations/{conversation}/statements/{crisis}",
    answer=SaidShape,
    status=201,
)
async def say_statement(asked: Asked) -> SaidShape:
    """Say a pinned statement in a conversation that one has in hand; twice is once."""
    said = await asked.deps.store.transact(
        _stated,
        asked,
        crisis=asked.part("crisis"),
        conversation=ConversationId(asked.part("conversation")),
    )
    return SaidShape(interaction=InteractionShape.of(said.interaction), outbox=said.outbox)


def _stated(unit: Unit, asked: Asked, *, crisis: str, conversation: ConversationId) -> Any:
    return state(
        unit,
        crisis=crisis,
        conversation=conversation,
        by=asked.agent.id,
        families=asked.deps.families,
        capabilities=asked.deps.able(unit.conversations.get(conversation).account),
        at=asked.at,
    )
