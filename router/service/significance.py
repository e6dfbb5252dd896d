"""Whether variants of a wording truly differ: exact tests and intervals, computed by SciPy."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from router.domain.trial import Measure, Tally

#: Below this probability, chance alone is not believed.
LEVEL: Final = 0.05
_INTERVAL: Final = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A variant beside the first one.

    ``low`` and ``high`` bound its share with 95 % confidence (Wilson); None of nothing. ``chance``
    is how probable so great a difference is if there is none, corrected for the number of variants
    that are compared (Bonferroni); None for the first variant, and where there is nothing to test.
    """

    tally: Tally
    low: float | None
    high: float | None
    chance: float | None


def compare(tallies: tuple[Tally, ...], measure: Measure) -> tuple[Compared, ...]:
    """Compare each variant with the first: Fisher's exact test, Mann-Whitney's for ratings.

    It takes a moment: SciPy is loaded when it is first asked.
    """
    stats = import_module("scipy.stats")
    first, others = tallies[0], len(tallies) - 1
    return tuple(
        Compared(
            tally=each,
            low=_bound(stats, each, high=False),
            high=_bound(stats, each, high=True),
            chance=None if each is first else _chance(stats, first, each, measure, others),
        )
        for each in tallies
    )


def _bound(stats: Any, tally: Tally, *, high: bool) -> float | None:
    if not tally.count:
        return None
    found = stats.binomtest(tally.good, tally.count).proportion_ci(_INTERVAL, method="wilson")
    return float(found.high if high else found.low)


def _chance(
    stats: Any, first: Tally, other: Tally, measure: Measure, comparisons: int
) -> float | None:
    if not first.count or not other.count:
        return None
    if measure is Measure.CSAT:
        if len({*first.values, *other.values}) == 1:
            return 1.0
        found = stats.mannwhitneyu(first.values, other.values, alternative="two-sided")
    else:
        table = [[each.good, each.count - each.good] for each in (first, other)]
        found = stats.fisher_exact(table)
    return min(1.0, float(found.pvalue) * comparisons)
