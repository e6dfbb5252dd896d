"""Breaks, wrap-up and unanswered offers happen when a scenario says so, and only then."""

from collections import defaultdict

import pytest

from router.settings.load import load
from router.sim.day import Day, draw_day
from router.sim.habits import Luck
from router.sim.legs import Leg
from router.sim.policies import OURS, router_for
from router.sim.scenario import Habits
from router.sim.world import World
from tests.sim.small import a_scenario

SHOP = load(environ={}).policy
_MODEL = "timed_relaxation_tuned"
_EVERYTHING = Habits(
    break_every_h=0.5, break_lasts=300.0, wrap_up=40.0, declines=0.1, lapses=0.1, lapse_takes=30.0
)


def _played(policy: str, habits: Habits) -> tuple[Day, list[Leg]]:
    day = draw_day(a_scenario(habits=habits), 2)
    return day, World(day, router_for(policy, day, SHOP)).run()


@pytest.mark.parametrize("policy", [OURS, _MODEL])
def test_nobody_gets_work_on_a_break(policy: str) -> None:
    day, legs = _played(policy, Habits(break_every_h=0.5, break_lasts=300.0))
    breaks = Luck(day).breaks()
    assert any(breaks)
    for leg in legs:
        if leg.answered is not None:
            on_break = any(begins < leg.answered < ends for begins, ends in breaks[leg.agent])
            assert not on_break


@pytest.mark.parametrize("policy", [OURS, _MODEL])
def test_wrap_up_keeps_the_place_taken(policy: str) -> None:
    day, legs = _played(policy, Habits(wrap_up=40.0))
    changes: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for leg in legs:
        if leg.answered is not None and leg.ended is not None:
            weight = day.scenario.channel_weight[leg.channel]
            changes[leg.agent].append((leg.answered, weight))
            changes[leg.agent].append((leg.ended + 40.0 - 1e-6, -weight))
    for held in changes.values():
        load = 0.0
        for _moment, weight in sorted(held):
            load += weight
            assert load <= 1 + 1e-9


@pytest.mark.parametrize("policy", [OURS, _MODEL])
def test_an_offer_that_comes_back_costs_time_but_nobody_is_lost(policy: str) -> None:
    day, plain = _played(policy, Habits())
    _day, legs = _played(policy, Habits(lapses=0.5))
    first = [leg for leg in legs if leg.transfers == 0 and leg.level == 0]
    assert len(first) == len(day.customers.arrival)
    for leg in legs:
        assert (leg.answered is None) != (leg.left is None)
        assert leg.waited() <= leg.patience + 1e-6 or leg.answered is None
    assert sum(leg.waited() for leg in legs) > 1.5 * sum(leg.waited() for leg in plain)


@pytest.mark.parametrize("policy", [OURS, _MODEL])
def test_with_everything_at_once_the_day_is_the_same_again(policy: str) -> None:
    _day, one = _played(policy, _EVERYTHING)
    _day, again = _played(policy, _EVERYTHING)
    assert [(leg.agent, leg.answered) for leg in one] == [
        (leg.agent, leg.answered) for leg in again
    ]


def test_habits_do_not_change_the_day_itself() -> None:
    plain, other = (draw_day(a_scenario(habits=each), 2) for each in (Habits(), _EVERYTHING))
    assert plain.customers.arrival.tolist() == other.customers.arrival.tolist()
    assert plain.customers.work.tolist() == other.customers.work.tolist()
    assert not any(Luck(plain).breaks())
    assert Luck(plain).unanswered() is None
