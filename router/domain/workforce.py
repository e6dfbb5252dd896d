"""The people who answer: skills and needs, capacity, presence."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from router.domain.ids import AgentId, Skill

#: Least and greatest proficiency.
LEVELS = range(1, 6)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Need:
    """A skill and the least proficiency wanted (1–5). ``hard`` needs are never let go.

    ``weight`` is how much each missing level counts in the score.
    """

    skill: Skill
    least: int
    hard: bool = False
    weight: float = 1.0


class Presence(StrEnum):
    """Whether an agent takes work. ``LAPSED``: set away by the router after unanswered offers."""

    AVAILABLE = "available"
    BUSY = "busy"
    AWAY = "away"
    LAPSED = "lapsed"
    OFFLINE = "offline"


class Role(StrEnum):
    """What a person may do; each includes the ones before it."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A person who answers.

    ``skills`` maps a skill to a proficiency 1–5. ``families`` are the kinds of channels they serve
    (empty: all). ``languages`` are hard requirements (empty: all). ``capacity`` is 1.0 for a full
    share of attention; a conversation takes the weight of its channel. ``groups`` are names that
    the steps of a plan may ask for.
    """

    id: AgentId
    login: str
    name: str
    role: Role
    skills: Mapping[Skill, int]
    families: frozenset[str]
    languages: frozenset[str]
    capacity: float
    presence: Presence
    presence_since: datetime
    active: bool
    lapses: int = 0
    version: int = 0
    groups: frozenset[str] = frozenset()

    def supervises(self) -> bool:
        """Return whether this person may watch and steer queues."""
        return self.role in {Role.SUPERVISOR, Role.ADMIN}


def missing_levels(skills: Mapping[Skill, int], needs: frozenset[Need]) -> int:
    """Return by how many levels ``skills`` fall short of ``needs``, summed over them."""
    return sum(max(0, need.least - skills.get(need.skill, 0)) for need in needs)
