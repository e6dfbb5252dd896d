"""What is foreseen follows from what was counted: the season, the last hour, or nothing."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.domain.forecast import AHEAD, QUARTER, Demand, Foresight, foresee, quarter_of
from router.domain.hours import Hours
from router.domain.ids import Skill
from router.domain.policy import ShopPolicy
from router.domain.prices import Category
from router.settings.load import load

#: A Wednesday, ten in the morning in Shanghai.
NOW = datetime(2026, 11, 11, 2, 0, tzinfo=UTC)
CHAT = Category(exclusive=False, skill=None)
WEEK, DAY, HOUR = timedelta(days=7), timedelta(days=1), timedelta(hours=1)


def shop(zone: str = "Asia/Shanghai") -> ShopPolicy:
    plain = load(environ={}).policy
    return replace(plain, hours=Hours(zone=ZoneInfo(zone), week={}, days={}))


def counted(quarter: datetime, count: int, *, weight: float = 1.0) -> Demand:
    return Demand(quarter=quarter, family="webchat", skill=None, count=count, weight=weight * count)


def seen(history: Iterable[Demand], *, since: datetime, until: datetime = NOW) -> Foresight:
    return foresee(history, since=since, until=until, policy=shop())


def a_quarter(found: Foresight, step: int = 0) -> float:
    """Return the expected chats of a quarter of an hour."""
    return found.forecast.rates[CHAT][step] * QUARTER.total_seconds()


def every_day(count: int, *, days: int, hours: int = 4) -> list[Demand]:
    """Return so many chats in each quarter around this time of day, for days back."""
    begins = quarter_of(NOW)
    return [
        counted(begins - back * DAY + step * QUARTER, count)
        for back in range(1, days + 1)
        for step in range(-4 * hours, 4 * hours)
    ]


def test_without_a_day_of_history_the_last_hour_is_what_is_known() -> None:
    history = [counted(quarter_of(NOW) - step * QUARTER, 6) for step in range(1, 5)]
    found = seen(history, since=NOW - HOUR)
    assert [a_quarter(found, step) for step in range(AHEAD)] == pytest.approx([6.0] * AHEAD)
    assert (found.days, found.level) == (0, 1.0)


def test_a_rate_is_not_told_from_a_moment() -> None:
    found = seen([counted(quarter_of(NOW), 1)], since=NOW, until=NOW + timedelta(seconds=1))
    assert a_quarter(found) <= 3.0


def test_the_season_counts_once_there_is_one() -> None:
    history = [*every_day(10, days=28)]
    history += [counted(quarter_of(NOW) - step * QUARTER, 10) for step in range(1, 5)]
    found = seen(history, since=NOW - 28 * DAY)
    assert a_quarter(found, 2) == pytest.approx(10.0, rel=0.02)
    assert found.level == pytest.approx(1.0, abs=0.02)


def test_a_weekday_differs_from_the_others() -> None:
    """Wednesdays are four times as busy."""
    begins = quarter_of(NOW)
    history = [
        counted(begins - back * DAY + step * QUARTER, 20 if back % 7 == 0 else 5)
        for back in range(1, 57)
        for step in range(-8, 9)
    ]
    found = seen(history, since=NOW - 56 * DAY)
    assert 14.0 < a_quarter(found, AHEAD - 1) < 20.0


def test_a_day_that_is_busier_than_its_like_is_expected_to_stay_so_for_an_hour() -> None:
    history = every_day(10, days=28)
    history += [counted(quarter_of(NOW) - step * QUARTER, 30) for step in range(1, 5)]
    found = seen(history, since=NOW - 28 * DAY)
    assert found.level > 2.0
    assert a_quarter(found, 0) > 20.0
    assert a_quarter(found, AHEAD - 1) < 15.0


def test_the_time_of_day_is_the_shop_s_own_through_a_change_of_clocks() -> None:
    """Nine in the evening in Berlin is another time in UTC after the last Sunday of October."""
    policy = shop("Europe/Berlin")
    now = datetime(2026, 10, 26, 20, 0, tzinfo=UTC)  # 21:00, in winter time
    history = [
        counted(datetime(2026, 10, day, 19, 0, tzinfo=UTC), 30)  # 21:00, in summer time
        for day in range(5, 25)
    ]
    found = foresee(history, since=datetime(2026, 10, 4, tzinfo=UTC), until=now, policy=policy)
    assert found.forecast.rates[CHAT][0] > found.forecast.rates[CHAT][4] * 3


def test_the_worth_of_a_category_is_its_mean_weight() -> None:
    found = seen(
        [counted(quarter_of(NOW) - QUARTER, 2, weight=10.0), counted(quarter_of(NOW), 2)],
        since=NOW - HOUR,
    )
    assert found.forecast.weights[CHAT] == pytest.approx(5.5)


def test_calls_and_chats_are_told_apart_and_so_are_skills() -> None:
    call = Demand(
        quarter=quarter_of(NOW) - QUARTER,
        family="voice",
        skill=Skill("complaint"),
        count=4,
        weight=40.0,
    )
    found = seen([call], since=NOW - HOUR)
    kind = Category(exclusive=True, skill=Skill("complaint"))
    assert set(found.forecast.rates) == {kind}
    assert found.forecast.rates[kind][0] > 0


@settings(deadline=None)
@given(
    counts=st.lists(st.integers(0, 50), min_size=1, max_size=300),
    days=st.integers(0, 60),
    minutes=st.integers(0, 15),
)
def test_every_rate_is_finite_and_never_negative_and_more_history_means_more(
    counts: list[int], days: int, minutes: int
) -> None:
    until = NOW + timedelta(minutes=minutes)
    begins = quarter_of(until)
    history = [counted(begins - step * QUARTER, count) for step, count in enumerate(counts)]
    found = seen(history, since=NOW - days * DAY, until=until)
    more = seen(
        [replace(each, count=each.count + 1) for each in history],
        since=NOW - days * DAY,
        until=until,
    )
    for kind, rates in found.forecast.rates.items():
        for rate, higher in zip(rates, more.forecast.rates[kind], strict=True):
            assert 0.0 <= rate <= 1000.0
            assert higher >= 0.0
    assert 0.4 <= found.level <= 4.0
