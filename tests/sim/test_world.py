"""What holds on every invented day, whoever routes."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pytest

from router.domain.policy import ShopPolicy
from router.settings.load import load
from router.sim.day import COMPLAINS, Day, draw_day
from router.sim.legs import Leg
from router.sim.policies import MODELS, NAMES, OURS, router_for
from router.sim.tables import NEVER
from router.sim.world import AFTER, World
from tests.sim.small import a_scenario

SHOP: ShopPolicy = load(environ={}).policy


def _played(policy: str, **changes: object) -> tuple[Day, Sequence[Leg]]:
    day = draw_day(a_scenario(**changes), 2)
    return day, World(day, router_for(policy, day, SHOP)).run()


@pytest.mark.parametrize("policy", NAMES)
def test_everybody_who_came_was_answered_or_left(policy: str) -> None:
    day, legs = _played(policy)
    first = [leg for leg in legs if leg.transfers == 0 and leg.level == 0]
    assert len(first) == len(day.customers.arrival)
    for leg in legs:
        assert (leg.answered is None) != (leg.left is None)
        assert 0 <= leg.waited() <= day.horizon + AFTER
        if leg.answered is not None:
            assert leg.answered - leg.arrived <= leg.patience + 1e-6


@pytest.mark.parametrize("policy", NAMES)
def test_nobody_holds_more_than_they_can_or_what_they_cannot(policy: str) -> None:
    day, legs = _played(policy)
    changes: dict[int, list[tuple[float, int, float]]] = defaultdict(list)
    for leg in legs:
        if leg.answered is None:
            continue
        weight = day.scenario.channel_weight[leg.channel]
        changes[leg.agent].append((leg.answered, 1, weight))
        changes[leg.agent].append((leg.ended if leg.ended is not None else 1e9, 0, -weight))
        assert day.staff.serves[leg.agent, leg.channel]
        assert day.fit.level[leg.wanted, leg.agent] != NEVER
        assert day.staff.on[leg.agent] <= leg.answered < day.staff.off[leg.agent]
    for held in changes.values():
        load = 0.0
        for _moment, _order, weight in sorted(held):
            load += weight
            assert load <= 1 + 1e-9


@pytest.mark.parametrize("policy", NAMES)
def test_what_is_handed_on_goes_to_somebody_else(policy: str) -> None:
    _day, legs = _played(policy)
    handed = [leg for leg in legs if leg.excluded >= 0]
    assert handed
    assert all(leg.agent != leg.excluded for leg in handed)
    assert max(leg.transfers for leg in legs) <= 3


def test_only_complaints_escalate_and_mostly_to_somebody_of_more_standing() -> None:
    day, legs = _played(OURS, complaint_share=0.3)
    raised = [leg for leg in legs if leg.level]
    assert raised
    for leg in raised:
        assert leg.kind == COMPLAINS
        assert leg.target == {1: 60.0, 2: 120.0}[leg.level]
    answered = [leg for leg in raised if leg.agent >= 0]
    fit = [day.staff.levels[leg.agent, -1] >= day.wanted[leg.wanted, -1] - 1 for leg in answered]
    anybody = np.mean(day.staff.levels[:, -1] >= 2)  # at the least two levels below
    assert np.mean(fit) > 2 * anybody


@pytest.mark.parametrize("policy", NAMES)
def test_the_same_day_is_played_the_same_again(policy: str) -> None:
    _day, one = _played(policy)
    _day, again = _played(policy)
    assert [(leg.agent, leg.answered) for leg in one] == [
        (leg.agent, leg.answered) for leg in again
    ]


def test_no_agent_starts_something_else_while_an_older_complaint_could_be_theirs() -> None:
    day, legs = _played(OURS, complaint_share=0.3, load=1.4)
    started = [leg for leg in legs if leg.answered is not None and leg.kind != COMPLAINS]
    complaints = [leg for leg in legs if leg.kind == COMPLAINS]
    weights = day.scenario.channel_weight
    for leg in started:
        for other in complaints:
            until = other.answered if other.answered is not None else other.left
            assert until is not None
            assert leg.answered is not None
            waits = other.arrived <= leg.arrived and other.arrived < leg.answered < until
            fits = (
                day.staff.serves[leg.agent, other.channel]
                and day.fit.level[other.wanted, leg.agent] <= 3
                and other.excluded != leg.agent
                and weights[other.channel] <= weights[leg.channel]
            )
            assert not (waits and fits)


def test_nobody_starves_while_complaints_leave_capacity() -> None:
    day, legs = _played(OURS, load=1.6, patience_mean=(1e6, 1e6, 1e6, 1e6), hours=2.0)
    routing = SHOP.routing
    for leg in legs:
        if leg.kind != COMPLAINS and leg.level == 0:
            late = max(routing.overdue_factor * leg.target, routing.overdue_least.total_seconds())
            assert leg.waited() <= late + day.horizon


def test_each_model_says_what_it_is_a_model_of() -> None:
    assert all(rules.source for rules in MODELS.values())
    assert len({rules.name for rules in MODELS.values()}) == len(MODELS)
