"""Play days under policies and measure them: one day a process, so that both cores are used."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from multiprocessing import get_context

import numpy as np

from router.domain.measure import Request, measure
from router.domain.policy import ShopPolicy
from router.sim.day import COMPLAINS, VIP, Day, draw_day
from router.sim.legs import Leg
from router.sim.policies import router_for
from router.sim.scenario import Scenario
from router.sim.staff import Reals
from router.sim.world import AFTER, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One day under one policy, and what it was worth."""

    scenario: str
    policy: str
    seed: int
    measures: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    scenario: Scenario
    policy: str
    seed: int
    shop: ShopPolicy


def simulate(
    scenarios: Sequence[Scenario],
    policies: Sequence[str],
    *,
    seeds: Mapping[str, Sequence[int]],
    shop: ShopPolicy,
    processes: int = 1,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> tuple[Run, ...]:
    """Play every scenario under every policy with its seeds; ``progress`` is told after each day.

    Every policy meets the same days. The order of the result does not depend on ``processes``.
    """
    tasks = [
        _Task(scenario=scenario, policy=policy, seed=seed, shop=shop)
        for scenario, policy in product(scenarios, policies)
        for seed in seeds[scenario.name]
    ]
    done: list[Run] = []
    for run in _played(tasks, processes):
        done.append(run)
        progress(len(done), len(tasks))
    return tuple(done)


def _played(tasks: Sequence[_Task], processes: int) -> Iterable[Run]:
    if processes <= 1 or len(tasks) <= 1:
        yield from map(_play, tasks)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_play, tasks)


def _play(task: _Task) -> Run:
    day = draw_day(task.scenario, task.seed)
    return Run(
        scenario=task.scenario.name,
        policy=task.policy,
        seed=task.seed,
        measures=play(day, task.policy, task.shop),
    )


def play(day: Day, policy: str, shop: ShopPolicy) -> Mapping[str, float]:
    """Play one day under a policy and return its measures."""
    world = World(day, router_for(policy, day, shop))
    legs = world.run()
    return measure(tuple(requests(legs)), world.effort / _on_shift(day))


def requests(legs: Iterable[Leg]) -> Iterator[Request]:
    """Yield the legs as what is measured."""
    for leg in legs:
        yield Request(
            waited=leg.waited(),
            target=leg.target,
            weight=leg.weight,
            answered=leg.answered is not None,
            complaint=leg.kind == COMPLAINS,
            vip=leg.kind == VIP,
            voice=leg.channel == 0,
            prompt=leg.channel <= 2,  # noqa: PLR2004  voice, web chat and instant messages
            transferred=leg.transferred,
            resolved=leg.resolved,
            known=leg.previous >= 0,
            sticky=leg.sticky,
        )


def _on_shift(day: Day) -> Reals:
    """Return each agent's seconds on shift, absences taken off; at least one."""
    staff, end = day.staff, day.horizon + AFTER
    off = np.minimum(staff.off, end)
    absent = np.minimum(staff.back, off) - np.maximum(staff.away, staff.on)
    return np.asarray(np.maximum(1.0, off - staff.on - np.maximum(0.0, absent)))
