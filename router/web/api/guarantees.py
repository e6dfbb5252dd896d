"""The guarantees about complaints: what the last audit found, and a new one."""

from datetime import datetime
from typing import Any, Self

from router.domain.workforce import Role
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
