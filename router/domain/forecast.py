"""Foreseeing demand from the shop's own history: which kinds of conversation, how many, when.

A seasonal average by weekday and quarter of an hour, shrunk towards the same quarter of any day,
and that towards the rate of the last hour: with no history at all, the last hour is what is known.
What is expected of the next hour is scaled by how the last one compared with what it should have
been, so that a day which is busier than its like is seen as such.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from router.domain.ids import Skill
from router.domain.policy import ShopPolicy
from router.domain.prices import Category, Forecast

QUARTER = timedelta(minutes=15)
#: How far back history counts.
LOOKS_BACK = timedelta(days=56)
#: How far ahead a forecast reaches.
AHEAD = 8
#: So many days of history weigh as much as the last hour …
_DAYS = 3.0
#: … and so many weeks of one weekday as much as all days.
_WEEKS = 2.0
#: So many arrivals of the last hour weigh as much as what was expected of it.
_SURPRISE = 10.0
_LEAST_LEVEL, _MOST_LEVEL = 0.4, 4.0
_HOUR = timedelta(hours=1)
#: A rate is not told from a shorter time than this.
_SHORTEST = timedelta(minutes=5)
_WEEK_DAYS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """How many conversations of a kind began to need a person in a quarter of an hour.

    ``quarter`` is when it began, in UTC; ``skill`` is one that they needed, or None: all of the
    channel family. ``weight`` is the sum of their weights.
    """

    quarter: datetime
    family: str
    skill: Skill | None
    count: int
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """A forecast with where it comes from: ``days`` of history, and the ``level`` of today.

    ``level`` is 1 for a day like its like. ``since`` is when counting began.
    """

    forecast: Forecast
    since: datetime
    days: int
    level: float


def quarter_of(at: datetime) -> datetime:
    """Return when the quarter of an hour of ``at`` began."""
    at = at.astimezone(UTC)
    return at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)


def alike(moment: datetime, days: int, zone: ZoneInfo) -> datetime:
    """Return the quarter at the same local time ``days`` earlier."""
    local = moment.astimezone(zone).replace(tzinfo=None) - timedelta(days=days)
    return quarter_of(local.replace(tzinfo=zone))


class _History:
    """Counts of one category by quarter."""

    def __init__(self) -> None:
        self.counts: dict[datetime, int] = defaultdict(int)
        self.weight = 0.0
        self.total = 0

    def add(self, demand: Demand) -> None:
        self.counts[demand.quarter] += demand.count
        self.total += demand.count
        self.weight += demand.weight

    def around(self, quarter: datetime) -> float:
        """Return the mean count of a quarter and its two neighbours."""
        near = (quarter - QUARTER, quarter, quarter + QUARTER)
        return sum(self.counts.get(each, 0) for each in near) / len(near)

    def seasonal(self, quarter: datetime, *, since: datetime, zone: ZoneInfo, base: float) -> float:
        """Return the expected count of a quarter, given ``base`` where history says nothing."""
        days: list[float] = []
        weeks: list[float] = []
        for back in range(1, LOOKS_BACK.days + 1):
            earlier = alike(quarter, back, zone)
            if earlier < since:
                break
            days.append(self.around(earlier))
            if back % _WEEK_DAYS == 0:
                weeks.append(days[-1])
        any_day = (base * _DAYS + sum(days)) / (_DAYS + len(days))
        return (any_day * _WEEKS + sum(weeks)) / (_WEEKS + len(weeks))


def foresee(
    history: Iterable[Demand],
    *,
    since: datetime,
    until: datetime,
    policy: ShopPolicy,
) -> Foresight:
    """Return what is expected from the quarter of ``until`` on.

    ``history`` is what was counted from ``since`` up to ``until``; of older days only the quarters
    at these times of day are looked at.
    """
    zone = policy.hours.zone
    kinds, everything = _by_category(history, policy)
    begins = quarter_of(until)
    last_begins = max(since, until - _HOUR)
    last = max(_SHORTEST, until - last_begins)
    level = _level(everything, begins=begins, since=since, zone=zone)
    rates: dict[Category, tuple[float, ...]] = {}
    for kind, held in kinds.items():
        recent = _count(held, quarter_of(last_begins), until) * (QUARTER / last)
        expected = [
            held.seasonal(begins + step * QUARTER, since=since, zone=zone, base=recent)
            for step in range(AHEAD)
        ]
        scaled = [
            each * (level if step < AHEAD // 2 else 1.0) for step, each in enumerate(expected)
        ]
        rates[kind] = tuple(each / QUARTER.total_seconds() for each in scaled)
    usual = policy.routing.weight_normal
    return Foresight(
        forecast=Forecast(
            begins=begins,
            step=QUARTER,
            rates=rates,
            weights={
                kind: held.weight / held.total if held.total else usual
                for kind, held in kinds.items()
            },
        ),
        since=since,
        days=min(LOOKS_BACK, begins - since).days,
        level=level,
    )


def _by_category(
    history: Iterable[Demand], policy: ShopPolicy
) -> tuple[Mapping[Category, _History], _History]:
    kinds: dict[Category, _History] = defaultdict(_History)
    everything = _History()
    for each in history:
        exclusive = policy.routing.family_weight.get(each.family, 0.0) >= 1.0
        kinds[Category(exclusive=exclusive, skill=each.skill)].add(each)
        if each.skill is None:
            everything.add(each)
    return kinds, everything


def _count(held: _History, first: datetime, until: datetime) -> int:
    return sum(count for quarter, count in held.counts.items() if first <= quarter < until)


def _level(held: _History, *, begins: datetime, since: datetime, zone: ZoneInfo) -> float:
    """Return how the last four full quarters compared with days like this one."""
    quarters = [begins - step * QUARTER for step in range(1, 5)]
    known = [each for each in quarters if alike(each, 1, zone) >= since]
    if not known:
        return 1.0
    seen = sum(held.counts.get(each, 0) for each in known)
    expected = 0.0
    for each in known:
        yesterday = held.around(alike(each, 1, zone))
        expected += held.seasonal(each, since=since, zone=zone, base=yesterday)
    level = (seen + _SURPRISE) / (expected + _SURPRISE)
    return min(_MOST_LEVEL, max(_LEAST_LEVEL, level))
