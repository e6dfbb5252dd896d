"""Business hours from hours.toml, every problem named."""

from collections.abc import Mapping
from datetime import date, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from router.domain.hours import AROUND_THE_CLOCK, Hours
from router.settings.files import HoursFile, Problem

_FILE = "hours.toml"
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

Spans = tuple[tuple[time, time], ...]


def read_hours(file: HoursFile, problems: list[Problem]) -> Hours:
    """Return the hours; an empty week means that somebody is always there."""
    week: dict[int, Spans] = {}
    for name, given in file.week.items():
        if name not in _WEEKDAYS:
            what = f"is not one of {', '.join(_WEEKDAYS)}"
            problems.append(Problem(file=_FILE, key=f"week.{name}", what=what))
        else:
            week[_WEEKDAYS.index(name)] = _spans(given, f"week.{name}", problems)
    if week and not any(week.values()):
        problems.append(Problem(file=_FILE, key="week", what="needs at least one open span"))
        return AROUND_THE_CLOCK
    return Hours(zone=_zone(file.zone, problems), week=week, days=_days(file.days, problems))


def _zone(name: str, problems: list[Problem]) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        what = f"{name!r} is no time zone; write one such as Asia/Shanghai"
        problems.append(Problem(file=_FILE, key="zone", what=what))
        return ZoneInfo("UTC")


def _days(given: Mapping[str, list[str]], problems: list[Problem]) -> dict[date, Spans]:
    days: dict[date, Spans] = {}
    for name, spans in given.items():
        try:
            days[date.fromisoformat(name)] = _spans(spans, f"days.{name}", problems)
        except ValueError:
            what = "is no date; write one such as 2026-10-01"
            problems.append(Problem(file=_FILE, key=f"days.{name}", what=what))
    return days


def _spans(given: list[str], key: str, problems: list[Problem]) -> Spans:
    spans: list[tuple[time, time]] = []
    for text in given:
        opens, _, closes = text.partition("-")
        try:
            begins = time.fromisoformat(opens.strip())
            ends = time.max if closes.strip() == "24:00" else time.fromisoformat(closes.strip())
        except ValueError:
            problems.append(Problem(file=_FILE, key=key, what=f"{text!r} is not like 09:00-18:00"))
            continue
        if begins >= ends or (spans and spans[-1][1] > begins):
            what = f"{text!r} must end after it begins, and begin after the span before it"
            problems.append(Problem(file=_FILE, key=key, what=what))
            continue
        spans.append((begins, ends))
    return tuple(spans)
