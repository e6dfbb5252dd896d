"""What-if and staffing: a recorded day played again with other people."""

from datetime import datetime
from typing import Any, Self

from router.domain.workforce import Role
from router.service.plans import Job
from router.service.ports import NotFound
from router.web.api.operations import Asked, Operations
from router.web.api.shapes import Shape
from router.web.plans import StaffingBody, WhatIfBody, begin

operations = Operations("planning")


class PlanShape(Shape, frozen=True):
    """A job of the planner: ``state`` is waiting, playing, done or failed.

    ``done`` of ``steps`` are over (0: not known how many).

    ``result`` of a what-if has ``recorded``, ``same`` and ``changed``, each with ``measures`` (mean
    and half-width of the 95 % interval) and ``course`` by quarter of an hour; of a staffing
    search ``kinds`` of agents with how many of each, and whether the promise is ``kept``.
    """

    id: str
    kind: str
    asked: dict[str, Any]
    by: str
    at: datetime
    state: str
    done: int
    steps: int
    result: dict[str, Any]
    problem: str

    @classmethod
    def of_job(cls, job: Job) -> Self:
        """Return the job."""
        return cls(
            id=job.id,
            kind=job.kind,
            asked=dict(job.asked),
            by=job.by,
            at=job.at,
            state=job.state,
            done=job.done,
            steps=job.of,
            result=dict(job.result),
            problem=job.problem,
        )


@operations.add("POST", "/plans/whatif", answer=PlanShape, body=WhatIfBody, role=Role.SUPERVISOR)
async def play_what_if(asked: Asked) -> PlanShape:
    """Play a recorded day again with other staffing; ask for the result with its id."""
    return PlanShape.of_job(await begin(asked.deps, asked.body, by=asked.agent.id, at=asked.at))


@operations.add(
    "POST", "/plans/staffing", answer=PlanShape, body=StaffingBody, role=Role.SUPERVISOR
)
async def search_staffing(asked: Asked) -> PlanShape:
    """Search how many agents with which skills a recorded day needed for a promise."""
    return PlanShape.of_job(await begin(asked.deps, asked.body, by=asked.agent.id, at=asked.at))


@operations.add("GET", "/plans", answer=tuple[PlanShape, ...], role=Role.SUPERVISOR)
async def list_plans(asked: Asked) -> tuple[PlanShape, ...]:
    """List the latest jobs of this daemon's planner, newest first."""
    return tuple(map(PlanShape.of_job, asked.deps.plans.latest()))


@operations.add("GET", "/plans/{plan}", answer=PlanShape, role=Role.SUPERVISOR)
async def get_plan(asked: Asked) -> PlanShape:
    """Return a job, with its result once it is done."""
    return PlanShape.of_job(found(asked.deps.plans.find(asked.part("plan"))))


def found(job: Job | None) -> Job:
    """Return the job; raises NotFound."""
    if job is None:
        raise NotFound("there is no such plan; the daemon keeps the latest ones while it runs")
    return job
