"""How long one decision takes on a large floor: an agent has room again, or somebody comes."""

import json
import os
import time
from dataclasses import dataclass
from itertools import cycle
from random import Random
from typing import Any

import click
import msgspec

from router.cli.bench.figures import told
from router.resources import resource
from router.settings.load import load
from router.sim.day import Day, draw_day
from router.sim.legs import Leg, first_leg
from router.sim.product import ProductRouter
from router.sim.scenario import read_scenario

#: The floor is that of an hour of the largest shipped scenario, with more agents.
_SCENARIO = "d07_large"
_HOURS, _SEED, _SPARE = 4.0, 7, 2.0
_FULL, _LATE = 4, 99
_NOON, _OLDEST = 7200.0, 600.0
#: The tables of each kind of conversation are built when it is first looked at; so often before.
_WARM = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Took:
    """One decision: milliseconds of this core's work and on the clock, and how many offers."""

    core: float
    clock: float
    offers: int


class _Began:
    """A stopwatch for the core and the clock."""

    def __init__(self) -> None:
        self._core, self._clock = time.thread_time(), time.perf_counter()

    def until(self, offers: int) -> _Took:
        """Stop."""
        return _Took(
            core=(time.thread_time() - self._core) * 1000,
            clock=(time.perf_counter() - self._clock) * 1000,
            offers=offers,
        )


class _Floor:
    """A floor on which things happen; each is timed until it is decided."""

    def __init__(self, day: Day, waiting: int) -> None:
        self.router = ProductRouter(day, load(environ={}).policy)
        self._day, self._legs = day, 0
        self._chance = Random(_SEED)  # noqa: S311  the same floor each time
        self._numbers = cycle(range(len(day.customers.arrival)))
        self._held: list[list[Leg]] = [[] for _ in range(day.scenario.agents)]
        self.now = _NOON
        for agent in range(day.scenario.agents):
            self.router.shift(agent, on=True, now=_NOON - _OLDEST)
            if waiting:
                self._fill(agent)
        for _ in range(waiting):
            self.router.waits(self.new(_NOON - self._chance.random() * _OLDEST), _NOON)
        self.settle()

    def new(self, arrived: float) -> Leg:
        """Return a customer who comes."""
        self._legs += 1
        leg = first_leg(self._day, next(self._numbers), id_=self._legs)
        leg.arrived = arrived
        return leg

    def _fill(self, agent: int) -> None:
        chats = bool(self._day.staff.serves[agent, 1])
        for _ in range(_FULL if chats else 1):
            leg = self.new(_NOON - _OLDEST)
            leg.channel = 1 if chats else 0
            self._start(leg, agent)

    def _start(self, leg: Leg, agent: int) -> None:
        self.router.starts(leg, agent, self.now)
        self._held[agent].append(leg)

    def settle(self) -> int:
        """Carry out whatever is worth doing now; return how many were given an agent."""
        given = 0
        while chosen := self.router.decide(self.now):
            for leg, agent in chosen:
                self._start(leg, agent)
                given += 1
        return given

    def room_again(self) -> _Took:
        """An agent is done with one of theirs; return what deciding took."""
        busy = [agent for agent, held in enumerate(self._held) if held]
        agent = self._chance.choice(busy)
        leg = self._held[agent].pop()
        self.now += 0.1
        began = _Began()
        self.router.ends(leg, agent, self.now)
        chosen = self.router.decide(self.now)
        took = began.until(len(chosen))
        for each, taker in chosen:
            self._start(each, taker)
        self.settle()
        self.router.waits(self.new(self.now), self.now)
        self.settle()
        return took

    def somebody_comes(self) -> _Took:
        """A customer comes; return what deciding took."""
        self.now += 0.1
        leg = self.new(self.now)
        began = _Began()
        self.router.waits(leg, self.now)
        chosen = self.router.decide(self.now)
        took = began.until(len(chosen))
        for each, taker in chosen:
            self._start(each, taker)
        self.settle()
        return took


@click.command()
@click.option("--agents", type=click.IntRange(3, 5000), default=1000, show_default=True)
@click.option("--waiting", type=click.IntRange(1, 100_000), default=10_000, show_default=True)
@click.option("--events", type=click.IntRange(1), default=1000, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON object.")
def route(*, agents: int, waiting: int, events: int, as_json: bool) -> None:
    """Decide on a large floor and print how long a decision takes, median and 99th percentile."""
    day = _day(agents)
    crowded = _Floor(day, waiting)
    calm = _Floor(day, 0)
    for _ in range(_WARM):
        crowded.room_again()
        calm.somebody_comes()
    found: dict[str, Any] = {
        "agents": agents,
        "waiting": waiting,
        "events": events,
        "load": os.getloadavg()[0],
        "agent_has_room": _figures([crowded.room_again() for _ in range(events)]),
        "somebody_comes": _figures([calm.somebody_comes() for _ in range(events)]),
    }
    click.echo(json.dumps(found) if as_json else told(found))


def _day(agents: int) -> Day:
    file = resource("config") / "scenarios" / f"{_SCENARIO}.json"
    scenario = msgspec.structs.replace(
        read_scenario(file), agents=agents, hours=_HOURS, load=_SPARE
    )
    return draw_day(scenario, _SEED)


def _figures(events: list[_Took]) -> dict[str, float]:
    core = sorted(each.core for each in events)
    clock = sorted(each.clock for each in events)
    late = min(len(events) - 1, len(events) * _LATE // 100)
    return {
        "median_ms": round(core[len(core) // 2], 3),
        "p99_ms": round(core[late], 3),
        "clock_median_ms": round(clock[len(clock) // 2], 3),
        "clock_p99_ms": round(clock[late], 3),
        "offers": sum(each.offers for each in events),
    }
