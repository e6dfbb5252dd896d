"""The plan of a queue: ordered steps that bound who may be offered a conversation.

Inside a step the score decides. A conversation keeps the plan that was in force when it came to the
queue. The last step has no end, and only what the channel and the language ask for is hard there.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from router.domain.ids import QueueName, Skill
from router.domain.workforce import Need


class CountsFrom(StrEnum):
    """From when the time of a step counts."""

    QUEUED = "queued"  # since the conversation stands in line, whatever came before
    STEP = "step"  # since the step began


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Who may be a candidate.

    ``required`` are levels that nobody may lack, ``preferred`` ones that count in the score (each
    with its weight), ``groups`` the groups of agents of which one is enough (none: everybody), and
    ``previous`` restricts to the agent who knows the contact. After ``lasts`` the next step begins.
    """

    required: frozenset[Need] = frozenset()
    preferred: frozenset[Need] = frozenset()
    groups: frozenset[str] = frozenset()
    previous: bool = False
    lasts: timedelta | None = None
    counts_from: CountsFrom = CountsFrom.STEP


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """Where a conversation stands in the plan of ``queue``: at step ``number``, since ``since``."""

    queue: QueueName
    steps: tuple[Step, ...]
    number: int
    since: datetime

    @property
    def step(self) -> Step:
        """Return the step in force."""
        return self.steps[self.number]

    def ends(self, queued: datetime) -> datetime | None:
        """Return when the step ends for a conversation in line since ``queued``; None: never."""
        if self.step.lasts is None or self.number == len(self.steps) - 1:
            return None
        begins = queued if self.step.counts_from is CountsFrom.QUEUED else self.since
        return begins + self.step.lasts


def begun(queue: QueueName, steps: tuple[Step, ...], at: datetime) -> Following | None:
    """Return the beginning of a plan; None where there is none."""
    return Following(queue=queue, steps=steps, number=0, since=at) if steps else None


def needs_in(needs: frozenset[Need], step: Step) -> frozenset[Need]:
    """Return what a conversation needs while a step is in force: the higher level of a skill."""
    found: dict[Skill, Need] = {need.skill: need for need in needs}
    for need in step.preferred:
        held = found.get(need.skill)
        if held is None or held.least < need.least:
            found[need.skill] = need
    for need in step.required:
        held = found.get(need.skill)
        least = max(need.least, held.least if held is not None else 0)
        hard = held is None or held.least <= need.least or held.hard
        found[need.skill] = replace(need, least=least if hard else need.least, hard=True)
    return frozenset(found.values())


def problem_of(steps: tuple[Step, ...]) -> str | None:
    """Return what is wrong with a plan, or None: somebody must be able to answer in the end."""
    if not steps:
        return None
    *before, last = steps
    if any(each.lasts is None for each in before):
        return "every step but the last needs lasts"
    if last.lasts is not None:
        return "the last step has no lasts: it stands until somebody answers"
    if last.required or last.groups or last.previous:
        return "the last step must be open to everybody: no needs, groups or previous"
    return None
