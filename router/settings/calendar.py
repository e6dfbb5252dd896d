"""Business hours from hours.toml, every problem named."""

from collections.abc import Mapping
from datetime import date, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from router.domain.hours import AROUND_THE_CLOCK, Hours
from router.settings.files import HoursFile, Problem

_FILE = "hours.toml"
#: What a queue of queues.toml says that is open when the shop is.
_SHOP = "shop"
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

Spans = tuple[tuple[time, time], ...]


def read_hours(
    file: HoursFile, problems: list[Problem], *, name: str = _FILE, of: str = ""
) -> Hours:
    """Return the hours; an empty week means that somebody is always there.

    Problems name the file ``name``, and keys below ``of``.
    """
    reads = _Reader(name, of, problems)
    zone, days = reads.zone(file.zone), reads.days(file.days)
    week: dict[int, Spans] = {}
    for day, given in file.week.items():
        if day not in _WEEKDAYS:
            reads.problem(f"week.{day}", f"is not one of {', '.join(_WEEKDAYS)}")
        else:
            week[_WEEKDAYS.index(day)] = reads.spans(given, f"week.{day}")
    if week and not any(week.values()):
        reads.problem("week", "needs at least one open span")
        return AROUND_THE_CLOCK
    return Hours(zone=zone, week=week, days=days)


def queue_hours(
    given: str | HoursFile, shop: Hours, problems: list[Problem], *, queue: str
) -> Hours:
    """Return a queue's hours: none, the shop's, or its own."""
    key = f"{queue}.hours"
    if isinstance(given, HoursFile):
        return read_hours(given, problems, name="queues.toml", of=f"{key}.")
    if given == _SHOP:
        return shop
    if given:
        what = f"{given!r} is not shop; write shop, or a table with zone, week and days"
        problems.append(Problem(file="queues.toml", key=key, what=what))
    return AROUND_THE_CLOCK


class _Reader:
    """Reads one table of hours and notes what is wrong in it."""

    def __init__(self, file: str, of: str, problems: list[Problem]) -> None:
        self._file, self._of, self._problems = file, of, problems

    def problem(self, key: str, what: str) -> None:
        self._problems.append(Problem(file=self._file, key=f"{self._of}{key}", what=what))

    def zone(self, name: str) -> ZoneInfo:
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            self.problem("zone", f"{name!r} is no time zone; write one such as Asia/Shanghai")
            return ZoneInfo("UTC")

    def days(self, given: Mapping[str, list[str]]) -> dict[date, Spans]:
        days: dict[date, Spans] = {}
        for name, spans in given.items():
            try:
                days[date.fromisoformat(name)] = self.spans(spans, f"days.{name}")
            except ValueError:
                self.problem(f"days.{name}", "is no date; write one such as 2026-10-01")
        return days

    def spans(self, given: list[str], key: str) -> Spans:
        spans: list[tuple[time, time]] = []
        for text in given:
            opens, _, closes = text.partition("-")
            try:
                begins = time.fromisoformat(opens.strip())
                ends = time.max if closes.strip() == "24:00" else time.fromisoformat(closes.strip())
            except ValueError:
                self.problem(key, f"{text!r} is not like 09:00-18:00")
                continue
            if begins >= ends or (spans and spans[-1][1] > begins):
                what = "must end after it begins, and begin after the span before it"
                self.problem(key, f"{text!r} {what}")
                continue
            spans.append((begins, ends))
        return tuple(spans)
