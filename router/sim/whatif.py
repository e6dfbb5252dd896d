"""What a recorded day would have been like with other staffing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from router.domain.ids import AgentId
from router.domain.measure import Request, measure
from router.domain.policy import ShopPolicy
from router.domain.recorded import Changes, RecordedDay, Shift, Wait
from router.domain.workforce import Agent, Presence, Role
from router.sim.replay import QUARTER_S, Replay, Turn, recorded_requests, requests
from router.sim.report import mean_and_interval

#: What is shown of a day: what is measured and can be known of a recorded one.
SHOWN = ("comp_sla", "sla", "asa", "p95", "maxw", "aband", "util")
_STREAM = 20261112


class NothingRecorded(ValueError):
    """The day has nothing to play; the message says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A quarter of an hour: arrivals, mean wait (s), share in time, agents there; means of days."""

    begins: datetime
    arrivals: float
    waited: float
    in_time: float
    agents: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A day's figures, each with the half-width of its 95 % interval, and its course."""

    measures: Mapping[str, tuple[float, float]]
    waits: int
    agents: int
    course: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How the day was, how it is when played as it was staffed, and with the changes."""

    recorded: Outcome
    same: Outcome
    changed: Outcome


def what_if(
    day: RecordedDay,
    changes: Changes,
    policy: ShopPolicy,
    *,
    seeds: Sequence[int],
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Answer:
    """Play a recorded day as it was and with changes. Raises `NothingRecorded`."""
    check(day)
    steps = 2 * len(seeds)
    same = _play(day, day.shifts, policy, seeds, lambda done: progress(done, steps))
    altered = staffed(day, changes)
    days = [_volume(day, changes, seed) for seed in seeds]
    changed = _play(days, altered, policy, seeds, lambda done: progress(len(seeds) + done, steps))
    return Answer(recorded=_as_recorded(day, policy), same=same, changed=changed)


def check(day: RecordedDay) -> None:
    """Raise `NothingRecorded` unless there is something to play."""
    if not day.waits:
        raise NothingRecorded(f"day: on {day.day} nobody waited for a person; choose another day")
    if not day.shifts:
        raise NothingRecorded(f"day: on {day.day} no agent took work; choose another day")


def staffed(day: RecordedDay, changes: Changes) -> tuple[Shift, ...]:
    """Return the day's shifts with the changes: new agents, or every so-manieth taken away."""
    if changes.agents < 0:
        left = max(0, len(day.shifts) + changes.agents)
        kept = np.linspace(0, len(day.shifts) - 1, left).round().astype(int).tolist()
        return tuple(day.shifts[number] for number in kept)
    return (*day.shifts, *(newcomer(day, changes, number) for number in range(changes.agents)))


def newcomer(day: RecordedDay, changes: Changes, number: int) -> Shift:
    """Return one more agent; who knows everything in middling quality if nothing is said."""
    skills = changes.skills
    if skills is None:
        everything = {need.skill for wait in day.waits for need in wait.needs}
        skills = dict.fromkeys(sorted(everything), 3)
    begins = changes.begins or min(span[0] for each in day.shifts for span in each.spans)
    ends = changes.ends or max(span[1] for each in day.shifts for span in each.spans)
    name = f"new-{number + 1:03d}"
    agent = Agent(
        id=AgentId(name),
        login=name,
        name=name,
        role=Role.AGENT,
        skills=skills,
        families=changes.families,
        languages=frozenset(),
        capacity=1.0,
        presence=Presence.OFFLINE,
        presence_since=day.begins,
        active=True,
    )
    return Shift(agent=agent, spans=((begins, ends),))


def _volume(day: RecordedDay, changes: Changes, seed: int) -> RecordedDay:
    """Return the day with more or fewer contacts, drawn by ``seed``."""
    chance = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, _STREAM])))
    found: list[Wait] = []
    for wait in day.waits:
        if wait.severity == 0 and chance.random() < changes.bot:
            continue
        copies = int(changes.volume + chance.random())
        for copy in range(copies):
            aside = timedelta(seconds=float(chance.uniform(-600, 600))) if copy else timedelta()
            at = min(max(wait.at + aside, day.begins), day.ends)
            name = f"{wait.conversation}+{copy}" if copy else wait.conversation
            found.append(replace(wait, at=at, conversation=type(wait.conversation)(name)))
    found.sort(key=lambda each: (each.at, each.conversation))
    return replace(day, waits=tuple(found))


def _play(
    days: RecordedDay | Sequence[RecordedDay],
    shifts: Sequence[Shift],
    policy: ShopPolicy,
    seeds: Sequence[int],
    progress: Callable[[int], None] = lambda _done: None,
) -> Outcome:
    each_day = [days] * len(seeds) if isinstance(days, RecordedDay) else days
    measured, courses, count = [], [], 0
    for number, (day, seed) in enumerate(zip(each_day, seeds, strict=True)):
        played = Replay(day, shifts, policy, seed=seed).run()
        asked = tuple(requests(played.turns, policy))
        measured.append(measure(asked, played.occupancy))
        courses.append(_course(day, shifts, played.turns, asked))
        count += len(asked)
        progress(number + 1)
    return Outcome(
        measures={name: mean_and_interval([each[name] for each in measured]) for name in SHOWN},
        waits=round(count / len(seeds)),
        agents=len(shifts),
        course=_mean(courses),
    )


def _as_recorded(day: RecordedDay, policy: ShopPolicy) -> Outcome:
    asked = tuple(recorded_requests(day, policy))
    found = measure(asked, np.array([_occupied(day, each) for each in day.shifts]))
    turns = [
        Turn(
            wait=wait,
            arrived=(wait.at - day.begins).total_seconds(),
            patience=0.0,
            work=0.0,
            answered=(wait.at - day.begins).total_seconds() + request.waited,
        )
        for wait, request in zip(day.waits, asked, strict=True)
    ]
    return Outcome(
        measures={name: (found[name], 0.0) for name in SHOWN},
        waits=len(asked),
        agents=len(day.shifts),
        course=_course(day, day.shifts, turns, asked),
    )


def _occupied(day: RecordedDay, shift: Shift) -> float:
    """Return the part of an agent's time with something in hand, overlaps counted once."""
    held = sorted(
        (wait.at + wait.answered, wait.at + wait.answered + (wait.work or timedelta()))
        for wait in day.waits
        if wait.answered is not None and wait.by == shift.agent.id
    )
    busy, until = timedelta(), day.begins
    for begin, end in held:
        if end > until:
            busy += end - max(begin, until)
            until = end
    return min(1.0, busy / max(shift.length(), timedelta(seconds=1)))


def _course(
    day: RecordedDay, shifts: Sequence[Shift], turns: Sequence[Turn], asked: Sequence[Request]
) -> tuple[Point, ...]:
    quarters = int((day.ends - day.begins).total_seconds() // QUARTER_S)
    counts, waited, good = (np.zeros(quarters) for _ in range(3))
    for turn, request in zip(turns, asked, strict=True):
        place = min(quarters - 1, int(turn.arrived // QUARTER_S))
        counts[place] += 1
        waited[place] += request.waited
        good[place] += request.answered and request.waited <= request.target
    some = np.maximum(1.0, counts)
    return tuple(
        Point(
            begins=(begins := day.begins + timedelta(seconds=place * QUARTER_S)),
            arrivals=float(counts[place]),
            waited=float(waited[place] / some[place]),
            in_time=float(good[place] / some[place]) if counts[place] else 1.0,
            agents=sum(
                any(begin <= begins < end for begin, end in shift.spans) for shift in shifts
            ),
        )
        for place in range(quarters)
    )


def _mean(courses: Sequence[tuple[Point, ...]]) -> tuple[Point, ...]:
    return tuple(
        Point(
            begins=points[0].begins,
            arrivals=float(np.mean([each.arrivals for each in points])),
            waited=float(np.mean([each.waited for each in points])),
            in_time=float(np.mean([each.in_time for each in points])),
            agents=float(np.mean([each.agents for each in points])),
        )
        for points in zip(*courses, strict=True)
    )
