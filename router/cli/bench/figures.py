"""How figures are told: the spread of what was timed, and a report for a person."""

from collections.abc import Mapping, Sequence
from typing import Any


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Return the median, the 99th percentile and the longest, in milliseconds."""
    ordered = sorted(seconds) or [0.0]

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 3)

    return {"p50_ms": at(0.5), "p99_ms": at(0.99), "most_ms": at(1.0)}


def told(found: Mapping[str, Any]) -> str:
    """Return the report for a person: one line a figure."""
    lines = []
    for name, each in found.items():
        said = (
            ", ".join(f"{key} {value}" for key, value in each.items())
            if isinstance(each, dict)
            else each
        )
        lines.append(f"{name:<20} {said}")
    return "\n".join(lines)
