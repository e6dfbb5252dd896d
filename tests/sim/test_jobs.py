"""A job runs in a process of its own, says how it goes, and what came of it."""

import time
from collections.abc import Callable

from router.domain.ids import AgentId
from router.domain.recorded import Changes, Goal, RecordedDay
from router.service.plans import Job
from router.sim.jobs import Jobs
from tests.builders import NOW
from tests.sim.test_replay import MINUTE, POLICY, a_day


def a_job(name: str, kind: str = "whatif") -> Job:
    return Job(id=name, kind=kind, asked={}, by=AgentId("boss"), at=NOW)


def until(done: Callable[[], bool], *, within_s: float = 60.0) -> None:
    end = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def over(jobs: Jobs, name: str) -> bool:
    found = jobs.find(name)
    return found is not None and found.state in {"done", "failed"}


def begin(jobs: Jobs, name: str, day: RecordedDay, play: Changes | Goal) -> None:
    kind = "staffing" if isinstance(play, Goal) else "whatif"
    jobs.start(a_job(name, kind), day=day, play=play, policy=POLICY, seeds=1)


def test_jobs_run_one_after_the_other_and_keep_what_came_of_them() -> None:
    jobs, day = Jobs(), a_day(agents=2, each_minute=0.3)
    begin(jobs, "first", day, Changes(agents=1))
    begin(jobs, "second", day, Goal(share=0.5, within=MINUTE))
    until(lambda: over(jobs, "second"))
    first, second = jobs.find("first"), jobs.find("second")
    assert first is not None
    assert second is not None
    assert (first.state, first.done, first.of) == ("done", 2, 2)
    assert first.result["changed"]["agents"] == 3
    assert second.state == "done"
    assert second.result["kept"]
    assert [each.id for each in jobs.latest()] == ["second", "first"]


def test_a_day_with_nothing_to_play_fails_with_the_reason() -> None:
    jobs = Jobs()
    begin(jobs, "empty", a_day(agents=0, each_minute=0.3), Changes())
    until(lambda: over(jobs, "empty"))
    found = jobs.find("empty")
    assert found is not None
    assert found.state == "failed"
    assert "no agent took work" in found.problem


def test_a_job_that_takes_too_long_is_ended_and_the_next_one_runs() -> None:
    jobs = Jobs(longest_s=0.01)
    begin(jobs, "long", a_day(agents=3, each_minute=20), Changes(agents=1))
    until(lambda: over(jobs, "long"))
    found = jobs.find("long")
    assert found is not None
    assert found.problem == "it took too long and was ended"
