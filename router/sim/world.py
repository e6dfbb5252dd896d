"""What happens on the day: customers come, wait, leave; agents work, hand on, finish.

The world is deterministic: chance was drawn with the day. It asks a router who gets whom, and tells
it what happened. It knows what no router may know: patience, work, speed, luck.
"""

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Protocol

import numpy as np

from router.sim.day import COMPLAINS, Day
from router.sim.habits import Luck
from router.sim.legs import Leg, first_leg
from router.sim.tables import NEVER

#: How long the day runs on after its last arrival.
AFTER = 3600.0
#: How often a router is asked although nothing happens, while somebody waits.
_TICK = 1.0
#: A conversation is handed on at most so often, and after this part of its work.
_MOST_TRANSFERS = 3
_TRANSFER_AFTER = 0.35
#: An escalated complaint takes this part of the work; whoever waits again has more patience.
_ESCALATED_WORK = 0.8
_PATIENCE_AGAIN = 2.0
_ESCALATED_TARGET = {1: 60.0, 2: 120.0}
#: Rounding that sums of capacity shares are allowed.
EPSILON = 1e-9

_SHIFT, _DONE, _ARRIVAL, _LEAVES, _FREED, _RETURNS = range(6)


class Router(Protocol):
    """Who decides. It is told everything that a router may know, when it happens."""

    def shift(self, agent: int, *, on: bool, now: float) -> None:
        """An agent begins or ends to take work."""

    def waits(self, leg: Leg, now: float) -> None:
        """Somebody stands in line."""

    def leaves(self, leg: Leg, now: float) -> None:
        """Somebody who waited has given up."""

    def starts(self, leg: Leg, agent: int, now: float) -> None:
        """An agent takes a leg that was decided on."""

    def ends(self, leg: Leg, agent: int, now: float) -> None:
        """An agent is done with a leg."""

    def decide(self, now: float) -> Sequence[tuple[Leg, int]]:
        """Return who gets whom now; asked again until nobody does."""


class World:
    """One day under one router. `run` plays it and returns every leg."""

    def __init__(self, day: Day, router: Router) -> None:
        scenario, agents = day.scenario, day.scenario.agents
        self._day, self._router = day, router
        self._weights = scenario.channel_weight
        self._load = [0.0] * agents
        self._open: list[dict[Leg, float]] = [{} for _ in range(agents)]
        self._since = [0.0] * agents
        self._version = [0] * agents
        self._events: list[tuple[float, int, int, int]] = []
        self._legs: list[Leg] = []
        self._waiting = 0
        self._luck = Luck(day)
        self._breaks = self._luck.breaks()
        self._offered: dict[Leg, int] = {}  # offers that will come back unanswered, and from whom
        self.busy = np.zeros(agents)  # seconds with something in hand
        self.effort = np.zeros(agents)  # seconds weighted by the part of capacity in use
        self._pace = [1 / (1 + scenario.gamma * max(0, n - 1)) for n in range(64)]

    def run(self) -> list[Leg]:
        """Play the day."""
        self._plan_shifts()
        for number, arrival in enumerate(self._day.customers.arrival.tolist()):
            heappush(self._events, (arrival, _ARRIVAL, number, 0))
        end, tick = self._day.horizon + AFTER, 0.0
        while self._events or self._waiting:
            moment = self._events[0][0] if self._events else end
            if self._waiting and tick < moment:
                moment = tick
            else:
                self._happens(heappop(self._events))
            if moment > end:
                break
            if self._waiting:
                self._route(moment)
            if moment >= tick:
                tick = float(int(moment)) + _TICK
        for leg in self._legs:
            if leg.answered is None and leg.left is None:
                leg.left = end
        return self._legs

    def _plan_shifts(self) -> None:
        staff = self._day.staff
        for agent in range(self._day.scenario.agents):
            moments = {staff.on[agent], staff.off[agent], staff.away[agent], staff.back[agent]}
            moments.update(moment for span in self._breaks[agent] for moment in span)
            for moment in moments:
                if moment < self._day.horizon + AFTER:
                    heappush(self._events, (float(moment), _SHIFT, agent, 0))

    def _happens(self, event: tuple[float, int, int, int]) -> None:
        now, kind, number, version = event
        if kind == _SHIFT:
            staff = self._day.staff
            on = bool(staff.on[number] <= now < staff.off[number])
            away = bool(staff.away[number] <= now < staff.back[number])
            away = away or any(begins <= now < ends for begins, ends in self._breaks[number])
            self._router.shift(number, on=on and not away, now=now)
        elif kind == _ARRIVAL:
            self._queue(first_leg(self._day, number, id_=len(self._legs)), now)
        elif kind == _LEAVES:
            leg = self._legs[number]
            if leg.answered is None:
                leg.left = now
                if leg in self._offered:
                    self._free(leg, self._offered.pop(leg), now)
                else:
                    self._waiting -= 1
                    self._router.leaves(leg, now)
        elif kind == _FREED:
            self._free(self._legs[number], self._legs[number].agent, now)
        elif kind == _RETURNS:
            self._comes_back(self._legs[number], now)
        elif version == self._version[number]:
            self._finish(number, now)

    def _queue(self, leg: Leg, now: float) -> None:
        self._legs.append(leg)
        self._waiting += 1
        heappush(self._events, (now + leg.patience, _LEAVES, leg.id, 0))
        self._router.waits(leg, now)

    def _route(self, now: float) -> None:
        while self._waiting and (chosen := self._router.decide(now)):
            for leg, agent in chosen:
                self._start(leg, agent, now)

    def _start(self, leg: Leg, agent: int, now: float) -> None:
        day = self._day
        weight = self._weights[leg.channel]
        if leg.answered is not None or leg.left is not None:
            raise RuntimeError(f"leg {leg.id} is no longer waiting")
        if self._load[agent] + weight > 1 + EPSILON:
            raise RuntimeError(f"agent {agent} cannot take leg {leg.id}")
        if not day.staff.serves[agent, leg.channel] or day.fit.level[leg.wanted, agent] == NEVER:
            raise RuntimeError(f"agent {agent} is not qualified for leg {leg.id}")
        self._waiting -= 1
        back_after = self._luck.unanswered()
        if back_after is not None:
            self._offered[leg] = agent
            self._load[agent] += weight
            self._router.starts(leg, agent, now)
            heappush(self._events, (now + back_after, _RETURNS, leg.id, 0))
            return
        leg.answered, leg.agent = now, agent
        missing = int(day.fit.missing[leg.wanted, agent])
        topic = int(day.fit.topic[leg.wanted, agent])
        sticky = agent == leg.previous
        leg.sticky = sticky
        leg.resolved = min(
            0.98, max(0.05, 0.72 + 0.04 * (topic - 3) - 0.15 * missing + 0.05 * sticky)
        )
        work = float(day.customers.work[leg.conversation]) * max(0.6, 1 - 0.06 * (topic - 3))
        work *= (1 + 0.15 * missing) * (0.9 if sticky else 1.0) * float(day.staff.speed[agent])
        work *= _ESCALATED_WORK**leg.level
        luck = float(day.customers.luck[leg.conversation, min(leg.transfers, 2)])
        if leg.transfers < _MOST_TRANSFERS and luck < 0.02 + 0.15 * min(missing, 3):
            leg.transferred = True
            work *= _TRANSFER_AFTER
        self._work_on(agent, now)
        self._open[agent][leg] = work
        self._load[agent] += weight
        self._router.starts(leg, agent, now)
        self._expect(agent, now)

    def _free(self, leg: Leg, agent: int, now: float) -> None:
        """The place that a leg took is free again."""
        self._work_on(agent, now)
        left = self._load[agent] - self._weights[leg.channel]
        self._load[agent] = left if left > EPSILON else 0.0
        self._router.ends(leg, agent, now)

    def _comes_back(self, leg: Leg, now: float) -> None:
        """Nobody answered the offer: the leg keeps its place in line, for somebody else."""
        agent = self._offered.pop(leg, None)
        if agent is None:
            return
        self._free(leg, agent, now)
        leg.excluded = agent
        self._waiting += 1
        self._router.waits(leg, now)

    def _work_on(self, agent: int, now: float) -> None:
        """Let the agent's open conversations advance to ``now``."""
        held = self._open[agent]
        passed = now - self._since[agent]
        self._since[agent] = now
        if held and passed > 0:
            self.busy[agent] += passed
            self.effort[agent] += passed * self._load[agent]
            done = passed * self._pace[len(held)]
            for leg in held:
                held[leg] -= done

    def _expect(self, agent: int, now: float) -> None:
        self._version[agent] += 1
        held = self._open[agent]
        if held:
            left = max(0.0, min(held.values())) / self._pace[len(held)]
            heappush(self._events, (now + left, _DONE, agent, self._version[agent]))

    def _finish(self, agent: int, now: float) -> None:
        self._work_on(agent, now)
        held = self._open[agent]
        leg = min(held, key=lambda each: (held[each], each.id))
        del held[leg]
        leg.ended = now
        wrap_up = self._day.scenario.habits.wrap_up
        if wrap_up > 0:
            heappush(self._events, (now + wrap_up, _FREED, leg.id, 0))
        else:
            self._free(leg, agent, now)
        self._expect(agent, now)
        follow = self._handed_on(leg, now) if leg.transferred else self._escalated(leg, now)
        if follow is not None:
            self._queue(follow, now)

    def _handed_on(self, leg: Leg, now: float) -> Leg:
        return Leg(
            id=len(self._legs),
            conversation=leg.conversation,
            channel=leg.channel,
            kind=leg.kind,
            level=leg.level,
            wanted=leg.wanted,
            target=leg.target,
            weight=leg.weight,
            upset=leg.upset,
            arrived=now,
            patience=self._again(leg),
            previous=leg.previous if leg.previous != leg.agent else -1,
            excluded=leg.agent,
            transfers=leg.transfers + 1,
        )

    def _escalated(self, leg: Leg, now: float) -> Leg | None:
        if leg.kind != COMPLAINS or leg.level > 1:
            return None
        luck = float(self._day.customers.luck[leg.conversation, 3 + leg.level])
        if luck >= self._day.scenario.escalate[leg.level]:
            return None
        level = leg.level + 1
        return Leg(
            id=len(self._legs),
            conversation=leg.conversation,
            channel=leg.channel,
            kind=leg.kind,
            level=level,
            wanted=int(self._day.wanted_of[leg.conversation, level]),
            target=_ESCALATED_TARGET[level],
            weight=leg.weight,
            upset=leg.upset,
            arrived=now,
            patience=self._again(leg),
            previous=-1,
            excluded=-1,
            transfers=0,
        )

    def _again(self, leg: Leg) -> float:
        return float(self._day.customers.patience[leg.conversation]) * _PATIENCE_AGAIN
