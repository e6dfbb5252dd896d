"""Why this agent and not that one: the term of the score that told them apart, by name.

It reads the reasons that a decision keeps (`router.domain.reasons`), so it speaks of old ones too.
"""

from collections.abc import Mapping, Sequence
from typing import Any

#: Smaller differences are none: the terms are kept to three places.
_NOTHING = 0.0015


def difference(chosen: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Return what spoke most for ``chosen`` against ``other``, both candidates of one decision.

    ``misfit`` (a better match), ``work`` (takes less time), ``price`` (less needed by others),
    ``tie`` (knows the customer), ``rest`` (load, breadth and how busy they were), or ``even``.
    """
    leads = {
        name: float(other.get(name, 0.0)) - float(chosen.get(name, 0.0))
        for name in ("misfit", "work", "price")
    }
    leads["tie"] = float(chosen.get("tie", 0.0)) - float(other.get("tie", 0.0))
    leads["rest"] = _beside(chosen) - _beside(other)
    most = max(leads, key=lambda name: leads[name])
    return most if leads[most] > _NOTHING else "even"


def reason(candidates: Sequence[Mapping[str, Any]]) -> str:
    """Return why the first candidate was chosen: ``only`` if there was no other.

    Else what spoke most for them against the next best.
    """
    if len(candidates) < 2:  # noqa: PLR2004  the chosen and one more
        return "only"
    return difference(candidates[0], candidates[1])


def _beside(candidate: Mapping[str, Any]) -> float:
    """Return what counted beside the score itself."""
    return float(candidate.get("preference", 0.0)) - float(candidate.get("score", 0.0))
