"""A day as it was recorded: who came to need a person when, and who was there to answer.

Pure values: `router.service.recorded` reads them from the database, `router.sim` plays them again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from router.domain.ids import AgentId, ConversationId, QueueName, Skill
from router.domain.workforce import Agent, Need


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """One wait for a person, and what came of it.

    ``answered`` is after how long somebody took it, ``left`` after how long the contact gave up or
    somebody closed it; neither is set if it still waited at the day's end. ``work`` is what the
    answer took of an agent who does nothing else. ``severity`` is the worst complaint then open.
    """

    conversation: ConversationId
    queue: QueueName
    channel: str
    family: str
    language: str
    needs: frozenset[Need]
    at: datetime
    priority: int
    vip: bool
    upset: bool
    severity: int
    previous: AgentId | None
    excluded: AgentId | None
    answered: timedelta | None
    by: AgentId | None
    left: timedelta | None
    work: timedelta | None
    transferred: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """An agent, and from when to when they took work."""

    agent: Agent
    spans: tuple[tuple[datetime, datetime], ...]

    def length(self) -> timedelta:
        """Return how long they took work."""
        return sum((end - begin for begin, end in self.spans), timedelta())


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDay:
    """A local day of the shop, in order of arrival."""

    day: date
    begins: datetime
    ends: datetime
    waits: tuple[Wait, ...]
    shifts: tuple[Shift, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is different: agents more or fewer, what the new ones can do, and how much comes.

    ``volume`` multiplies what comes; ``bot`` is the part of waits without a complaint that the bot
    would have kept. New agents work from ``begins`` to ``ends``, or the whole open day.
    """

    agents: int = 0
    skills: Mapping[Skill, int] | None = None
    families: frozenset[str] = frozenset()
    begins: datetime | None = None
    ends: datetime | None = None
    volume: float = 1.0
    bot: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Answered within ``within``: at least ``share`` of who was answered, or left after it."""

    share: float
    within: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A conversation in an agent's hands, from when to when."""

    conversation: ConversationId
    begins: datetime
    ends: datetime


def work_alone(holds: Sequence[Hold], *, slowdown: float) -> Mapping[ConversationId, timedelta]:
    """Return what one agent's conversations would have taken one after the other.

    With n in hand each advances at 1/(1 + slowdown·(n − 1)), as in the simulator; so a recorded
    time of handling side by side becomes work. Holds of one conversation add up.
    """
    moments = sorted({each.begins for each in holds} | {each.ends for each in holds})
    done: dict[ConversationId, float] = {each.conversation: 0.0 for each in holds}
    starts = sorted(holds, key=lambda each: each.begins)
    now: list[Hold] = []
    place = 0
    for begin, end in pairwise(moments):
        while place < len(starts) and starts[place].begins <= begin:
            now.append(starts[place])
            place += 1
        now = [each for each in now if each.ends > begin]
        if not now:
            continue
        pace = 1 / (1 + slowdown * (len(now) - 1))
        for each in now:
            done[each.conversation] += (end - begin).total_seconds() * pace
    return {name: timedelta(seconds=seconds) for name, seconds in done.items()}
