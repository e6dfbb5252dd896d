"""The floor as routing looks at it: lines of like conversations against agents, in tables.

A `Line` is first in, first out; all in it weigh the same, so only its head is scored. Rows of the
tables (misfit, work, reach) are built when a line is first seen and again when skills change. The
index is told every change of its floor and can be rebuilt from it: a cache, never the truth.
"""

from bisect import bisect_left, insort
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from router.domain.fit import Fit, Reach, Roles, bar, fit
from router.domain.floor import Busy, Floor, Holding, View, Waiting
from router.domain.ids import AgentId, ConversationId, Skill
from router.domain.policy import ShopPolicy
from router.domain.prices import Category, Forecast, PriceList, Reals, categories
from router.domain.score import overdue_after, promised, target, weight_of
from router.domain.staffing import WHOLE, Staffing
from router.domain.workforce import Agent, Need

_WIDTH = 64
_NOBODY = np.inf
_OF_LINES = ("heads", "weight", "due", "patience", "takes", "late", "promise")
_NO_AGENT = AgentId("")

Place = tuple[float, ConversationId]


@dataclass(frozen=True, slots=True)
class LineKey:
    """What makes two conversations alike for routing."""

    needs: frozenset[Need]
    family: str
    language: str
    weight: float
    target: float
    complaint: bool
    groups: frozenset[str] = frozenset()
    only: AgentId | None = None


@dataclass(slots=True)
class Line:
    """Like conversations, oldest first."""

    key: LineKey
    row: int
    members: list[Place]


class Index(View):
    """Lines and agents of one floor under one policy."""

    def __init__(self, policy: ShopPolicy) -> None:
        self.policy = policy
        self.roles = Roles.of(policy)
        self.kinds: tuple[Category, ...] = categories(tuple(sorted(_skills(policy))))
        self.staff = Staffing(policy, self.kinds)
        self.waiting: dict[ConversationId, Waiting] = {}
        self.lines: list[Line] = []
        self.sticky: dict[AgentId, dict[ConversationId, int]] = {}
        self.barring: dict[int, set[ConversationId]] = {}
        self.for_bot: dict[ConversationId, None] = {}
        self.overflows: list[Place] = []
        self.turns: list[Place] = []  # when the steps of plans end
        self._line_of: dict[ConversationId, int] = {}
        self._by_key: dict[LineKey, int] = {}
        self._built: list[int] = []
        self._prices: tuple[tuple[object, ...], PriceList] | None = None
        self.exclusive = np.array([kind.exclusive for kind in self.kinds], bool)
        self.asked = np.zeros(len(self.kinds))  # how many in line want each category
        #: When, by waiting alone, something may become worth doing; as of the last decision.
        self.again: datetime | None = None
        self._grow(_WIDTH, _WIDTH)

    known: NDArray[np.intp]  # who knows the contact of each line's head; −1: nobody
    heads: Reals  # when each line's head came; infinite for an empty line
    weight: Reals
    due: Reals
    patience: Reals
    complaint: NDArray[np.bool_]
    takes: Reals  # the part of an agent that one conversation takes
    promise: Reals  # what it is worth to each of them not to have waited too long
    late: Reals  # from when on its members are overdue, seconds of waiting
    own: NDArray[np.bool_]  # line × category: what its own demand is
    misfit: Reals  # line × agent
    effort: Reals  # line × agent: how long an agent is busy with one
    reach: NDArray[np.int8]  # line × agent

    def _grow(self, lines: int, agents: int) -> None:
        had = len(self.lines)
        shapes = {
            **dict.fromkeys(_OF_LINES, (lines,)),
            **dict.fromkeys(("misfit", "effort"), (lines, agents)),
        }
        for name, shape in shapes.items():
            grown = np.full(shape, _NOBODY if name == "heads" else 1.0)
            if had:
                old = getattr(self, name)
                grown[tuple(slice(size) for size in old.shape)] = old
            setattr(self, name, grown)
        known = np.full(lines, -1, np.intp)
        complaint, own = np.zeros(lines, bool), np.zeros((lines, len(self.kinds)), bool)
        reach = np.full((lines, agents), Reach.NEVER, np.int8)
        if had:
            known[: len(self.known)] = self.known
            complaint[: len(self.complaint)] = self.complaint
            own[: len(self.own)] = self.own
            reach[: self.reach.shape[0], : self.reach.shape[1]] = self.reach
        self.complaint, self.own, self.reach, self.known = complaint, own, reach, known

    # ----- what the floor tells -----------------------------------------------------------------

    def entered(self, waiting: Waiting) -> None:
        """Somebody stands in line; with something unread they are not looked at."""
        self.waiting[waiting.conversation] = waiting
        queue = self.policy.queue(waiting.queue)
        if queue.overflow_after is not None and queue.overflow_to not in {None, waiting.queue}:
            after = waiting.since + queue.overflow_after
            insort(self.overflows, (after.timestamp(), waiting.conversation))
        if (turn := turn_of(waiting)) is not None:
            insort(self.turns, (turn, waiting.conversation))
        if waiting.unread:
            return
        if waiting.bot_ok and not waiting.cases:
            self.for_bot[waiting.conversation] = None
            return
        self._enqueue(waiting)

    def _enqueue(self, waiting: Waiting) -> None:
        row = self._row(waiting)
        self._line_of[waiting.conversation] = row
        self.asked += self.own[row]
        insort(self.lines[row].members, (waiting.since.timestamp(), waiting.conversation))
        self._rehead(row)
        if waiting.previous is not None:
            self.sticky.setdefault(waiting.previous, {})[waiting.conversation] = row
        if waiting.excluded:
            self.barring.setdefault(row, set()).add(waiting.conversation)

    def dropped(self, waiting: Waiting) -> None:
        """Somebody no longer stands in line, or is about to stand there anew."""
        name = waiting.conversation
        del self.waiting[name]
        self.for_bot.pop(name, None)
        queue = self.policy.queue(waiting.queue)
        if queue.overflow_after is not None:
            _remove(self.overflows, ((waiting.since + queue.overflow_after).timestamp(), name))
        if (turn := turn_of(waiting)) is not None:
            _remove(self.turns, (turn, name))
        row = self._line_of.pop(name, None)
        if row is None:
            return
        self.asked -= self.own[row]
        members = self.lines[row].members
        _remove(members, (waiting.since.timestamp(), name))
        self._rehead(row)
        if waiting.previous is not None:
            del self.sticky[waiting.previous][name]
            if not self.sticky[waiting.previous]:
                del self.sticky[waiting.previous]
        if waiting.excluded:
            self.barring[row].discard(name)

    def _rehead(self, row: int) -> None:
        members = self.lines[row].members
        self.heads[row] = members[0][0] if members else _NOBODY
        self.known[row] = self.knows(members[0][1]) if members else -1

    def knows(self, name: ConversationId | None) -> int:
        """Return the position of the agent who knows a waiting contact; −1 if there is none."""
        previous = None if name is None else self.waiting[name].previous
        return -1 if previous is None else self.staff.position.get(previous, -1)

    def is_away(self, agent: AgentId | None) -> bool:
        """Return whether an agent takes no work now and will not before long."""
        position = None if agent is None else self.staff.position.get(agent)
        return position is None or not self.staff.near[position]

    def staffed(self, agent: Agent) -> None:
        """An agent's skills, capacity or presence are as given."""
        new = agent.id not in self.staff.position
        self.staff.staff(agent)
        if new:
            for row in sorted(set(self.sticky.get(agent.id, {}).values())):
                self._rehead(row)

    def unstaffed(self, agent: AgentId) -> None:
        """An agent is gone for good."""
        self.staff.unstaff(agent)

    def loaded(self, agent: AgentId, load: float, assigned: datetime | None, busy: Busy) -> None:
        """An agent's conversations take so much."""
        self.staff.loaded(agent, load, assigned.timestamp() if assigned else 0.0, busy)

    # ----- lines and their rows -----------------------------------------------------------------

    def _row(self, waiting: Waiting) -> int:
        step = waiting.plan.step if waiting.plan is not None else None
        key = LineKey(
            needs=waiting.needs,
            family=waiting.family,
            language=waiting.language,
            weight=weight_of(waiting, self.policy.routing),
            target=target(waiting, self.policy),
            complaint=waiting.severity > 0,
            groups=step.groups if step is not None else frozenset(),
            only=(waiting.previous or _NO_AGENT) if step and step.previous else None,
        )
        row = self._by_key.get(key)
        if row is None:
            row = self._by_key[key] = len(self.lines)
            if row == len(self.heads):
                self._grow(2 * row, self.misfit.shape[1])
            self.lines.append(Line(key, row, []))
            self._built.append(-1)
            self._describe(row, key)
        return row

    def _describe(self, row: int, key: LineKey) -> None:
        routing = self.policy.routing
        self.heads[row] = _NOBODY
        self.weight[row], self.due[row] = key.weight, key.target
        self.patience[row] = routing.patience[key.family].total_seconds()
        self.complaint[row] = key.complaint
        self.takes[row] = routing.family_weight[key.family]
        self.late[row] = overdue_after(key.target, routing)
        self.promise[row] = promised(key.target, routing)
        exclusive = self.takes[row] >= WHOLE
        wanted = {need.skill for need in key.needs}
        self.own[row] = [
            kind.exclusive == exclusive and (kind.skill is None or kind.skill in wanted)
            for kind in self.kinds
        ]

    def fresh(self, rows: NDArray[np.intp]) -> None:
        """Build the table rows of lines that are stale."""
        version, agents = self.staff.version, len(self.staff)
        if agents > self.misfit.shape[1]:
            self._grow(len(self.heads), max(agents, 2 * self.misfit.shape[1]))
        for row in rows.tolist():
            if self._built[row] != version:
                self._build(self.lines[row])
                self._built[row] = version

    def _build(self, line: Line) -> None:
        count, row, key = len(self.staff), line.row, line.key
        routing = self.policy.routing
        found = fit(sorted(key.needs), self.staff.sheet, self.roles, count)
        serving = self.staff.serving(key.family, key.language, groups=key.groups, only=key.only)
        reach = np.where(serving, found.reach, Reach.NEVER)
        qualified = reach <= min(Reach.KNOWS, routing.reach)
        self.reach[row, :count] = reach
        self.misfit[row, :count] = (
            found.transfer * (1 + key.weight / 2)
            + found.loss
            - routing.bar * self._bar(found, qualified, reach)
        )
        work = routing.work
        mean = work.mean.get(key.family, work.usual).total_seconds()
        share = work.slowdown + (1 - work.slowdown) * self.takes[row]
        self.effort[row, :count] = share * found.effort * mean

    def _bar(self, found: Fit, qualified: NDArray[np.bool_], reach: NDArray[np.int8]) -> float:
        """Return what even a good match costs: among the qualified, or whoever there is."""
        return bar(found, qualified if qualified.any() else reach <= Reach.ANYBODY)

    def shut_out(self, waiting: Waiting, row: int) -> frozenset[AgentId]:
        """Return who must not get it again: nobody, if nobody else could ever take it."""
        if not waiting.excluded:
            return waiting.excluded
        self.fresh(np.array([row]))
        count = len(self.staff)
        could = (self.reach[row, :count] != Reach.NEVER) & (self.staff.near[:count] > 0)
        for each in waiting.excluded:
            if each in self.staff.position:
                could[self.staff.position[each]] = False
        return waiting.excluded if could.any() else frozenset()

    # ----- prices -------------------------------------------------------------------------------

    def prices(self, forecast: Forecast | None, now: datetime) -> PriceList | None:
        """Return the prices of slots now, or None if nothing is foreseen."""
        price = self.policy.routing.price
        if forecast is None or price.factor <= 0:
            return None
        slot = forecast.slot(now)
        stamp = (id(forecast), slot, self.staff.shape)
        if self._prices is None or self._prices[0] != stamp:
            held = self.staff.holders()
            self._prices = (stamp, PriceList(price, self.kinds, forecast, slot, held))
        return self._prices[1]

    def waited(self, now: datetime, place: Place) -> timedelta:
        """Return how long somebody in a line has waited."""
        return timedelta(seconds=now.timestamp() - place[0])


def _skills(policy: ShopPolicy) -> set[Skill]:
    """Return every skill that somebody may need."""
    needs = [*policy.topics.values(), *policy.complaint_needs.values()]
    needs.extend(queue.needs for queue in policy.queues.values())
    return {need.skill for each in needs for need in each} | {Skill(n) for n in policy.skills}


def turn_of(waiting: Waiting) -> float | None:
    """Return when the plan of a waiting conversation goes on: at once, at a time, or never."""
    plan = waiting.plan
    if plan is None:
        return None
    if waiting.begins_plan or (plan.step.previous and waiting.previous is None):
        return waiting.since.timestamp()
    ends = plan.ends(waiting.since)
    return None if ends is None else ends.timestamp()


def _remove(places: list[Place], place: Place) -> None:
    at = bisect_left(places, place)
    if at < len(places) and places[at] == place:
        del places[at]


def index_of(floor: Floor, policy: ShopPolicy) -> Index:
    """Return the floor's index under a policy; it is built where there is none."""
    held = floor.view
    if isinstance(held, Index) and held.policy is policy:
        return held
    made = Index(policy)
    floor.watch(made)
    return made


__all__ = ["Holding", "Index", "Line", "LineKey", "index_of"]
