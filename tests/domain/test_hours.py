"""Business hours: due times fall into them, and holidays count for nothing."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from router.domain.hours import AROUND_THE_CLOCK, Hours

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = ((time(9), time(12)), (time(13), time(18)))
SHOP = Hours(
    zone=SHANGHAI,
    week=dict.fromkeys(range(5), DAY),
    days={date(2026, 10, 1): (), date(2026, 10, 10): DAY},
)
moments = some.integers(0, 90 * 24 * 60).map(
    lambda minutes: datetime(2026, 9, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
spans = some.timedeltas(timedelta(0), timedelta(hours=60))


def local(day: int, hour: int, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=SHANGHAI).astimezone(UTC)


def test_a_span_begun_in_the_evening_ends_in_the_morning() -> None:
    assert SHOP.after(local(11, 17), timedelta(hours=2)) == local(12, 10)


def test_the_lunch_break_counts_for_nothing() -> None:
    assert SHOP.after(local(11, 11), timedelta(hours=2)) == local(11, 14)


def test_a_weekend_is_passed_over() -> None:
    assert SHOP.after(local(13, 17), timedelta(hours=2)) == local(16, 10)


def test_a_holiday_is_closed_and_the_day_that_makes_up_for_it_is_open() -> None:
    assert not SHOP.is_open(local(1, 10, month=10))
    assert SHOP.is_open(local(10, 10, month=10))


def test_without_hours_somebody_is_always_there() -> None:
    assert AROUND_THE_CLOCK.after(local(14, 3), timedelta(hours=1)) == local(14, 4)


def test_a_week_without_open_time_is_an_error_that_says_so() -> None:
    never = Hours(zone=SHANGHAI, week={0: ()}, days={})
    with pytest.raises(ValueError, match="open"):
        never.after(local(11, 9), timedelta(hours=1))


@given(moments, spans)
def test_the_end_is_never_before_the_span_has_passed(at: datetime, span: timedelta) -> None:
    assert SHOP.after(at, span) >= at + span


@given(moments, spans, spans)
def test_two_spans_one_after_the_other_are_their_sum(
    at: datetime, one: timedelta, other: timedelta
) -> None:
    assert SHOP.after(SHOP.after(at, one), other) == SHOP.after(at, one + other) or not other


@given(moments, spans.filter(bool))
def test_something_is_due_only_when_somebody_was_there_just_before(
    at: datetime, span: timedelta
) -> None:
    assert SHOP.is_open(SHOP.after(at, span) - timedelta(microseconds=1))


@given(moments, spans)
def test_the_open_time_until_a_span_is_over_is_the_span(begins: datetime, span: timedelta) -> None:
    assert SHOP.between(begins, SHOP.after(begins, span)) == span


@given(moments, spans, spans)
def test_open_time_adds_up(begins: datetime, one: timedelta, two: timedelta) -> None:
    whole = SHOP.between(begins, begins + one + two)
    assert whole == SHOP.between(begins, begins + one) + SHOP.between(
        begins + one, begins + one + two
    )


def test_around_the_clock_all_time_is_open() -> None:
    begins = local(11, 3)
    assert AROUND_THE_CLOCK.between(begins, begins + timedelta(hours=30)) == timedelta(hours=30)
    assert AROUND_THE_CLOCK.between(begins, begins - timedelta(hours=1)) == timedelta(0)
