"""Because of what: an offer's reasons, worked out when somebody reads them.

What was known when the offer was made is kept as it was then; the words are made on demand, so
that deciding does not pay for explaining.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from router.domain.floor import Waiting
from router.domain.index import Index
from router.domain.matching import Matched
from router.domain.score import excluded, target

#: How many candidates, and how many who were left out, are kept with a decision.
_KEPT = 8
_LEFT_OUT = 40


class Reasons(Mapping[str, Any]):
    """Reads like a dictionary; compares like one."""

    def __init__(self, index: Index, waiting: Waiting, match: Matched, now: datetime) -> None:
        self._policy = index.policy
        self._waiting, self._match, self._now = waiting, match, now
        self._people = tuple(index.staff.people)
        self._gone = frozenset(index.staff.gone)
        self._room = index.staff.room[: len(self._people)].copy()
        self._made: dict[str, Any] | None = None

    def __getitem__(self, key: str) -> Any:
        """Return one reason."""
        return self._words()[key]

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the reasons."""
        return iter(self._words())

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._words())

    def __repr__(self) -> str:
        """Return them as a dictionary reads."""
        return repr(self._words())

    def _words(self) -> dict[str, Any]:
        if self._made is None:
            waiting = self._waiting
            self._made = {
                "policy": self._policy.version,
                "waited_s": round((self._now - waiting.since).total_seconds(), 1),
                "target_s": target(waiting, self._policy),
                "severity": waiting.severity,
                "open_cases": waiting.cases,
                "priority": waiting.priority,
                "step": None if waiting.plan is None else waiting.plan.number,
                "needs": [
                    {"skill": need.skill, "least": need.least, "hard": need.hard}
                    for need in sorted(waiting.needs)
                ],
                "candidates": self._candidates(),
                "left_out": self._left_out(),
            }
        return self._made

    def _candidates(self) -> list[dict[str, Any]]:
        match = self._match
        names = [self._people[each].id for each in match.agents.tolist()]
        order = sorted(
            range(len(names)),
            key=lambda at: (names[at] != match.agent, -match.preference[at], names[at]),
        )
        return [
            {
                "agent": names[at],
                "score": round(float(match.score[at]), 3),
                "urgency": round(match.urgency, 3),
                "misfit": round(float(match.misfit[at]), 3),
                "work": round(float(match.work[at]), 3),
                "price": round(float(match.price[at]), 3),
                "tie": round(float(match.tie[at]), 3),
                "preference": round(float(match.preference[at]), 3),
            }
            for at in order[:_KEPT]
        ]

    def _left_out(self) -> dict[str, str]:
        found: dict[str, str] = {}
        candidates = set(self._match.agents.tolist())
        order = sorted(range(len(self._people)), key=lambda each: self._people[each].id)
        for each in order:
            if each in candidates or each in self._gone:
                continue
            agent = self._people[each]
            why = excluded(self._waiting, agent, float(self._room[each]), self._policy)
            found[agent.id] = why or "holds_out_for_better"
            if len(found) == _LEFT_OUT:
                break
        return found
