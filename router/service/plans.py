"""Jobs that play a recorded day again: what the pages and the API ask for, and see of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from router.domain.ids import AgentId
from router.domain.policy import ShopPolicy
from router.domain.recorded import Changes, Goal, RecordedDay


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A what-if or a staffing search on its way.

    ``state`` is waiting, playing, done or failed; ``done`` of ``of`` steps are over (``of`` 0: not
    known). ``result`` is plain data once it is done, ``problem`` says why it failed.
    """

    id: str
    kind: str
    asked: Mapping[str, Any]
    by: AgentId
    at: datetime
    state: str = "waiting"
    done: int = 0
    of: int = 0
    result: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


class Plans(Protocol):
    """Plays days in a process of its own, one job after the other; keeps the latest in memory."""

    def start(
        self,
        job: Job,
        *,
        day: RecordedDay,
        play: Changes | Goal,
        policy: ShopPolicy,
        seeds: int,
    ) -> None:
        """Begin a job, or let it wait for the ones before it."""

    def find(self, job: str) -> Job | None:
        """Return a job that is still kept."""

    def latest(self) -> tuple[Job, ...]:
        """Return the jobs that are kept, newest first."""
