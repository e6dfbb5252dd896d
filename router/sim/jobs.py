"""Jobs in a process of their own, one at a time, so that the daemon goes on answering."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

import structlog

from router.domain.policy import ShopPolicy
from router.domain.recorded import Changes, Goal, RecordedDay
from router.service.plans import Job
from router.sim.shown import as_answer, as_needed
from router.sim.staffing import staffing
from router.sim.whatif import NothingRecorded, what_if

log = structlog.get_logger()

#: So many jobs are kept, with what came of them.
_KEPT = 20
#: A job that takes longer is ended.
_LONGEST_S = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    job: str
    day: RecordedDay
    play: Changes | Goal
    policy: ShopPolicy
    seeds: int


class Jobs:
    """Fulfils `router.service.plans.Plans`: a thread that watches one process at a time."""

    def __init__(self, *, longest_s: float = _LONGEST_S) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._tasks: SimpleQueue[_Task] = SimpleQueue()
        self._lock, self._longest_s = threading.Lock(), longest_s
        self._thread: threading.Thread | None = None

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
        with self._lock:
            self._jobs[job.id] = job
            while len(self._jobs) > _KEPT:
                self._jobs.popitem(last=False)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="plans", daemon=True)
                self._thread.start()
        self._tasks.put(_Task(job=job.id, day=day, play=play, policy=policy, seeds=seeds))

    def find(self, job: str) -> Job | None:
        """Return a job that is still kept."""
        with self._lock:
            return self._jobs.get(job)

    def latest(self) -> tuple[Job, ...]:
        """Return the jobs that are kept, newest first."""
        with self._lock:
            return tuple(reversed(self._jobs.values()))

    def _set(self, job: str, **changes: Any) -> None:
        with self._lock:
            if job in self._jobs:
                self._jobs[job] = replace(self._jobs[job], **changes)

    def _work(self) -> None:
        while True:
            self._run(self._tasks.get())

    def _run(self, task: _Task) -> None:
        self._set(task.job, state="playing")
        ours, theirs = get_context("spawn").Pipe(duplex=False)
        process = get_context("spawn").Process(target=_play, args=(theirs, task), daemon=True)
        process.start()
        theirs.close()
        try:
            while ours.poll(self._longest_s):
                kind, said = ours.recv()
                if kind == "progress":
                    self._set(task.job, done=said[0], of=said[1])
                elif kind == "done":
                    self._set(task.job, state="done", result=said)
                    return
                else:
                    self._set(task.job, state="failed", problem=said)
                    return
            self._set(task.job, state="failed", problem="it took too long and was ended")
        except EOFError:
            process.join(1.0)
            log.warning("plan_process_died", job=task.job, code=process.exitcode)
            self._set(task.job, state="failed", problem="its process ended early")
        finally:
            ours.close()
            if process.is_alive():
                process.terminate()
            process.join()


def _play(pipe: "Connection[Any, Any]", task: _Task) -> None:
    """Run in the process: play, and say how it goes through ``pipe``."""
    try:
        pipe.send(("done", _result(task, lambda done, of: pipe.send(("progress", (done, of))))))
    except NothingRecorded as nothing:
        pipe.send(("failed", str(nothing)))


def _result(task: _Task, progress: Callable[[int, int], None]) -> dict[str, Any]:
    seeds = range(1, task.seeds + 1)
    if isinstance(task.play, Goal):
        return as_needed(
            staffing(
                task.day,
                task.play,
                task.policy,
                seeds=seeds,
                progress=lambda tried, _reached: progress(tried, 0),
            )
        )
    return as_answer(what_if(task.day, task.play, task.policy, seeds=seeds, progress=progress))
