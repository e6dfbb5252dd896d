"""Trials of a script's wordings, and what came of them."""

from datetime import datetime

import msgspec

from router.domain.ids import ScriptId, TrialId
from router.domain.trial import Measure, Trial, Variant
from router.domain.workforce import Role
from router.service import trials
from router.service.unit import Unit
from router.web.api.operations import Asked, Operations
from router.web.api.shapes import Shape
from router.web.console.trials import results

operations = Operations("scripts")


class VariantShape(Shape, frozen=True):
    """One wording, by language."""

    name: str
    wording: dict[str, str]


class TrialShape(Shape, frozen=True):
    """A trial; ``winner`` is empty while it runs, or if it ended without one."""

    id: str
    script: str
    place: str
    variants: tuple[VariantShape, ...]
    measure: Measure
    planned: int
    started_at: datetime
    started_by: str
    ended_at: datetime | None
    ended_by: str
    winner: str


class TrialBody(msgspec.Struct, forbid_unknown_fields=True):
    """Other wordings to try beside the approved one of a place, which is variant A."""

    place: str
    variants: tuple[VariantShape, ...]
    measure: str
    planned: int


class EndBody(msgspec.Struct, forbid_unknown_fields=True):
    """The variant whose wording goes on; empty: what was approved stays."""

    winner: str = ""


class MeasureQuery(msgspec.Struct, forbid_unknown_fields=True):
    """reply, conversion, csat or resolution; without one, what the trial is decided by."""

    measure: str = ""


class ComparedShape(Shape, frozen=True):
    """A variant's outcomes; ``chance`` is how probable so great a difference is without cause."""

    variant: str
    contacts: int
    count: int
    good: int
    share: float | None
    low: float | None
    high: float | None
    chance: float | None


class ResultsShape(Shape, frozen=True):
    """What came of a trial. Decide only once it is ``complete``: peeking finds chance."""

    trial: TrialShape
    variants: tuple[ComparedShape, ...]
    complete: bool
    leader: str


@operations.add("GET", "/scripts/{script}/trials", answer=tuple[TrialShape, ...])
async def list_trials(asked: Asked) -> tuple[TrialShape, ...]:
    """List a script's trials, newest first."""
    return tuple(map(TrialShape.of, await asked.deps.store.read(_trials, asked.part("script"))))


def _trials(unit: Unit, script: str) -> tuple[Trial, ...]:
    return unit.scripts.trials(unit.scripts.get(ScriptId(script)).id)


@operations.add(
    "POST",
    "/scripts/{script}/trials",
    answer=TrialShape,
    body=TrialBody,
    role=Role.SUPERVISOR,
    status=201,
)
async def begin_trial(asked: Asked) -> TrialShape:
    """Try other wordings of a script; each customer always gets the same one."""
    body: TrialBody = asked.body
    made = await asked.deps.store.transact(
        trials.begin,
        trial=TrialId(asked.deps.ids.new()),
        script=ScriptId(asked.part("script")),
        place=body.place,
        others=tuple(Variant(name=each.name, wording=each.wording) for each in body.variants),
        measure=trials.measure_of(body.measure),
        planned=body.planned,
        by=asked.agent.id,
        at=asked.at,
    )
    return TrialShape.of(made)


@operations.add("GET", "/trials/{trial}", answer=ResultsShape, query=MeasureQuery)
async def get_trial(asked: Asked) -> ResultsShape:
    """Show what came of a trial's variants so far."""
    wished = asked.query.measure
    measure = trials.measure_of(wished) if wished else None
    found = await results(asked.deps, asked.part("trial"), measure)
    return ResultsShape(
        trial=TrialShape.of(found.trial),
        variants=tuple(
            ComparedShape(
                variant=each.tally.variant,
                contacts=each.tally.contacts,
                count=each.tally.count,
                good=each.tally.good,
                share=each.tally.share,
                low=each.low,
                high=each.high,
                chance=each.chance,
            )
            for each in found.compared
        ),
        complete=found.is_complete,
        leader=found.leader,
    )


@operations.add(
    "POST", "/trials/{trial}/end", answer=TrialShape, body=EndBody, role=Role.SUPERVISOR
)
async def end_trial(asked: Asked) -> TrialShape:
    """End a trial; the winner's wording is the approved one from now on."""
    over = await asked.deps.store.transact(
        trials.end,
        trial=asked.part("trial"),
        winner=asked.body.winner,
        by=asked.agent.id,
        at=asked.at,
    )
    return TrialShape.of(over)
