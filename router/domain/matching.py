"""Who gets whom now: the greedy match over the floor's tables.

One rule serves every event. Of all pairs that are worth making now, the conversation goes first
that is a complaint, then one that is overdue, then the one that brings the most for an agent's
time; and it gets the agent it suits best. With one free agent that is the agent's choice among the
lines, with one new conversation its choice among the agents. Prices follow every match.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from router.domain.fit import Reach
from router.domain.floor import EPSILON
from router.domain.ids import AgentId, ConversationId
from router.domain.index import Index
from router.domain.prices import PriceList
from router.domain.staffing import WHOLE

Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]
Rows = NDArray[np.intp]

#: The order of tiers: no key of a lower tier comes near the next.
_OVERDUE, _COMPLAINT = 1e6, 1e9
_OVERDUE_KEY = 1000.0
#: A score that goes first anyway counts at least so much.
_FLOOR = 0.01
#: Work is counted in units of so many seconds of an agent's time.
SCALE = 150.0
#: From so many pairs on, several matches are made before prices are reckoned again.
_MANY = 50_000
_BATCH = 20
#: A pair that is just not worth it is looked at again no sooner than this, in seconds.
_SOONEST = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """A conversation gets an agent. The arrays are over ``agents``: who could have had it."""

    conversation: ConversationId
    agent: AgentId
    urgency: float
    agents: Rows
    misfit: Reals
    work: Reals
    price: Reals
    tie: Reals
    score: Reals
    preference: Reals


@dataclass(frozen=True, slots=True, kw_only=True)
class _Extra:
    """Somebody behind the head of their line whom ``agents`` may take before it."""

    line: int
    since: float
    name: ConversationId
    agents: frozenset[AgentId]


@dataclass(slots=True, kw_only=True)
class _Pairs:
    """Pairs that are worth making now, by row (a head or an extra) and agent."""

    line: Rows  # of each row
    waited: Reals  # of each row
    urgency: Reals  # of each row
    late: Flags  # of each row
    extras: list[_Extra]  # the last rows
    row: Rows  # of each pair
    agent: Rows  # of each pair
    misfit: Reals
    work: Reals
    price: Reals
    tie: Reals
    total: Reals


class Matching:
    """One round of matching. Its own copy of who has room; the floor is left as it was."""

    def __init__(self, index: Index, prices: PriceList | None, now: datetime) -> None:
        self._index, self._prices, self._now = index, prices, now.timestamp()
        self._routing = index.policy.routing
        count = len(index.staff)
        self._room = index.staff.room[:count].copy()
        self._load = index.staff.load[:count].copy()
        self._assigned = index.staff.assigned[:count].copy()
        self._busy = index.staff.busy_by(self._now) if self._routing.fairness else np.zeros(count)
        self._caps = index.staff.caps[:count]
        self._heads = index.heads[: len(index.lines)].copy()
        self._taken: dict[ConversationId, int] = {}
        #: For so many seconds nothing changes by waiting alone; known when the round is over.
        self.quiet = np.inf

    def __iter__(self) -> Iterator[Matched]:
        """Yield matches until none is worth making."""
        lines: Rows | None = None
        while True:
            pairs = self._pairs(lines)
            if pairs is None:
                return
            made = 0
            most = _BATCH if len(pairs.row) > _MANY else 1
            for row in self._order(pairs):
                match = self._match(pairs, row)
                if match is not None:
                    yield match
                    made += 1
                    if made >= most:
                        break
            lines = np.unique(pairs.line[pairs.row])

    # ----- who may be considered ----------------------------------------------------------------

    def _pairs(self, lines: Rows | None) -> _Pairs | None:
        """Return the pairs worth making among some lines (all if None); None if there are none."""
        heads = np.flatnonzero(self._heads < np.inf) if lines is None else lines
        heads = heads[self._heads[heads] < np.inf]
        if not len(heads):
            return None
        free = (self._room + EPSILON >= self._index.takes[heads].min()).nonzero()[0]
        if not len(free):
            return None
        self._index.fresh(heads)
        extras = list(self._behind(free, None if lines is None else set(lines.tolist())))
        line, since = heads, self._heads[heads]
        if extras:
            line = np.concatenate([heads, [each.line for each in extras]]).astype(np.intp)
            since = np.concatenate([since, [each.since for each in extras]])
        return self._worth(line, np.maximum(0.0, self._now - since), extras, free)

    def _behind(self, free: Rows, lines: set[int] | None) -> Iterator[_Extra]:
        """Yield who may pass the head of their line: to an agent they know, or that it must not."""
        index = self._index
        has_room = set(free.tolist()) if index.sticky else set()
        known = {index.staff.position.get(agent, -1): agent for agent in index.sticky}
        for position in sorted(has_room & known.keys()):
            agent, room = known[position], self._room[position] + EPSILON
            for name, line in index.sticky[agent].items():
                if lines is not None and line not in lines:
                    continue
                if room >= index.takes[line] and self._is_behind(name, line):
                    since = index.waiting[name].since.timestamp()
                    yield _Extra(line=line, since=since, name=name, agents=frozenset({agent}))
        for line, barred in index.barring.items():
            if barred and (lines is None or line in lines):
                yield from self._past(line)

    def _is_behind(self, name: ConversationId, line: int) -> bool:
        return name not in self._taken and name != self._head(line)

    def _past(self, line: int) -> Iterator[_Extra]:
        """Yield who may pass a head that must not get some agents."""
        index = self._index
        shut: frozenset[AgentId] | None = None
        for since, name in index.lines[line].members:
            if name in self._taken:
                continue
            if shut is not None:
                yield _Extra(line=line, since=since, name=name, agents=shut)
            barred = index.shut_out(index.waiting[name], line)
            shut = barred if shut is None else shut & barred
            if not shut:
                return

    def _head(self, line: int) -> ConversationId | None:
        for _since, name in self._index.lines[line].members:
            if name not in self._taken:
                return name
        return None

    # ----- what each pair is worth --------------------------------------------------------------

    def _worth(self, line: Rows, waited: Reals, extras: list[_Extra], free: Rows) -> _Pairs | None:
        index, routing = self._index, self._routing
        late = waited > index.late[line]
        self._rest(index.late[line] - waited)
        reach = np.where(late, Reach.ANYBODY, routing.reach)
        open_ = index.reach[line[:, None], free] <= reach[:, None]
        open_ &= index.takes[line][:, None] <= self._room[free][None, :] + EPSILON
        self._shut(line, extras, free, open_)
        row, column = open_.nonzero()
        if not len(row):
            return None
        agent, urgency = free[column], self._urgency(line, waited)
        misfit = routing.misfit * index.misfit[line[row], agent]
        tie: Reals = routing.tie * (self._known(line, extras)[row] == agent)
        work = routing.work.worth * index.effort[line[row], agent] / SCALE
        total = urgency[row] - misfit - work + tie
        first = index.complaint[line] | late
        kept = self._accepted(line, row, total, first)
        row, agent, total = row[kept], agent[kept], total[kept]
        misfit, work, tie = misfit[kept], work[kept], tie[kept]
        price = self._price(line[row], agent)
        total = total - price
        kept = self._accepted(line, row, total, first)
        if not len(kept):
            return None
        return _Pairs(
            line=line,
            waited=waited,
            urgency=urgency,
            late=late & ~index.complaint[line],
            extras=extras,
            row=row[kept],
            agent=agent[kept],
            misfit=misfit[kept],
            work=work[kept],
            price=price[kept],
            tie=tie[kept],
            total=total[kept],
        )

    def _accepted(self, line: Rows, row: Rows, total: Reals, first: Flags) -> Rows:
        """Return which pairs are worth it now, and note when another may be at the soonest."""
        worth = (total > 0) | first[row]
        refused = (~worth).nonzero()[0]
        if len(refused):
            index, routing = self._index, self._routing
            of = line[row[refused]]
            rise = routing.deadline / routing.tau.total_seconds() + routing.ageing / index.due[of]
            rise = index.weight[of] * rise + index.promise[of] / routing.tau.total_seconds()
            self._rest(-total[refused] / rise + _SOONEST)
        return worth.nonzero()[0]

    def _rest(self, seconds: Reals) -> None:
        later = seconds[seconds > 0]
        if len(later):
            self.quiet = min(self.quiet, float(later.min()))

    def _urgency(self, line: Rows, waited: Reals) -> Reals:
        index, routing = self._index, self._routing
        tau = routing.tau.total_seconds()
        due = index.due[line]
        deadline = routing.deadline * np.exp(-np.maximum(0.0, due - waited) / tau) * (waited < due)
        delay = tau * (1 / due + routing.pressure / index.patience[line])
        worth = delay + routing.ageing * waited / due + deadline
        within = routing.promise_within.total_seconds()
        promise = np.exp(-np.maximum(0.0, within - waited) / tau) * (waited < within)
        return np.asarray(index.weight[line] * worth + index.promise[line] * promise)

    def _known(self, line: Rows, extras: list[_Extra]) -> Rows:
        """Return who knows the contact of each row; −1: nobody."""
        index = self._index
        known = np.full(len(line), -1, np.intp)
        heads = len(line) - len(extras)
        if not self._taken:
            known[:heads] = index.known[line[:heads]]
        else:
            for place, each in enumerate(line[:heads].tolist()):
                known[place] = index.knows(self._head(each))
        for place, extra in enumerate(extras, start=heads):
            known[place] = index.knows(extra.name)
        return known

    def _shut(self, line: Rows, extras: list[_Extra], free: Rows, open_: Flags) -> None:
        """Leave out who must not get whom; those behind a head are for their agents only."""
        index, heads = self._index, len(line) - len(extras)
        place_of = index.staff.position
        barring = {each for each, names in index.barring.items() if names}
        if barring:
            for place, each in enumerate(line[:heads].tolist()):
                name = self._head(each) if each in barring else None
                if name is not None:
                    for agent in index.shut_out(index.waiting[name], each):
                        open_[place, free == place_of.get(agent, -1)] = False
        for place, extra in enumerate(extras, start=heads):
            waiting = index.waiting[extra.name]
            allowed = extra.agents - index.shut_out(waiting, extra.line)
            among = [place_of[agent] for agent in allowed if agent in place_of]
            open_[place] &= np.isin(free, among)

    def _price(self, line: Rows, agent: Rows) -> Reals:
        """Return what each pair's slot is worth to the dearest category that is not the line's."""
        if self._prices is None or not len(line):
            return np.zeros(len(line))
        policy, index = self._routing.price, self._index
        whole, shared = index.staff.slots(self._room)
        exclusive = index.exclusive
        spared = policy.spared * self._prices.whole  # for calls, if any are to be expected
        spare = shared * (1 - spared * whole * self._caps[:, 0])
        counted = np.where(exclusive, whole @ self._caps, spare @ self._caps)
        counted = np.maximum(0.0, counted - index.asked * exclusive)
        dear = self._prices.at(counted) * policy.factor
        hot = dear.nonzero()[0]
        price = np.zeros(len(line))
        crosses = (index.takes[line] < WHOLE)[:, None] & exclusive
        if len(hot):
            has = np.where(
                exclusive[hot], (whole > 0)[agent][:, None], (shared > 0)[agent][:, None]
            )
            worth = self._caps[agent[:, None], hot] * has * dear[hot]
            worth *= ~index.own[line[:, None], hot]
            part = np.where(crosses[:, hot], policy.crossing, 1.0)
            price = np.asarray((worth * part).max(axis=1))
        if policy.draining > 0:
            later = self._prices.at(counted + 1) * policy.factor * policy.draining
            busy = (whole == 0)[agent] * (1 - self._load[agent])
            worth = self._caps[agent] * later * crosses * busy[:, None]
            price = np.asarray(np.maximum(price, worth.max(axis=1)))
        return np.asarray(price, dtype=np.float64)

    # ----- who goes first, and to whom ----------------------------------------------------------

    def _order(self, pairs: _Pairs) -> Iterator[int]:
        """Yield the rows in the order in which they are served."""
        index = self._index
        effort = index.effort[pairs.line[pairs.row], pairs.agent] / SCALE
        value = np.maximum(pairs.total, _FLOOR) / effort
        rows, starts = np.unique(pairs.row, return_index=True)
        key = np.maximum.reduceat(value, starts)
        line, waited = pairs.line[rows], pairs.waited[rows]
        key = np.where(pairs.late[rows], _OVERDUE + _OVERDUE_KEY + waited, key)
        key = key + _COMPLAINT * index.complaint[line]
        order = np.lexsort((-waited, -key)).tolist()
        while order:
            first = order[0]
            even = [first]
            for at in order[1:]:
                if key[at] != key[first] or waited[at] != waited[first]:
                    break
                even.append(at)
            if len(even) > 1:
                even.sort(key=lambda at: self._name(pairs, int(rows[at])) or "")
            yield from (int(rows[at]) for at in even)
            order = order[len(even) :]

    def _name(self, pairs: _Pairs, row: int) -> ConversationId | None:
        heads = len(pairs.line) - len(pairs.extras)
        if row < heads:
            return self._head(int(pairs.line[row]))
        return pairs.extras[row - heads].name

    def _match(self, pairs: _Pairs, row: int) -> Matched | None:
        """Give a row its best agent, or nobody if its pairs were used up by matches before it."""
        index, staff, routing = self._index, self._index.staff, self._routing
        name, line = self._name(pairs, row), int(pairs.line[row])
        if name is None or name in self._taken:
            return None
        begin, end = np.searchsorted(pairs.row, [row, row + 1])
        agents = pairs.agent[begin:end]
        fits = self._room[agents] + EPSILON >= index.takes[line]
        if not fits.any():
            return None
        minutes = np.clip((self._now - self._assigned[agents]) / 60, 0.0, 5.0)
        against = routing.load * self._load[agents] + routing.flexible * staff.flexible[agents]
        against = against + routing.fairness * self._busy[agents]
        preference = pairs.total[begin:end] - against + routing.rest * minutes
        best = np.where(fits, preference, -np.inf)
        ties = (best == best.max()).nonzero()[0]
        chosen = int(agents[ties[np.argmin(staff.rank[agents[ties]])]])
        self._take(name, line, chosen)
        return Matched(
            conversation=name,
            agent=staff.ids[chosen],
            urgency=float(pairs.urgency[row]),
            agents=agents,
            misfit=pairs.misfit[begin:end],
            work=pairs.work[begin:end],
            price=pairs.price[begin:end],
            tie=pairs.tie[begin:end],
            score=pairs.total[begin:end],
            preference=preference,
        )

    def _take(self, name: ConversationId, line: int, agent: int) -> None:
        takes = self._index.takes[line]
        self._room[agent] = max(0.0, self._room[agent] - takes)
        self._load[agent] += takes
        self._assigned[agent] = self._now
        self._taken[name] = line
        head = self._head(line)
        self._heads[line] = np.inf if head is None else self._index.waiting[head].since.timestamp()
