"""The exact optimum of small centres: it is what trying every policy finds, and ours is near it."""

import json
from itertools import product

import numpy as np
import pytest
from click.testing import CliRunner

from router.cli.main import main
from router.settings.load import load
from router.sim.chain import Chain, Class, Lines, Move, Pair, Small, oldest_first
from router.sim.small import CENTRES, gap

TINY = Small(
    name="tiny",
    step=10.0,
    places=1,
    ages=1,
    classes=(
        Class(rate=0.01, target=20.0, weight=1.0, patience=60.0),
        Class(rate=0.004, target=20.0, weight=6.0, patience=90.0),
    ),
    pairs=(
        (Pair(lasts=90.0, cost=0.9, again=0.2),),
        (Pair(lasts=120.0, cost=0.6, again=0.05),),
    ),
)
#: What may wait: nobody, somebody fresh, somebody older. And what the one agent does.
_NOBODY, _FRESH, _OLDER = range(3)
_IDLE = 0
_STATES = tuple(product(range(3), range(3), range(3)))


def _chance(mean: float) -> float:
    return float(1 - np.exp(-mean))


def _joins(
    outcomes: list[tuple[float, float, list[int], int]], kind: int, chance: float
) -> list[tuple[float, float, list[int], int]]:
    """Let one of a class come, or not; who finds the place taken is lost."""
    found = []
    for share, cost, lines, agent in outcomes:
        found.append((share * (1 - chance), cost, lines, agent))
        if lines[kind] == _NOBODY:
            after = [_FRESH if at == kind else each for at, each in enumerate(lines)]
            found.append((share * chance, cost, after, agent))
        else:
            found.append((share * chance, cost + 4 * TINY.classes[kind].weight, lines, agent))
    return found


def _step(state: tuple[int, int, int]) -> tuple[np.ndarray, float]:
    """Return where a step leads after the decision, and what it costs: forward, case by case."""
    outcomes: list[tuple[float, float, list[int], int]] = [(1.0, 0.0, [*state[:2]], state[2])]
    for kind, each in enumerate(TINY.classes):
        leaves = _chance(TINY.step / each.patience)
        found = []
        for share, cost, lines, agent in outcomes:
            if lines[kind] == _NOBODY:
                found.append((share, cost, lines, agent))
                continue
            waits = cost + each.weight * TINY.step / each.target
            gone = [_NOBODY if at == kind else line for at, line in enumerate(lines)]
            older = [_OLDER if at == kind else line for at, line in enumerate(lines)]
            found.append((share * leaves, waits + 4 * each.weight, gone, agent))
            found.append((share * (1 - leaves), waits, older, agent))
        outcomes = found
    done = []
    for share, cost, lines, agent in outcomes:
        if agent == _IDLE:
            done.append((share, cost, lines, agent))
            continue
        kind = agent - 1
        pair = TINY.pairs[kind][0]
        ends = _chance(TINY.step / pair.lasts)
        done.append((share * (1 - ends), cost, lines, agent))
        done.append((share * ends * (1 - pair.again), cost, lines, _IDLE))
        done += _joins([(share * ends * pair.again, cost, lines, _IDLE)], kind, 1.0)
    for kind, each in enumerate(TINY.classes):
        done = _joins(done, kind, _chance(TINY.step * each.rate))
    row, cost = np.zeros(len(_STATES)), 0.0
    for share, costs, lines, agent in done:
        row[_STATES.index((lines[0], lines[1], agent))] += share
        cost += share * costs
    return row, cost


def _every_policy_tried() -> float:
    """Return the least mean cost of a conversation among all policies, each solved by itself."""
    steps = {state: _step(state) for state in _STATES}
    free = [state for state in _STATES if state[2] == _IDLE and state[:2] != (_NOBODY, _NOBODY)]
    ways = [[-1, *(kind for kind in (0, 1) if state[kind] != _NOBODY)] for state in free]
    best = np.inf
    for chosen in product(*ways):
        rows, costs = [], []
        for state in _STATES:
            kind = chosen[free.index(state)] if state in free else -1
            after, paid = state, 0.0
            if kind >= 0:
                lines = [_NOBODY if at == kind else each for at, each in enumerate(state[:2])]
                after, paid = (lines[0], lines[1], kind + 1), TINY.pairs[kind][0].cost
            row, cost = steps[after]
            rows.append(row)
            costs.append(paid + cost)
        size = len(_STATES)
        system = np.vstack([(np.array(rows) - np.eye(size)).T, np.ones(size)])
        wanted = np.append(np.zeros(size), 1.0)
        share = np.linalg.lstsq(system, wanted, rcond=None)[0]
        best = min(best, float(share @ np.array(costs)))
    return best / TINY.asked


def test_the_optimum_is_what_trying_every_policy_finds() -> None:
    assert Chain(TINY).best() == pytest.approx(_every_policy_tried(), rel=1e-4)


def test_no_policy_is_better_than_the_optimum() -> None:
    def holds(lines: Lines, idle: tuple[bool, ...]) -> list[Move]:
        return [(0, 0, 0)] if lines[0] and idle[0] else []

    chain = Chain(TINY)
    best = chain.best()
    assert chain.of(oldest_first(TINY, {0: 1, 1: 0})) >= best - 1e-4
    assert chain.of(oldest_first(TINY, {0: 0, 1: 1})) >= best - 1e-4
    assert chain.of(holds) > best + 0.01


def test_a_busy_agent_is_given_nobody() -> None:
    with pytest.raises(ValueError, match="an agent who is busy"):
        Chain(TINY).of(lambda lines, _idle: [(0, 0, 0), (1, 0, 0)] if all(lines) else [])


def test_ours_is_within_three_percent_of_the_optimum() -> None:
    found = gap(CENTRES[1], load(environ={}).policy)
    assert 0 <= found.above < 0.03
    assert found.priority_above > 0.05


def test_the_command_says_how_far_ours_is_from_the_optimum() -> None:
    shown = CliRunner().invoke(main, ["bench", "optimum", "--centre", "1", "--json"])
    told = json.loads(shown.stdout)
    assert [each["name"] for each in told["centres"]] == [CENTRES[0].name]
    assert told["centres"][0]["ours"] >= told["centres"][0]["best"] - 1e-4
    assert told["mean_above"] < 0.03
