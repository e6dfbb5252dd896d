"""The price of a slot: how likely somebody scarcer needs it soon (Littlewood's rule).

A category is a kind of free slot: exclusive (a call takes the whole agent) or shared, with a skill
or with none in particular. The price of taking one is what its demand is worth, times the chance
that more of it comes within a short horizon than there are slots left.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import lgamma, sqrt

import numpy as np
from numpy.typing import NDArray

from router.domain.ids import Skill
from router.domain.policy import PricePolicy

Reals = NDArray[np.float64]

#: The level from which a holder of a skill counts for its category.
HOLDER = 2
#: At most so many categories (two for each skill, two for none).
_MOST = 32
#: Free slots are told apart up to so many; more than that cost nothing.
_SLOTS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A kind of slot. ``exclusive``: it takes an agent with nothing else in hand."""

    exclusive: bool
    skill: Skill | None

    def __str__(self) -> str:
        """Return the name that stands in reasons."""
        kind = "voice" if self.exclusive else "digital"
        return kind if self.skill is None else f"{kind}:{self.skill}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What is expected to come: a rate (a second) for each step of time and category.

    ``weights`` is the mean weight of each category's demand. Outside ``begins`` and the last step
    nothing is expected, and so nothing is held back.
    """

    begins: datetime
    step: timedelta
    rates: Mapping[Category, tuple[float, ...]]
    weights: Mapping[Category, float]

    def slot(self, now: datetime) -> int:
        """Return which step of the forecast ``now`` is in."""
        return (now - self.begins) // self.step

    def rate(self, category: Category, slot: int) -> float:
        """Return the expected arrivals of a category, a second."""
        rates = self.rates.get(category, ())
        return rates[slot] if 0 <= slot < len(rates) else 0.0


def categories(skills: tuple[Skill, ...]) -> tuple[Category, ...]:
    """Return the categories of a shop with these skills; the first ones if there are too many."""
    kept = (None, *skills[: _MOST // 2 - 1])
    return tuple(
        Category(exclusive=exclusive, skill=skill) for exclusive in (True, False) for skill in kept
    )


def horizon(policy: PricePolicy, category: Category, holders: float) -> float:
    """Return over how many seconds demand is counted: the fewer the holders, the longer."""
    stretch = sqrt(policy.holders / max(1.0, holders))
    seconds = policy.horizon.total_seconds() * min(policy.longest, max(policy.shortest, stretch))
    return seconds * (policy.exclusive if category.exclusive else 1.0)


def poisson_tails(means: Reals) -> Reals:
    """Return P(N ≥ f) for each mean (a row) and f = 0 … (a column)."""
    counts = np.arange(_SLOTS)
    factorials = np.array([lgamma(count + 1.0) for count in range(_SLOTS)])
    safe = np.maximum(means, 1e-12)[:, None]
    mass = np.exp(counts * np.log(safe) - safe - factorials)
    tails = 1.0 - np.cumsum(mass, axis=1) + mass
    return np.asarray(np.clip(tails, 0.0, 1.0))


class PriceList:
    """The prices of all categories by how many slots are free, for one step of the forecast."""

    def __init__(
        self,
        policy: PricePolicy,
        kinds: tuple[Category, ...],
        forecast: Forecast,
        slot: int,
        holders: Reals,
    ) -> None:
        self._least = policy.least
        means = np.array(
            [
                forecast.rate(kind, slot) * horizon(policy, kind, float(held))
                for kind, held in zip(kinds, holders, strict=True)
            ]
        )
        worth = np.array(
            [policy.worth * forecast.weights.get(kind, 0.0) ** policy.power for kind in kinds]
        )
        tails = poisson_tails(means)
        #: How likely it is that anything comes soon that takes a whole agent.
        self.whole = float(tails[0, 1])
        self._table = tails * worth[:, None]
        self._rows = np.arange(len(kinds))

    def at(self, free: Reals) -> Reals:
        """Return the price of a slot of each category, given how many are free; small ones are 0.

        ``free`` counts the slot that is being priced.
        """
        known = np.clip(free, 0, _SLOTS - 1).astype(int)
        prices = np.where(free < _SLOTS, self._table[self._rows, known], 0.0)
        return np.where(prices < self._least, 0.0, prices)
