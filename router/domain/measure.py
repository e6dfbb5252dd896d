"""What a day's service is worth: the same measures for the simulator and for what was recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from router.domain.matter import Matter, same_matter

#: Delay counts up to so many targets; a missed target and a lost contact cost so much more.
_MOST_TARGETS = 5.0
_MISSED = 2.0
_LOST = 4.0
#: The service level that people quote: answered within so many seconds.
_QUOTED = 60.0

Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One wait: a conversation's, or what a transfer or an escalation began anew.

    ``resolved`` is the chance (or the fact, 0 or 1) that the matter was settled. Seconds.
    """

    waited: float
    target: float
    weight: float
    answered: bool
    complaint: bool
    vip: bool
    voice: bool
    prompt: bool  # on a channel whose 60-second service level people quote
    transferred: bool
    resolved: float
    known: bool  # somebody knew the contact …
    sticky: bool  # … and answered


def measure(requests: Sequence[Request], occupancy: Reals) -> Mapping[str, float]:
    """Return the measures by name; ``occupancy`` is each agent's part of time with work in hand.

    ``tc`` is the one number: weighted delay cost plus the cost of poor matches.
    """
    if not requests:
        raise ValueError("nothing to measure")
    waited = np.array([each.waited for each in requests])
    target = np.array([each.target for each in requests])
    weight = np.array([each.weight for each in requests])
    answered, complaint, vip, voice, prompt = (
        np.array([getattr(each, name) for each in requests], bool)
        for name in ("answered", "complaint", "vip", "voice", "prompt")
    )
    within = answered & (waited <= target)
    late = waited > target
    lost = ~answered
    delay = weight * (np.minimum(waited / target, _MOST_TARGETS) + _MISSED * late + _LOST * lost)
    transferred = np.array([each.transferred for each in requests], bool)[answered]
    resolved = np.array([each.resolved for each in requests])[answered]
    known = np.array([each.known for each in requests], bool)[answered]
    sticky = np.array([each.sticky for each in requests], bool)[answered]
    share = float(answered.mean())
    quality = _mean(2 * (1 - resolved) + transferred)
    mean_occupancy = _mean(occupancy)
    return {
        "tc": float(delay.mean()) + quality * share,
        "wdc": float(delay.mean()),
        "qual": quality,
        "comp_sla": _mean(within[complaint]),
        "vip_sla": _mean(within[vip]),
        "voice_sla": _mean(within[voice]),
        "sla": float(within.mean()),
        "sl60": _mean((answered & (waited <= _QUOTED))[prompt]),
        "asa": _mean(waited[answered]),
        "p95": _percentile(waited),
        "p95c": _percentile(waited[complaint]),
        "maxw": float(waited.max()),
        "aband": 1 - share,
        "fcr": _mean(resolved[~transferred]) * (1 - _mean(transferred)),
        "transfer": _mean(transferred),
        "sticky": _mean(sticky[known]),
        "util": mean_occupancy,
        "util_cv": float(np.std(occupancy)) / mean_occupancy if mean_occupancy else 0.0,
    }


def _mean(values: NDArray[np.bool_] | Reals) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def _percentile(values: Reals) -> float:
    return float(np.percentile(values, 95)) if len(values) else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A conversation that is over, for first-contact resolution: whose, when, about what."""

    person: str
    opened_at: datetime
    closed_at: datetime
    matter: Matter


def first_contact_resolution(
    visits: Sequence[Visit], *, since: datetime, until: datetime, within: timedelta
) -> float | None:
    """Return the share of conversations without a return on the same matter ``within`` a time.

    Counted are those that closed from ``since`` on and whose time for a return was over by
    ``until``; ``visits`` hold the returns too, over all channels. None if there is none to count.
    """
    counted = [each for each in visits if since <= each.closed_at <= until - within]
    if not counted:
        return None
    return 1 - sum(map(bool, returned(counted, visits, until=until, within=within))) / len(counted)


def returned(
    counted: Sequence[Visit], visits: Sequence[Visit], *, until: datetime, within: timedelta
) -> list[bool | None]:
    """Return for each of ``counted`` whether one of ``visits`` is a return on the same matter.

    None as long as the time for a return is not over.
    """
    by_person: dict[str, list[Visit]] = {}
    for each in visits:
        by_person.setdefault(each.person, []).append(each)
    return [
        any(
            other is not each
            and each.closed_at <= other.opened_at <= each.closed_at + within
            and same_matter(each.matter, other.matter) is True
            for other in by_person.get(each.person, ())
        )
        if each.closed_at + within <= until
        else None
        for each in counted
    ]
