"""Business hours: when somebody can act, and when a span of working time is over."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

#: Further ahead than this nothing is looked for: the week has no open time at all.
_FAR = 400
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """A week of open spans in one time zone, with days that differ.

    ``week`` maps a weekday (0 is Monday) to open spans, each from one time to a later one; a span
    that ends at midnight ends at ``time.max``. ``days`` maps a date to its own spans: none for a
    holiday, some for a working day that makes up for one (调休). An empty week is always open.
    """

    zone: ZoneInfo
    week: Mapping[int, tuple[tuple[time, time], ...]]
    days: Mapping[date, tuple[tuple[time, time], ...]]

    @property
    def always(self) -> bool:
        """Return whether there are no hours at all: somebody is always there."""
        return not self.week

    def spans(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        """Return the open spans of a local day, in UTC."""
        given = self.days.get(day, self.week.get(day.weekday(), ()))
        return tuple(
            (self._moment(day, opens), self._moment(day, closes)) for opens, closes in given
        )

    def _moment(self, day: date, at: time) -> datetime:
        if at == time.max:
            day, at = day + _DAY, time.min
        return datetime.combine(day, at, self.zone).astimezone(UTC)

    def is_open(self, at: datetime) -> bool:
        """Return whether somebody is there at ``at``."""
        if self.always:
            return True
        day = at.astimezone(self.zone).date()
        return any(
            opens <= at < closes for each in (day - _DAY, day) for opens, closes in self.spans(each)
        )

    def after(self, at: datetime, span: timedelta) -> datetime:
        """Return when ``span`` of open time has passed since ``at``.

        A span of nothing ends at the next open moment. Raises ValueError if there is no open time
        within a year.
        """
        if self.always:
            return at + span
        left = span
        day = at.astimezone(self.zone).date()
        for ahead in range(_FAR):
            for opens, closes in self.spans(day + ahead * _DAY):
                begins = max(opens, at)
                if begins >= closes:
                    continue
                if closes - begins >= left:
                    return begins + left
                left -= closes - begins
        raise ValueError("the week has no open time; hours.toml needs at least one open span")

    def between(self, begins: datetime, ends: datetime) -> timedelta:
        """Return how much open time lies between two moments; none if they stand the other way."""
        if self.always:
            return max(timedelta(0), ends - begins)
        open_ = timedelta(0)
        day, last = (at.astimezone(self.zone).date() for at in (begins, ends))
        day -= _DAY
        while day <= last:
            for opens, closes in self.spans(day):
                open_ += max(timedelta(0), min(closes, ends) - max(opens, begins))
            day += _DAY
        return open_


#: Somebody is always there.
AROUND_THE_CLOCK = Hours(zone=ZoneInfo("UTC"), week={}, days={})
