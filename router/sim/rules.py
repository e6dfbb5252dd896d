"""The routing of other products, as they are publicly described: models, not their code.

Each is a rule set for one engine: an order of the line, steps that relax the match as a wait grows,
and which of the matching agents is taken. Where figures are shown they are called by these names.
"""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from router.sim.day import Day, slowed
from router.sim.legs import Leg
from router.sim.world import EPSILON


class Order(StrEnum):
    """Who is served first when an agent becomes free."""

    AGE = "age"
    PRIORITY = "priority"  # complaints, then VIPs, then the rest; the older first
    COST = "cost"  # the highest h·C'(wait)·rate


class Take(StrEnum):
    """Which of the matching agents is taken."""

    TURN = "turn"  # the next in turn
    IDLE = "idle"  # who has waited longest for work
    FAST = "fast"  # who is likely done soonest
    SPARE = "spare"  # who has most capacity left, then who has waited longest


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """One product's documented behaviour.

    ``steps`` are (seconds of waiting, furthest level of `Fit` from then on). ``previous``: the
    agent who knows the contact is asked first, and for ``hold`` seconds nobody else is.
    """

    name: str
    source: str
    steps: tuple[tuple[float, int], ...]
    order: Order
    previous: bool
    hold: float
    take: Take


class RuleRouter:
    """Routes by `Rules`: the line is walked in order, the first who fits is served."""

    def __init__(self, day: Day, rules: Rules) -> None:
        count = day.scenario.agents
        self._day, self._rules = day, rules
        self._weights = day.scenario.channel_weight
        self._serves = [np.ascontiguousarray(day.staff.serves[:, each]) for each in range(4)]
        self._level = day.fit.level
        self._room = np.zeros(count)
        self._load = np.zeros(count)
        self._on = np.zeros(count, bool)
        self._idle_since = np.zeros(count)
        self._turn = -1
        self._line: list[tuple[int, float, int, Leg]] = []
        self._standing: set[Leg] = set()  # who is in the line
        self._fresh: list[Leg] = []
        self._freed: set[int] = set()
        self._steps: list[tuple[float, int, Leg]] = []
        share = slowed(np.array(day.scenario.channel_weight), day.scenario.gamma)
        self._work: list[float] = (share * np.array(day.scenario.work_mean)).tolist()

    def shift(self, agent: int, *, on: bool, now: float) -> None:
        """An agent begins or ends to take work."""
        self._on[agent] = on
        self._idle_since[agent] = now
        self._refresh(agent)

    def waits(self, leg: Leg, now: float) -> None:
        """Somebody stands in line."""
        insort(self._line, self._entry(leg))
        self._standing.add(leg)
        self._fresh.append(leg)
        moments = {after for after, _level in self._rules.steps}
        if leg.previous >= 0:
            moments.add(self._rules.hold)
        for after in sorted(moments):
            if after > 0:
                heappush(self._steps, (now + after, leg.id, leg))

    def leaves(self, leg: Leg, now: float) -> None:
        """Somebody who waited has given up."""
        self._line.remove(self._entry(leg))
        self._standing.discard(leg)

    def starts(self, leg: Leg, agent: int, now: float) -> None:
        """An agent takes a leg."""
        self._line.remove(self._entry(leg))
        self._standing.discard(leg)
        self._load[agent] += self._weights[leg.channel]
        self._turn = agent
        self._idle_since[agent] = now
        self._refresh(agent)

    def ends(self, leg: Leg, agent: int, now: float) -> None:
        """An agent is done with a leg."""
        self._load[agent] -= self._weights[leg.channel]
        self._idle_since[agent] = now
        self._refresh(agent)

    def decide(self, now: float) -> Sequence[tuple[Leg, int]]:
        """Return one match, if there is one; the world asks again after it."""
        while self._freed:
            agent = min(self._freed)
            leg = self._leg_for(agent, now)
            if leg is not None:
                return [(leg, agent)]
            self._freed.discard(agent)
        return self._for_somebody(now)

    def _leg_for(self, agent: int, now: float) -> Leg | None:
        fitting = (each[-1] for each in self._line if self._fits(each[-1], agent, now))
        if self._rules.order is Order.COST:
            return max(fitting, key=lambda leg: self._cost(leg, agent, now), default=None)
        return next(fitting, None)

    def _cost(self, leg: Leg, agent: int, now: float) -> float:
        """Return h·C'(wait)·rate with a quadratic cost of delay."""
        slope = (0.05 + (now - leg.arrived) / leg.target) / leg.target
        return leg.weight * slope / self._effort(leg, agent)

    def _effort(self, leg: Leg, agent: int) -> float:
        """Return how much of the agent's time it is likely to take."""
        missing = float(self._day.fit.missing[leg.wanted, agent])
        topic = float(self._day.fit.topic[leg.wanted, agent])
        return self._work[leg.channel] * max(0.6, 1 - 0.06 * (topic - 3)) * (1 + 0.15 * missing)

    def _for_somebody(self, now: float) -> Sequence[tuple[Leg, int]]:
        asking = [leg for leg in self._fresh if leg in self._standing]
        while self._steps and self._steps[0][0] <= now + EPSILON:
            leg = heappop(self._steps)[-1]
            if leg in self._standing:
                asking.append(leg)
        self._fresh = []
        for place, leg in enumerate(asking):
            agent = self._agent_for(leg, now)
            if agent is not None:
                self._fresh = asking[place + 1 :]
                return [(leg, agent)]
        return []

    def _entry(self, leg: Leg) -> tuple[int, float, int, Leg]:
        first = self._rules.order is Order.PRIORITY
        return (-leg.kind if first else 0, leg.arrived, leg.id, leg)

    def _refresh(self, agent: int) -> None:
        self._room[agent] = 1 - self._load[agent] if self._on[agent] else 0.0
        if self._room[agent] > EPSILON:
            self._freed.add(agent)
        else:
            self._freed.discard(agent)

    def _reach(self, leg: Leg, now: float) -> int:
        waited = now - leg.arrived + EPSILON
        return max(level for after, level in self._rules.steps if after <= waited)

    def _fits(self, leg: Leg, agent: int, now: float) -> bool:
        return bool(
            agent != leg.excluded
            and self._room[agent] + EPSILON >= self._weights[leg.channel]
            and self._serves[leg.channel][agent]
            and self._level[leg.wanted, agent] <= self._reach(leg, now)
            and (agent == leg.previous or not self._held(leg, now))
        )

    def _held(self, leg: Leg, now: float) -> bool:
        """Return whether it still waits for the agent who knows the contact."""
        return leg.previous >= 0 and now - leg.arrived + EPSILON < self._rules.hold

    def _agent_for(self, leg: Leg, now: float) -> int | None:
        if self._rules.previous and leg.previous >= 0 and self._fits(leg, leg.previous, now):
            return leg.previous
        if self._held(leg, now):
            return None
        fits = (
            (self._room + EPSILON >= self._weights[leg.channel])
            & self._serves[leg.channel]
            & (self._level[leg.wanted] <= self._reach(leg, now))
        )
        if leg.excluded >= 0:
            fits[leg.excluded] = False
        found = np.flatnonzero(fits)
        return None if not len(found) else int(found[self._take(leg, found)])

    def _take(self, leg: Leg, found: NDArray[np.intp]) -> int:
        if self._rules.take is Take.FAST:
            rank = [(self._effort(leg, agent), agent) for agent in found.tolist()]
            return min(range(len(found)), key=rank.__getitem__)
        if self._rules.take is Take.TURN:
            return int(np.searchsorted(found, self._turn, side="right") % len(found))
        if self._rules.take is Take.SPARE:
            return int(np.lexsort((self._idle_since[found], -self._room[found]))[0])
        return int(np.argmin(self._idle_since[found]))
