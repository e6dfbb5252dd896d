"""A recorded day once more: the same contacts and work, the daemon's routing, other staffing.

What is known stays: who came when, needing what, and what their matter takes of an agent. What is
not known is drawn: how long those who were answered would have waited at most.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush

import numpy as np

from router.domain.floor import EPSILON, Entered, Floor, Gone, Held, Holding, Staffed, Waiting
from router.domain.ids import AgentId, ContactId, ConversationId
from router.domain.index import index_of
from router.domain.measure import Request
from router.domain.policy import ShopPolicy
from router.domain.recorded import RecordedDay, Shift, Wait
from router.domain.routing import OfferTo, Overflow, decide
from router.domain.score import target, weight_of
from router.domain.workforce import Presence
from router.sim.staff import Reals

_STREAM = 20261111
_SHIFT, _DONE, _LEAVES, _COMES, _LOOK = range(5)
#: How long the day runs on after its end.
_AFTER_S = 3600.0
QUARTER_S = 900.0


@dataclass(slots=True, kw_only=True, eq=False)
class Turn:
    """One wait of the replay; seconds since the day began."""

    wait: Wait
    arrived: float
    patience: float
    work: float
    answered: float | None = None
    left: float | None = None
    agent: AgentId | None = None

    def waited(self) -> float:
        """Return how long it waited, for an answer or in vain."""
        until = self.answered if self.answered is not None else self.left
        return (until or self.arrived) - self.arrived


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of the replay: every wait, and each agent's part of time with work in hand."""

    turns: tuple[Turn, ...]
    occupancy: Reals


class Replay:
    """One recorded day under other staffing. `run` plays it."""

    def __init__(
        self, day: RecordedDay, shifts: Sequence[Shift], policy: ShopPolicy, *, seed: int
    ) -> None:
        self._day, self._shifts, self._policy = day, shifts, policy
        self._chance = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, _STREAM])))
        self._floor = Floor()
        self._events: list[tuple[float, int, int, str]] = []
        self._turns = tuple(self._drawn())
        self._by_name: dict[ConversationId, int] = {}
        self._version: dict[AgentId, int] = {}
        self._open: dict[AgentId, dict[int, float]] = {each.agent.id: {} for each in shifts}
        self._since: dict[AgentId, float] = dict.fromkeys(self._open, 0.0)
        self._busy: dict[AgentId, float] = dict.fromkeys(self._open, 0.0)
        self._look_at = float("inf")

    def run(self) -> Played:
        """Play the day."""
        for number, turn in enumerate(self._turns):
            heappush(self._events, (turn.arrived, _COMES, number, ""))
        for shift in self._shifts:
            self._hire(shift)
        end = (self._day.ends - self._day.begins).total_seconds() + _AFTER_S
        while self._events and self._events[0][0] <= end:
            now = self._events[0][0]
            while self._events and self._events[0][0] <= now:
                self._happens(heappop(self._events))
            self._route(now)
        for turn in self._turns:
            if turn.answered is None and turn.left is None:
                turn.left = end
        return Played(turns=self._turns, occupancy=self._occupancy(end))

    def _drawn(self) -> Iterator[Turn]:
        routing = self._policy.routing
        usual = _usual_work(self._day, self._policy)
        more = self._chance.exponential(1.0, len(self._day.waits))
        for wait, luck in zip(self._day.waits, more.tolist(), strict=True):
            patience = luck * routing.patience[wait.family].total_seconds()
            if wait.left is not None:
                patience = wait.left.total_seconds()
            elif wait.answered is not None:
                patience += wait.answered.total_seconds()
            work = usual[wait.family] if wait.work is None else wait.work.total_seconds()
            yield Turn(
                wait=wait,
                arrived=(wait.at - self._day.begins).total_seconds(),
                patience=patience,
                work=max(1.0, work),
            )

    def _hire(self, shift: Shift) -> None:
        self._staff(shift, Presence.OFFLINE, self._day.begins)
        for begin, end in shift.spans:
            for moment, presence in ((begin, Presence.AVAILABLE), (end, Presence.OFFLINE)):
                at = (moment - self._day.begins).total_seconds()
                number = next(n for n, each in enumerate(self._shifts) if each is shift)
                heappush(self._events, (at, _SHIFT, number, presence))

    def _staff(self, shift: Shift, presence: Presence, at: datetime) -> None:
        agent = replace(shift.agent, presence=presence, presence_since=at, active=True)
        self._floor.apply(Staffed(agent=agent))

    def _at(self, now: float) -> datetime:
        return self._day.begins + timedelta(seconds=now)

    def _happens(self, event: tuple[float, int, int, str]) -> None:
        now, kind, number, text = event
        if kind == _SHIFT:
            self._staff(self._shifts[number], Presence(text), self._at(now))
        elif kind == _COMES:
            self._comes(number, now)
        elif kind == _LEAVES:
            turn = self._turns[number]
            if turn.answered is None:
                turn.left = now
                self._floor.apply(Gone(conversation=turn.wait.conversation))
        elif kind == _DONE and number == self._version.get(AgentId(text)):
            self._finish(AgentId(text), now)
        elif kind == _LOOK:
            self._look_at = float("inf")

    def _comes(self, number: int, now: float) -> None:
        turn = self._turns[number]
        self._by_name[turn.wait.conversation] = number
        self._floor.apply(Entered(waiting=_entry(turn.wait)))
        heappush(self._events, (now + turn.patience, _LEAVES, number, ""))

    def _route(self, now: float) -> None:
        moment = self._at(now)
        while True:
            acted = False
            for choice in decide(self._floor, self._policy, moment):
                match choice:
                    case OfferTo(conversation=name, agent=agent):
                        self._start(self._by_name[name], agent, now)
                        acted = True
                    case Overflow(conversation=name, to=to):
                        held = self._floor.in_line(name)
                        if held is not None:
                            self._floor.apply(Entered(waiting=replace(held, queue=to)))
                            acted = True
                    case _:
                        continue
            if not acted:
                break
        again = index_of(self._floor, self._policy).again
        if again is not None and any(True for _ in self._floor.waiting()):
            at = max(now + 0.05, (again - self._day.begins).total_seconds())
            if at < self._look_at:
                self._look_at = at
                heappush(self._events, (at, _LOOK, 0, ""))

    def _start(self, number: int, agent: AgentId, now: float) -> None:
        turn = self._turns[number]
        weight = self._policy.routing.family_weight[turn.wait.family]
        if self._floor.room_for(agent) + EPSILON < weight:
            raise RuntimeError(f"agent {agent} has no room for {turn.wait.conversation}")
        turn.answered, turn.agent = now, agent
        self._work_on(agent, now)
        self._open[agent][number] = turn.work
        name = turn.wait.conversation
        self._floor.apply(
            Held(
                holding=Holding(
                    conversation=name, contact=ContactId(name), agent=agent, weight=weight
                ),
                at=self._at(now),
            )
        )
        self._expect(agent, now)

    def _pace(self, agent: AgentId) -> float:
        side_by_side = max(0, len(self._open[agent]) - 1)
        return 1 / (1 + self._policy.routing.work.slowdown * side_by_side)

    def _work_on(self, agent: AgentId, now: float) -> None:
        held, passed = self._open[agent], now - self._since[agent]
        self._since[agent] = now
        if held and passed > 0:
            self._busy[agent] += passed
            done = passed * self._pace(agent)
            for number in held:
                held[number] -= done

    def _expect(self, agent: AgentId, now: float) -> None:
        self._version[agent] = self._version.get(agent, 0) + 1
        held = self._open[agent]
        if held:
            left = max(0.0, min(held.values())) / self._pace(agent)
            heappush(self._events, (now + left, _DONE, self._version[agent], agent))

    def _finish(self, agent: AgentId, now: float) -> None:
        self._work_on(agent, now)
        held = self._open[agent]
        number = min(held, key=lambda each: (held[each], each))
        del held[number]
        self._floor.apply(Gone(conversation=self._turns[number].wait.conversation))
        self._expect(agent, now)

    def _occupancy(self, end: float) -> Reals:
        found = []
        for shift in self._shifts:
            self._work_on(shift.agent.id, end)
            there = max(1.0, shift.length().total_seconds())
            found.append(min(1.0, self._busy[shift.agent.id] / there))
        return np.array(found or [0.0])


def _usual_work(day: RecordedDay, policy: ShopPolicy) -> dict[str, float]:
    """Return the mean work by family: the day's own, or what is configured."""
    work = policy.routing.work
    found: dict[str, float] = {}
    for family in policy.routing.family_weight:
        known = [
            each.work.total_seconds()
            for each in day.waits
            if each.family == family and each.work is not None
        ]
        configured = work.mean.get(family, work.usual).total_seconds()
        found[family] = float(np.mean(known)) if known else configured
    return found


def _entry(wait: Wait) -> Waiting:
    return Waiting(
        conversation=wait.conversation,
        contact=ContactId(wait.conversation),
        queue=wait.queue,
        channel=wait.channel,
        family=wait.family,
        language=wait.language,
        needs=wait.needs,
        since=wait.at,
        priority=wait.priority,
        vip=wait.vip,
        upset=wait.upset,
        severity=wait.severity,
        cases=int(wait.severity > 0),
        case_version=0,
        unread=0,
        bot_ok=False,
        previous=wait.previous,
        excluded=frozenset() if wait.excluded is None else frozenset({wait.excluded}),
    )


def requests(turns: Sequence[Turn], policy: ShopPolicy) -> Iterator[Request]:
    """Yield the waits as what is measured."""
    for turn in turns:
        wait = turn.wait
        yield _request(
            wait,
            policy,
            waited=turn.waited(),
            answered=turn.answered is not None,
            sticky=wait.previous is not None and turn.agent == wait.previous,
        )


def recorded_requests(day: RecordedDay, policy: ShopPolicy) -> Iterator[Request]:
    """Yield what really happened as what is measured."""
    for wait in day.waits:
        until = wait.answered if wait.answered is not None else wait.left
        waited = day.ends - wait.at if until is None else until
        yield _request(
            wait,
            policy,
            waited=waited.total_seconds(),
            answered=wait.answered is not None,
            sticky=wait.previous is not None and wait.by == wait.previous,
        )


def _request(
    wait: Wait, policy: ShopPolicy, *, waited: float, answered: bool, sticky: bool
) -> Request:
    entry = _entry(wait)
    exclusive = policy.routing.family_weight[wait.family] >= 1.0
    return Request(
        waited=max(0.0, waited),
        target=target(entry, policy),
        weight=weight_of(entry, policy.routing),
        answered=answered,
        complaint=wait.severity > 0,
        vip=wait.vip,
        voice=exclusive,
        prompt=True,
        transferred=wait.transferred,
        resolved=1.0,
        known=wait.previous is not None,
        sticky=sticky,
    )
