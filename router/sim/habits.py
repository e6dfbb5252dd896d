"""What happens to real agents and not in the reference world: breaks, wrap-up, offers unanswered.

All of it is off unless a scenario says otherwise. Chance has a stream of its own, so that the day
itself stays the same with and without.
"""

from collections.abc import Iterator

import numpy as np

from router.sim.day import Day

#: The streams of chance of this module; not those of the day.
_BREAKS, _OFFERS = 20261121, 20261122
_HOUR = 3600.0

Span = tuple[float, float]


class Luck:
    """Chance for one day: who is on a break when, and which offers lapse or are declined."""

    def __init__(self, day: Day) -> None:
        self._habits, self._day = day.scenario.habits, day
        self._offers = np.random.Generator(np.random.PCG64([day.seed, _OFFERS]))

    def breaks(self) -> list[list[Span]]:
        """Return each agent's breaks: one in each period of work, at a time drawn for each."""
        habits, staff = self._habits, self._day.staff
        chance = np.random.Generator(np.random.PCG64([self._day.seed, _BREAKS]))
        return [
            list(self._breaks(float(on), min(float(off), self._day.horizon), chance))
            if habits.break_every_h > 0
            else []
            for on, off in zip(staff.on, staff.off, strict=True)
        ]

    def _breaks(self, on: float, off: float, chance: np.random.Generator) -> Iterator[Span]:
        period, lasts = self._habits.break_every_h * _HOUR, self._habits.break_lasts
        begins = on
        while begins + period <= off:
            at = begins + chance.random() * max(0.0, period - lasts)
            yield at, at + lasts
            begins += period

    def unanswered(self) -> float | None:
        """Return after how many seconds an offer comes back, or None if it is accepted."""
        habits = self._habits
        if habits.declines + habits.lapses <= 0:
            return None
        drawn = self._offers.random()
        if drawn < habits.declines:
            return habits.decline_takes
        return habits.lapse_takes if drawn < habits.declines + habits.lapses else None
