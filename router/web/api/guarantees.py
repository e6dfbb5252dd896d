"""The guarantees about complaints, checked; and how much is settled at the first contact."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Self

import msgspec
from msgspec import Meta

from router.domain.workforce import Role
from router.service.figures import resolved_at_first
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
    """Over how many days up to now."""

    days: Annotated[int, Meta(ge=1, le=92)] = 30


class FiguresShape(Shape, frozen=True):
    """First-contact resolution: the share of closed conversations without a return in time.

    None if no conversation closed whose time for a return (``reopen_within``) is over.
    """

    since: datetime
    until: datetime
    fcr: float | None


@operations.add("GET", "/figures", answer=FiguresShape, query=FiguresQuery, role=Role.SUPERVISOR)
async def get_figures(asked: Asked) -> FiguresShape:
    """Return the first-contact resolution of the last days, over all channels."""
    since = asked.at - timedelta(days=asked.query.days)
    fcr = await asked.deps.store.read(
        resolved_at_first, since=since, until=asked.at, within=asked.deps.policy.reopen_within
    )
    return FiguresShape(since=since, until=asked.at, fcr=fcr)
