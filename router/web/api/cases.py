"""Complaint cases: listed by their clocks, read with the customer's words, handled."""

from typing import Any

import msgspec

from router.domain.case import Resolution
from router.domain.errors import Invalid
from router.domain.ids import AgentId, CaseId, QueueName
from router.service import cases
from router.service.cards import CaseCard, case_cards
from router.service.stories import CaseFile, case_file
from router.service.unit import Unit
from router.web.api.cards import CaseCardShape, StoryShape
from router.web.api.conversations import QueueBody
from router.web.api.operations import Asked, Operations
from router.web.api.shapes import CaseShape, EventShape, PersonShape, Shape

operations = Operations("cases")


class ListQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Which open cases: an agent's, a queue's, those that concern a shop (an account)."""

    owner: str = ""
    queue: str = ""
    shop: str = ""
    severity: int | None = None


class CaseFileShape(Shape, frozen=True):
    """A case laid open: its words from every channel, its person, what happened to it."""

    story: StoryShape
    person: PersonShape
    history: tuple[EventShape, ...]


class OwnBody(msgspec.Struct, forbid_unknown_fields=True):
    """Whose it is from now on."""

    agent: str


class CorrectBody(msgspec.Struct, forbid_unknown_fields=True):
    """What was understood wrongly; without ``shop``, an account, that stays as it is."""

    severity: int
    topic: str
    order: str = ""
    shop: str | None = None


class ResolveBody(msgspec.Struct, forbid_unknown_fields=True):
    """How it was resolved."""

    resolution: Resolution
    note: str = ""


async def _do(asked: Asked, verb: Any, **given: Any) -> CaseShape:
    held = await asked.deps.store.transact(
        verb, case=CaseId(asked.part("case")), by=asked.agent.id, at=asked.at, **given
    )
    return CaseShape.of(held)


@operations.add("GET", "/cases", answer=tuple[CaseCardShape, ...], query=ListQuery)
async def list_cases(asked: Asked) -> tuple[CaseCardShape, ...]:
    """List open cases, the next due first."""
    wished: ListQuery = asked.query
    found = await asked.deps.store.read(_listed, wished, at=asked.at)
    return tuple(map(CaseCardShape.of, found))


def _listed(unit: Unit, /, wished: ListQuery, **given: Any) -> tuple[CaseCard, ...]:
    fits = tuple(
        case
        for case in unit.cases.all_open()
        if wished.owner in {"", case.owner}
        and wished.queue in {"", case.queue}
        and wished.shop in {"", case.shop}
        and wished.severity in {None, case.severity}
    )
    return case_cards(unit, fits, **given)


@operations.add("GET", "/cases/{case}", answer=CaseFileShape)
async def get_case(asked: Asked) -> CaseFileShape:
    """Lay a case open, with the customer's own words from every channel."""
    found: CaseFile = await asked.deps.store.read(
        case_file, case=CaseId(asked.part("case")), at=asked.at
    )
    return CaseFileShape(
        story=StoryShape.of(found.story),
        person=PersonShape.of(found.person),
        history=tuple(
            EventShape(at=when, kind=kind, facts=dict(facts)) for when, kind, facts in found.history
        ),
    )


@operations.add("POST", "/cases/{case}/acknowledge", answer=CaseShape)
async def acknowledge_case(asked: Asked) -> CaseShape:
    """Note that the customer was told; a case that nobody owns becomes one's own."""
    return await _do(asked, cases.acknowledge)


@operations.add("POST", "/cases/{case}/own", answer=CaseShape, body=OwnBody)
async def own_case(asked: Asked) -> CaseShape:
    """Give a case to an agent."""
    return await _do(asked, cases.own, owner=AgentId(asked.body.agent))


@operations.add("POST", "/cases/{case}/enqueue", answer=CaseShape, body=QueueBody)
async def enqueue_case(asked: Asked) -> CaseShape:
    """Put a case back in a queue."""
    return await _do(asked, _enqueued, queue=QueueName(asked.body.queue), policy=asked.deps.policy)


def _enqueued(unit: Unit, *, queue: QueueName, policy: Any, **given: Any) -> Any:
    if queue not in policy.queues:
        raise Invalid(f"queue: {queue[:40]} is not a queue")
    return cases.enqueue(unit, queue=queue, **given)


@operations.add("POST", "/cases/{case}/correct", answer=CaseShape, body=CorrectBody)
async def correct_case(asked: Asked) -> CaseShape:
    """Correct severity, topic or order of a case."""
    body: CorrectBody = asked.body
    asked.deps.check_shop(body.shop)
    return await _do(
        asked,
        cases.correct,
        severity=body.severity,
        topic=body.topic,
        order=body.order,
        shop=body.shop,
        policy=asked.deps.policy,
    )


@operations.add("POST", "/cases/{case}/resolve", answer=CaseShape, body=ResolveBody)
async def resolve_case(asked: Asked) -> CaseShape:
    """Close a case that was acknowledged, and say how it was resolved."""
    body: ResolveBody = asked.body
    return await _do(asked, cases.resolve, resolution=body.resolution, note=body.note)


@operations.add("POST", "/cases/{case}/reopen", answer=CaseShape)
async def reopen_case(asked: Asked) -> CaseShape:
    """Open a resolved case again, with a fresh clock."""
    return await _do(asked, cases.reopen, policy=asked.deps.policy)
