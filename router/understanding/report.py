"""Figures as lines of text: measures, a confusion table and a calibration curve."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from router.understanding.evaluate import Share

_BINS = 10
_SHORT = 7  # characters of an intent's name over its column


def measures(scores: Any) -> Iterator[str]:
    """Yield one line a measure of a dataclass of ``Share`` and numbers."""
    for field in fields(scores):
        value = getattr(scores, field.name)
        title = field.name.replace("_", " ")
        if isinstance(value, Share):
            yield f"{title:<22} {value.value:6.3f}  ({value.right} of {value.total})"
        else:
            yield f"{title:<22} {value:6.3f}"


def confusion(pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield a table of labelled (rows) against given (columns) names."""
    counted = Counter(pairs)
    names = sorted({name for pair in pairs for name in pair})
    yield f"{'labelled / given':<16}" + "".join(f"{name[:_SHORT]:>8}" for name in names)
    for wanted in names:
        line = "".join(f"{counted[wanted, got] or '.':>8}" for got in names)
        yield f"{wanted:<16}{line}"


def calibration(scored: Sequence[tuple[float, bool]]) -> Iterator[str]:
    """Yield for each tenth of the scores how many rows it has, its mean and the share of right."""
    yield f"{'score':<12}{'rows':>6}{'mean':>8}{'right':>8}"
    for at in range(_BINS):
        held = [
            (score, right) for score, right in scored if min(int(score * _BINS), _BINS - 1) == at
        ]
        if held:
            mean = sum(score for score, _ in held) / len(held)
            right = sum(right for _, right in held) / len(held)
            span = f"{at / _BINS:.1f} to {(at + 1) / _BINS:.1f}"
            yield f"{span:<12}{len(held):>6}{mean:>8.2f}{right:>8.2f}"


def times(spent: Sequence[float]) -> str:
    """Return median and 95th percentile of milliseconds of CPU."""
    if not spent:
        return "nothing was read"
    ordered = sorted(spent)
    middle, late = (
        ordered[len(ordered) // 2],
        ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)],
    )
    return f"CPU per row: median {middle:.2f} ms, 95th percentile {late:.2f} ms"
