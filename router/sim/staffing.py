"""What staffing a recorded day would have needed for a promise: a search over the replay."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from router.domain.ids import AgentId, Skill
from router.domain.measure import Request
from router.domain.policy import ShopPolicy
from router.domain.recorded import Goal, RecordedDay, Shift
from router.domain.workforce import Agent
from router.sim.replay import Replay, recorded_requests, requests
from router.sim.whatif import check

#: Kinds of agents that the search tries.
_PROFILES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a group of agents can do alike."""

    skills: tuple[tuple[Skill, int], ...]
    families: frozenset[str]

    @classmethod
    def of(cls, agent: Agent) -> "Kind":
        """Return an agent's kind."""
        return cls(skills=tuple(sorted(agent.skills.items())), families=agent.families)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """The staffing that keeps a goal: how many of each kind, what it reaches, what was there."""

    kinds: Mapping[Kind, int]
    present: Mapping[Kind, int]
    reached: float
    recorded: float
    tried: int
    kept: bool


def service_level(asked: Sequence[Request], within: timedelta) -> float:
    """Return answered within ÷ (answered + left after it): the glossary's service level."""
    limit = within.total_seconds()
    counted = [each for each in asked if each.answered or each.waited > limit]
    if not counted:
        return 1.0
    return sum(each.answered and each.waited <= limit for each in counted) / len(counted)


def staffing(
    day: RecordedDay,
    goal: Goal,
    policy: ShopPolicy,
    *,
    seeds: Sequence[int],
    most_tries: int = 120,
    progress: Callable[[int, float], None] = lambda _tried, _reached: None,
) -> Needed:
    """Search the staffing of a recorded day that keeps a goal with few agents.

    From the staffing that was there: groups of the kind that helps most are added until the goal
    is kept; then agents are taken away one by one, as long as it stays kept. Not a proof of the
    least, but no single agent can go. Raises `NothingRecorded`.
    """
    check(day)
    search = _Search(day, goal, policy, seeds=seeds, most=most_tries, progress=progress)
    return search.run()


class _Search:
    def __init__(
        self,
        day: RecordedDay,
        goal: Goal,
        policy: ShopPolicy,
        *,
        seeds: Sequence[int],
        most: int,
        progress: Callable[[int, float], None],
    ) -> None:
        self._day, self._goal, self._policy = day, goal, policy
        self._seeds, self._most, self._progress = seeds, most, progress
        self._known: dict[tuple[tuple[Kind, int], ...], float] = {}
        self._present = Counter(Kind.of(each.agent) for each in day.shifts)
        self._kinds = [kind for kind, _count in self._present.most_common(_PROFILES)]

    def run(self) -> Needed:
        now = Counter(self._present)
        step = max(1, len(self._day.shifts) // 8)
        while (reached := self._level(now)) < self._goal.share and not self._tired():
            tried = [(self._level(now + Counter({kind: step})), -at) for at, kind in self._ranked()]
            best, place = max(tried)
            if best <= reached and step > 1:
                step = max(1, step // 2)
            elif best <= reached:
                now += Counter(dict.fromkeys(self._kinds, 1))  # no one kind helps alone
            else:
                now += Counter({self._kinds[-place]: step})
        if self._level(now) >= self._goal.share:
            now = self._thinned(now)
        asked = tuple(recorded_requests(self._day, self._policy))
        reached = self._level(now)
        return Needed(
            kinds=dict(now),
            present=dict(self._present),
            reached=reached,
            recorded=service_level(asked, self._goal.within),
            tried=len(self._known),
            kept=reached >= self._goal.share,
        )

    def _ranked(self) -> Iterator[tuple[int, Kind]]:
        yield from enumerate(self._kinds)

    def _tired(self) -> bool:
        return len(self._known) >= self._most

    def _thinned(self, now: Counter[Kind]) -> Counter[Kind]:
        """Take agents away while the goal is kept: in groups first, then one by one."""
        step = max(1, sum(now.values()) // 8)
        while step:
            shrunk = False
            for kind in self._kinds:
                fewer = now - Counter({kind: min(step, now[kind])})
                if now[kind] and fewer and not self._tired() and self._keeps(fewer):
                    now, shrunk = fewer, True
            if not shrunk:
                step //= 2
        return now

    def _keeps(self, staff: Counter[Kind]) -> bool:
        return self._level(staff) >= self._goal.share

    def _level(self, staff: Counter[Kind]) -> float:
        name = tuple(sorted(staff.items(), key=str))
        if name not in self._known:
            found = [
                service_level(
                    tuple(
                        requests(
                            Replay(self._day, self._shifts(staff), self._policy, seed=seed)
                            .run()
                            .turns,
                            self._policy,
                        )
                    ),
                    self._goal.within,
                )
                for seed in self._seeds
            ]
            self._known[name] = float(np.mean(found))
            self._progress(len(self._known), self._known[name])
        return self._known[name]

    def _shifts(self, staff: Counter[Kind]) -> tuple[Shift, ...]:
        """Return shifts of so many of each kind: the recorded ones first, then copies of them."""
        found: list[Shift] = []
        for kind, count in staff.items():
            own = [each for each in self._day.shifts if Kind.of(each.agent) == kind]
            for number in range(count):
                like = own[number % len(own)]
                again = number // len(own)
                name = AgentId(f"{like.agent.id}~{again}") if again else like.agent.id
                found.append(replace(like, agent=replace(like.agent, id=name)))
        return tuple(sorted(found, key=lambda each: each.agent.id))
