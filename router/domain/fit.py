"""How agents fit a kind of conversation: a row of numbers, one for each agent.

A row is built once for each kind, and again when somebody's skills change.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from router.domain.ids import Skill
from router.domain.policy import ShopPolicy
from router.domain.workforce import Need

Reals = NDArray[np.float64]
Levels = NDArray[np.int8]
Flags = NDArray[np.bool_]

#: A row of levels for a skill that nobody has entered yet is this wide at first.
_WIDTH = 16


class Reach(IntEnum):
    """How far a match is relaxed for an agent to be in it."""

    FULL = 0  # every need is met
    SIDE = 1  # topic and complaints are met, something beside them is not
    NEAR = 2  # the topic is one level short
    KNOWS = 3  # knows the topic, at most one level short on complaints
    ANYBODY = 4  # lacks the topic or the standing for complaints
    NEVER = 9  # a hard requirement is missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Which skills are topics and which are for complaints; the others stand beside them."""

    topics: frozenset[Skill]
    complaints: frozenset[Skill]

    @classmethod
    def of(cls, policy: ShopPolicy) -> "Roles":
        """Return the roles of the shop's skills."""
        complaints = {need.skill for needs in policy.complaint_needs.values() for need in needs}
        topics = {need.skill for needs in policy.topics.values() for need in needs}
        return cls(topics=frozenset(topics - complaints), complaints=frozenset(complaints))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """One kind of conversation against every agent.

    ``transfer`` is the likely chance that it is handed on, ``loss`` what a lower chance of
    resolution costs, ``effort`` the factor on the work.
    """

    reach: Levels
    missing: Reals
    transfer: Reals
    loss: Reals
    effort: Reals


class Sheet:
    """Everybody's proficiency, a column for each skill."""

    def __init__(self) -> None:
        self._columns: dict[Skill, int] = {}
        self._levels: Levels = np.zeros((_WIDTH, _WIDTH), np.int8)

    def write(self, row: int, skills: Mapping[Skill, int]) -> None:
        """Set an agent's row."""
        for skill in skills:
            self._columns.setdefault(skill, len(self._columns))
        self._grow(row)
        self._levels[row] = 0
        for skill, level in skills.items():
            self._levels[row, self._columns[skill]] = level

    def of(self, skill: Skill, count: int) -> NDArray[np.int64]:
        """Return the first ``count`` agents' proficiency in a skill."""
        column = self._columns.get(skill)
        if column is None:
            return np.zeros(count, np.int64)
        return self._levels[:count, column].astype(np.int64)

    def _grow(self, row: int) -> None:
        rows, columns = self._levels.shape
        wanted = (max(rows, _doubled(row)), max(columns, _doubled(len(self._columns))))
        if wanted != (rows, columns):
            grown = np.zeros(wanted, np.int8)
            grown[:rows, :columns] = self._levels
            self._levels = grown


def _doubled(least: int) -> int:
    width = _WIDTH
    while width <= least:
        width *= 2
    return width


def fit(needs: Iterable[Need], sheet: Sheet, roles: Roles, count: int) -> Fit:
    """Return how the first ``count`` agents fit these needs."""
    topic, beside, upset = (np.zeros(count, np.int64) for _ in range(3))
    weighed = np.zeros(count)
    knows, near, serves = (np.ones(count, bool) for _ in range(3))
    known: list[NDArray[np.int64]] = []
    for need in needs:
        level = sheet.of(need.skill, count)
        short = np.maximum(0, need.least - level)
        weighed += short * need.weight
        if need.hard:
            serves &= short == 0
        if need.skill in roles.complaints:
            upset += short
            near &= (short <= 1) & (level >= 1)
        elif need.skill in roles.topics:
            topic += short
            knows &= level >= 1
            known.append(level)
        else:
            beside += short
    quality = np.mean(known, axis=0) if known else np.full(count, 3.0)
    missing = np.minimum(6.0, weighed)
    return Fit(
        reach=_reach(topic, beside, upset, knows=knows, near=near, serves=serves),
        missing=missing,
        transfer=0.02 + 0.15 * np.minimum(missing, 3),
        loss=2 * (0.90 - np.clip(0.72 + 0.04 * (quality - 3) - 0.15 * missing, 0.05, 0.98)),
        effort=np.maximum(0.6, 1 - 0.06 * (quality - 3)) * (1 + 0.15 * missing),
    )


def _reach(
    topic: NDArray[np.int64],
    beside: NDArray[np.int64],
    upset: NDArray[np.int64],
    *,
    knows: Flags,
    near: Flags,
    serves: Flags,
) -> Levels:
    calm = upset == 0
    reach = np.full(len(topic), Reach.ANYBODY, np.int8)
    reach[knows & near] = Reach.KNOWS
    reach[knows & calm & (topic <= 1)] = Reach.NEAR
    reach[knows & calm & (topic == 0)] = Reach.SIDE
    reach[knows & calm & (topic == 0) & (beside == 0)] = Reach.FULL
    reach[~serves] = Reach.NEVER
    return reach


def bar(fit_row: Fit, qualified: Flags) -> float:
    """Return the lower tercile of what a match costs among the qualified; 0 if there are none."""
    costs = np.sort((1.5 * fit_row.transfer + fit_row.loss)[qualified])
    return float(costs[(len(costs) - 1) // 3]) if len(costs) else 0.0
