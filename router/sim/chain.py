"""A small centre as a Markov decision process: exact cost of the best policy, and of any other.

Time goes in steps. In each, whoever waits may be given to an idle agent; then everybody who waits
is a step older and may leave, agents may finish, and somebody may come. A state is who waits how
long, and what each agent is doing. A conversation costs weight · waited/target, four times its
weight if lost, and what a poor match costs. All is small enough to be reckoned to the end.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement, product
from math import exp

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Rows = NDArray[np.intp]

#: What the loss of somebody adds to the cost of waiting, by weight; as on the invented days.
_LOST = 4.0
#: Iteration ends when the cost of a step is known this exactly, or after so many steps.
_EXACT, _LONGEST = 1e-5, 200_000

#: Who waits: for each class the ages in steps, oldest first.
Lines = tuple[tuple[int, ...], ...]
#: Which agent takes which place of which class's line: class, place, agent.
Move = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Class:
    """Like conversations: arrivals a second, target, weight, mean patience (seconds)."""

    rate: float
    target: float
    weight: float
    patience: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One class with one agent: mean seconds until the end, what it costs, chance of a return.

    ``cost`` counts when the conversation is given; ``again`` is the chance that its end is a
    transfer, so that it stands in line once more.
    """

    lasts: float
    cost: float
    again: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Small:
    """A small centre: at most ``places`` of a class wait, ages count up to ``ages`` steps."""

    name: str
    step: float
    places: int
    ages: int
    classes: tuple[Class, ...]
    pairs: tuple[tuple[Pair, ...], ...]  # class by agent

    @property
    def agents(self) -> int:
        """Return how many agents there are."""
        return len(self.pairs[0])

    @property
    def asked(self) -> float:
        """Return how many conversations come in a step."""
        return sum(_chance(self.step * each.rate) for each in self.classes)


Choose = Callable[[Lines, tuple[bool, ...]], Sequence[Move]]


def _chance(mean: float) -> float:
    """Return the chance that something with this mean count happens within the step."""
    return 1 - exp(-mean)


class Chain:
    """The states of a small centre and what happens between them.

    Values are arrays with an axis for each line and then one for each agent; an agent is idle (0)
    or busy with a class (its number plus one).
    """

    def __init__(self, small: Small) -> None:
        self.small = small
        self.lines = _lines(small)
        self._place = {each: at for at, each in enumerate(self.lines)}
        kinds = len(small.classes)
        self.shape = (len(self.lines),) * kinds + (kinds + 1,) * small.agents
        self._ageing = [self._older(each) for each in small.classes]
        self._joined = np.array([self._place.get(_join(each, small), -1) for each in self.lines])
        self._without = [
            np.array(
                [self._place[_drop(each, at)] if at < len(each) else -1 for each in self.lines]
            )
            for at in range(small.places)
        ]

    # ----- a step -------------------------------------------------------------------------------

    def after(self, value: Reals) -> Reals:
        """Return what is to be expected of a step that begins after the decision.

        ``value`` is what each state is worth at the next decision.
        """
        small, kinds = self.small, len(self.small.classes)
        for kind, each in enumerate(small.classes):
            comes = _chance(small.step * each.rate)
            value = (1 - comes) * value + comes * self._with_one_more(value, kind)
        for agent in range(small.agents):
            value = self._finishes(value, agent)
        for kind in range(kinds):
            older, cost = self._ageing[kind]
            moved = np.tensordot(older, value, axes=(1, kind))
            value = np.moveaxis(moved, 0, kind) + _along(cost, kind, value.ndim)
        return value

    def _with_one_more(self, value: Reals, kind: int) -> Reals:
        """Return the value of the states with one more in line; who finds no place is lost."""
        full = self._joined < 0
        joined = value.take(np.where(full, np.arange(len(full)), self._joined), axis=kind)
        lost = self.small.classes[kind].weight * _LOST
        return np.asarray(joined + _along(full * lost, kind, value.ndim))

    def _finishes(self, value: Reals, agent: int) -> Reals:
        kinds = len(self.small.classes)
        axis = kinds + agent
        found = value.copy()
        idle = np.asarray(value.take(0, axis=axis))
        for kind in range(kinds):
            pair = self.small.pairs[kind][agent]
            ends = _chance(self.small.step / pair.lasts)
            again = self._with_one_more(idle, kind)
            done = (1 - pair.again) * idle + pair.again * again
            busy = (slice(None),) * axis + (kind + 1,)
            found[busy] = (1 - ends) * value[busy] + ends * done
        return found

    def _older(self, kind: Class) -> tuple[Reals, Reals]:
        """Return the chances from line to line within a step, and what the step costs each."""
        small = self.small
        leaves = _chance(small.step / kind.patience)
        moves, costs = np.zeros((len(self.lines),) * 2), np.zeros(len(self.lines))
        for row, line in enumerate(self.lines):
            costs[row] = len(line) * kind.weight * (small.step / kind.target + leaves * _LOST)
            for stays in product((False, True), repeat=len(line)):
                left = tuple(
                    min(age + 1, small.ages) for age, here in zip(line, stays, strict=True) if here
                )
                gone = len(line) - len(left)
                moves[row, self._place[left]] += leaves**gone * (1 - leaves) ** len(left)
        return moves, costs

    # ----- the best, and a given policy ---------------------------------------------------------

    def best(self) -> float:
        """Return the least cost of a conversation that any policy can have."""
        return self._cost(self._decided)

    def of(self, choose: Choose) -> float:
        """Return the cost of a conversation under a policy that sees who waits and who is idle."""
        reached, cost = self._moves(choose)

        def decided(after: Reals) -> Reals:
            return np.asarray(cost + after.ravel()[reached])

        return self._cost(decided)

    def _cost(self, decided: Callable[[Reals], Reals]) -> float:
        """Return the mean cost of a step in the long run, by the conversations that come in it.

        Relative value iteration; raises RuntimeError if it does not settle.
        """
        value = np.zeros(self.shape)
        for _ in range(_LONGEST):
            after = decided(self.after(value))
            gained = after - value
            low, high = float(gained.min()), float(gained.max())
            value = after - after.flat[0]
            if high - low <= _EXACT:
                return (low + high) / 2 / self.small.asked
        raise RuntimeError(f"the cost of {self.small.name} does not settle")

    def _decided(self, after: Reals) -> Reals:
        """Return the value before the decision: the best of all ways to give who waits."""
        small, kinds = self.small, len(self.small.classes)
        value = after
        for _ in range(min(small.agents, kinds * small.places)):
            found = after.copy()
            for kind, agent in product(range(kinds), range(small.agents)):
                axis = kinds + agent
                idle = (slice(None),) * axis + (0,)
                given = value.take(kind + 1, axis=axis) + small.pairs[kind][agent].cost
                for without in self._without:
                    can = _along(without >= 0, kind, given.ndim)
                    taken = given.take(np.maximum(0, without), axis=kind)
                    found[idle] = np.minimum(found[idle], np.where(can, taken, np.inf))
            value = found
        return value

    def _moves(self, choose: Choose) -> tuple[Rows, Reals]:
        """Return for each state where the policy's decision leads, and what it costs."""
        small, kinds = self.small, len(self.small.classes)
        reached = np.arange(int(np.prod(self.shape))).reshape(self.shape)
        cost = np.zeros(self.shape)
        busy_as = list(product(range(kinds + 1), repeat=small.agents))
        known: dict[tuple[object, ...], Sequence[Move]] = {}
        for rows in product(range(len(self.lines)), repeat=kinds):
            lines = tuple(self.lines[row] for row in rows)
            for busy in busy_as:
                idle = tuple(each == 0 for each in busy)
                if not any(lines) or not any(idle):
                    continue
                if (rows, idle) not in known:
                    known[rows, idle] = tuple(choose(lines, idle))
                after, costs = self._made(lines, busy, known[rows, idle])
                reached[*rows, *busy] = np.ravel_multi_index(after, self.shape)
                cost[*rows, *busy] = costs
        return reached, cost

    def _made(
        self, lines: Lines, busy: tuple[int, ...], moves: Sequence[Move]
    ) -> tuple[tuple[int, ...], float]:
        left, doing, cost = [list(each) for each in lines], list(busy), 0.0
        for kind, place, agent in moves:
            if doing[agent] or left[kind][place] < 0:
                raise ValueError("an agent who is busy, or somebody who is gone, was given")
            left[kind][place] = -1
            doing[agent] = kind + 1
            cost += self.small.pairs[kind][agent].cost
        rows = [self._place[tuple(age for age in line if age >= 0)] for line in left]
        return (*rows, *doing), cost


def _lines(small: Small) -> tuple[tuple[int, ...], ...]:
    """Return every line: the ages of those in it, oldest first."""
    ages = range(small.ages, -1, -1)
    return tuple(
        line
        for count in range(small.places + 1)
        for line in combinations_with_replacement(ages, count)
    )


def _join(line: tuple[int, ...], small: Small) -> tuple[int, ...]:
    return (*line, 0) if len(line) < small.places else (-1,)


def _drop(line: tuple[int, ...], at: int) -> tuple[int, ...]:
    return line[:at] + line[at + 1 :]


def _along(values: NDArray[np.generic], axis: int, axes: int) -> Reals:
    """Return ``values`` along one of several axes."""
    return np.asarray(values).reshape([-1 if at == axis else 1 for at in range(axes)])


def oldest_first(small: Small, order: Mapping[int, int]) -> Choose:
    """Return strict priority: the class of the lower ``order``, then the oldest, to anybody idle.

    Nobody is held back. The agent is the first who is idle.
    """

    def choose(lines: Lines, idle: tuple[bool, ...]) -> list[Move]:
        waiting = [
            (order[kind], -age, kind, place)
            for kind, line in enumerate(lines)
            for place, age in enumerate(line)
        ]
        free = [agent for agent in range(small.agents) if idle[agent]]
        return [
            (kind, place, agent)
            for (_order, _age, kind, place), agent in zip(sorted(waiting), free, strict=False)
        ]

    return choose
