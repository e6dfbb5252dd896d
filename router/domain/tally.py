"""What was recorded of a time, in the figures that supervisors go by; grouped as they wish."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from router.domain.matter import Matter
from router.domain.measure import Visit, returned

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacted:
    """A conversation that is over.

    ``waited`` is the time until the first answer; None if there was none. It ``counts`` for waits
    unless it needed no answer (a call that was taken elsewhere, one that a supervisor closed).
    """

    person: str
    opened_at: datetime
    closed_at: datetime
    matter: Matter
    waited: timedelta | None
    target: timedelta
    counts: bool
    complained: bool
    channel: str
    queue: str
    day: str  # of the opening, as 2026-11-11, in the shop's time zone

    @property
    def visit(self) -> Visit:
        """Return what first-contact resolution looks at."""
        return Visit(
            person=self.person,
            opened_at=self.opened_at,
            closed_at=self.closed_at,
            matter=self.matter,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The figures of some conversations; each is None where there is nothing to count.

    ``resolved_at_first`` is the share of the ``judged`` without a return on the same matter: those
    whose time for a return is over. ``service_level`` is the share answered within its target, of
    all that needed an answer, ``complaints_level`` the same of those that complained;
    ``answered_after`` the mean wait of the answered, ``abandoned`` the share without an answer.
    """

    conversations: int
    judged: int
    resolved_at_first: float | None
    complaints: int
    complaints_level: float | None
    service_level: float | None
    answered_after: timedelta | None
    abandoned: float | None


def tally(over: Sequence[Contacted], came_back: Sequence[bool | None]) -> Tally:
    """Return the figures; ``came_back`` says of each whether it had a return (None: too early)."""
    judged = [back for back in came_back if back is not None]
    counted = [each for each in over if each.counts]
    waits = [each.waited for each in counted if each.waited is not None]
    return Tally(
        conversations=len(over),
        judged=len(judged),
        resolved_at_first=_share(judged, lambda back: not back),
        complaints=sum(each.complained for each in counted),
        complaints_level=_share([each for each in counted if each.complained], _in_time),
        service_level=_share(counted, _in_time),
        answered_after=sum(waits, timedelta(0)) / len(waits) if waits else None,
        abandoned=_share(counted, lambda each: each.waited is None),
    )


def _in_time(each: Contacted) -> bool:
    return each.waited is not None and each.waited <= each.target


def _share(things: Sequence[T], fits: Callable[[T], bool]) -> float | None:
    return sum(map(fits, things)) / len(things) if things else None


def grouped(
    over: Sequence[Contacted],
    by: Callable[[Contacted], str],
    *,
    later: Sequence[Visit],
    until: datetime,
    within: timedelta,
) -> tuple[Tally, tuple[tuple[str, Tally], ...]]:
    """Return the figures of all, and those of each group, by its name.

    ``later`` are further visits that can be a return, such as conversations that are still open.
    """
    visits = [each.visit for each in over]
    came_back = returned(visits, (*visits, *later), until=until, within=within)
    groups: dict[str, list[int]] = {}
    for place, each in enumerate(over):
        groups.setdefault(by(each), []).append(place)
    rows = tuple(
        (name, tally([over[each] for each in places], [came_back[each] for each in places]))
        for name, places in sorted(groups.items())
    )
    return tally(over, came_back), rows
