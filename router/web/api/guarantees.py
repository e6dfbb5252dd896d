"""The guarantees about complaints, checked; and how much is settled at the first contact."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self

import msgspec
from msgspec import Meta

from router.domain.tally import Tally
from router.domain.workforce import Role
from router.service.figures import figures
from router.service.ports import NotFound
from router.service.proof import Proof, last_proof, prove
from router.web.api.operations import Asked, Operations
from router.web.api.shapes import Shape

operations = Operations("guarantees")


class ViolationShape(Shape, frozen=True):
    """A guarantee that did not hold: which, at which event, and what was wrong."""

    guarantee: str
    seq: int
    at: datetime
    code: str
    what: str
    conversation: str | None
    case: str | None

    @classmethod
    def of(cls, value: Any) -> Self:
        """Return a `router.service.audit.Violation`."""
        return cls(**{name: getattr(value, name) for name in cls.__struct_fields__})


class ProofShape(Shape, frozen=True):
    """What one run of the audit found.

    ``took`` is in seconds. ``is_whole`` says whether it came to the end of the log (``until``) or
    ran out of time at event ``seq``. ``total`` counts all violations; the first 200 are listed.
    """

    at: datetime
    took: float
    seq: int
    until: int
    is_whole: bool
    total: int
    violations: tuple[ViolationShape, ...]

    @classmethod
    def of(cls, value: Proof) -> Self:
        """Return what was found."""
        return cls(
            at=value.at,
            took=value.took.total_seconds(),
            seq=value.seq,
            until=value.until,
            is_whole=value.is_whole,
            total=value.total,
            violations=tuple(map(ViolationShape.of, value.violations)),
        )


@operations.add("GET", "/audit", answer=ProofShape, role=Role.SUPERVISOR)
async def get_audit(asked: Asked) -> ProofShape:
    """Return what the last run of the audit found; 404 if there was none."""
    proof = await asked.deps.store.read(last_proof)
    if proof is None:
        raise NotFound("the guarantees have not been checked yet")
    return ProofShape.of(proof)


@operations.add("POST", "/audit", answer=ProofShape, role=Role.SUPERVISOR)
async def run_audit(asked: Asked) -> ProofShape:
    """Re-derive the guarantees from the stored history now; it takes a minute at most."""
    deps = asked.deps
    return ProofShape.of(await prove(deps.store, clock=deps.clock, holder=deps.ids.new()))


class FiguresQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Over how many days up to now, and by what the rows are grouped."""

    days: Annotated[int, Meta(ge=1, le=92)] = 30
    by: Literal["day", "channel", "queue", "topic"] = "day"


class TallyShape(Shape, frozen=True):
    """The figures of some conversations; each is None where there is nothing to count.

    ``fcr`` is the share of the ``judged`` without a return on the same matter, on any channel: of
    those whose time for a return (``reopen_within``) is over. ``service_level`` is the share
    answered within its target, ``complaints_level`` the same of the ``complaints``; ``asa`` the
    mean wait of the answered, in seconds; ``abandoned`` the share that had no answer.
    """

    conversations: int
    judged: int
    fcr: float | None
    complaints: int
    complaints_level: float | None
    service_level: float | None
    asa: float | None
    abandoned: float | None

    @classmethod
    def of(cls, value: Tally) -> Self:
        """Return the figures."""
        after = value.answered_after
        return cls(
            conversations=value.conversations,
            judged=value.judged,
            fcr=value.resolved_at_first,
            complaints=value.complaints,
            complaints_level=value.complaints_level,
            service_level=value.service_level,
            asa=None if after is None else after.total_seconds(),
            abandoned=value.abandoned,
        )


class FiguresRow(Shape, frozen=True):
    """The figures of one day, channel, queue or topic; ``name`` is empty where there is none."""

    name: str
    figures: TallyShape


class FiguresShape(Shape, frozen=True):
    """The figures of the conversations that closed in a time, and of the complaints opened in it.

    ``fcr`` is that of the total. Of the ``cases`` whose first due time is over, or that were
    acknowledged, ``acknowledged`` is the share that was acknowledged in time.
    """

    since: datetime
    until: datetime
    fcr: float | None
    total: TallyShape
    rows: tuple[FiguresRow, ...]
    cases: int
    acknowledged: float | None


@operations.add("GET", "/figures", answer=FiguresShape, query=FiguresQuery, role=Role.SUPERVISOR)
async def get_figures(asked: Asked) -> FiguresShape:
    """Return the figures of the last days: resolution, service level, waits, complaints."""
    since = asked.at - timedelta(days=asked.query.days)
    found = await asked.deps.store.read(
        figures, since=since, until=asked.at, policy=asked.deps.policy, by=asked.query.by
    )
    return FiguresShape(
        since=found.since,
        until=found.until,
        fcr=found.total.resolved_at_first,
        total=TallyShape.of(found.total),
        rows=tuple(FiguresRow(name=name, figures=TallyShape.of(each)) for name, each in found.rows),
        cases=found.cases,
        acknowledged=found.acknowledged,
    )
