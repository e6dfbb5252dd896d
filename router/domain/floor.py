"""The floor: all that routing looks at. The one mutable object in the core.

The daemon's dispatcher and the simulator own one each. `Floor.apply` is the only door in.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import exp
from typing import Protocol, TypeAlias, assert_never

from router.domain.ids import AgentId, ContactId, ConversationId, QueueName, ReservationId
from router.domain.plan import Following
from router.domain.prices import Forecast
from router.domain.workforce import Agent, Need, Presence

#: Rounding that sums of capacity shares are allowed.
EPSILON = 1e-9
#: How long the floor remembers how busy an agent was, in seconds: what was so long ago counts 1/e.
MEMORY = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A conversation in line. ``since`` survives a lapsed offer, so nobody loses a place.

    ``severity`` is the worst open case of the person (0: none) and ``cases`` counts them;
    ``case_version`` is the person's counter of case changes that this entry has seen.
    """

    conversation: ConversationId
    contact: ContactId
    queue: QueueName
    channel: str
    family: str
    language: str
    needs: frozenset[Need]
    since: datetime
    priority: int
    vip: bool
    upset: bool
    severity: int
    cases: int
    case_version: int
    unread: int
    bot_ok: bool
    previous: AgentId | None
    excluded: frozenset[AgentId]
    plan: Following | None = None
    begins_plan: bool = False  # the plan of its queue is not stored with it yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A conversation that takes a part of an agent's capacity.

    While it is only offered, ``reservation`` and ``until`` are set.
    """

    conversation: ConversationId
    contact: ContactId
    agent: AgentId
    weight: float
    reservation: ReservationId | None = None
    until: datetime | None = None


# ----- what can happen to the floor ----------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A conversation stands in line, or what is known of it changed."""

    waiting: Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An agent holds a conversation, offered or in hand."""

    holding: Holding
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A conversation is neither in line nor held by an agent."""

    conversation: ConversationId


@dataclass(frozen=True, slots=True, kw_only=True)
class Staffed:
    """An agent's skills, capacity or presence are as given."""

    agent: Agent


@dataclass(frozen=True, slots=True, kw_only=True)
class Unstaffed:
    """An agent is gone for good."""

    agent: AgentId


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What is expected to come, from now on; None: nothing is, so nothing is held back."""

    forecast: Forecast | None


Change: TypeAlias = Entered | Held | Gone | Staffed | Unstaffed | Foreseen


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """How busy an agent was of late: the fading mean of the part of capacity in use, 0 to 1.

    ``mean`` is as of ``at`` (seconds); ``load`` is the part in use since then.
    """

    mean: float = 0.0
    load: float = 0.0
    at: float = 0.0

    def by(self, now: float) -> float:
        """Return the mean as of ``now``."""
        kept = exp(-max(0.0, now - self.at) / MEMORY)
        return self.mean * kept + self.load * (1 - kept)


class View(Protocol):
    """Something that is kept beside a floor and told every change of it."""

    def entered(self, waiting: Waiting) -> None:
        """Somebody stands in line."""

    def dropped(self, waiting: Waiting) -> None:
        """Somebody no longer stands in line."""

    def staffed(self, agent: Agent) -> None:
        """An agent is as given."""

    def unstaffed(self, agent: AgentId) -> None:
        """An agent is gone."""

    def loaded(self, agent: AgentId, load: float, assigned: datetime | None, busy: Busy) -> None:
        """An agent's conversations take so much."""


class Floor:
    """Waiting lines, agents and what they hold."""

    def __init__(self) -> None:
        self.view: View | None = None
        self.forecast: Forecast | None = None
        self._waiting: dict[ConversationId, Waiting] = {}
        self._agents: dict[AgentId, Agent] = {}
        self._held: dict[ConversationId, Holding] = {}
        self._by_agent: dict[AgentId, dict[ConversationId, Holding]] = {}
        self._assigned_at: dict[AgentId, datetime] = {}
        self._busy: dict[AgentId, Busy] = {}
        self._now = 0.0
        self._offered: dict[ConversationId, Holding] = {}

    def watch(self, view: View) -> None:
        """Tell ``view`` how things stand and, from now on, every change; it replaces another."""
        for agent in self._agents.values():
            view.staffed(agent)
            view.loaded(
                agent.id,
                self.load(agent.id),
                self._assigned_at.get(agent.id),
                self.busy(agent.id),
            )
        for waiting in self._waiting.values():
            view.entered(waiting)
        self.view = view

    def pass_time(self, now: datetime) -> None:
        """It is ``now``: what is applied next happens then. Time does not run backwards.

        Only how busy agents are of late depends on it; a floor that is never told treats all as
        rested.
        """
        self._now = max(self._now, now.timestamp())

    def apply(self, change: Change) -> None:
        """Take in one change; the same change twice is the same as once."""
        match change:
            case Entered(waiting=waiting):
                self._drop(waiting.conversation)
                self._waiting[waiting.conversation] = waiting
                if self.view is not None:
                    self.view.entered(waiting)
            case Held(holding=holding, at=at):
                self._hold(holding, at)
            case Gone(conversation=conversation):
                self._drop(conversation)
            case Staffed(agent=agent):
                self._agents[agent.id] = agent
                if self.view is not None:
                    self.view.staffed(agent)
                self._reckon(agent.id)
            case Unstaffed(agent=agent_id):
                self._agents.pop(agent_id, None)
                self._busy.pop(agent_id, None)
                if self.view is not None:
                    self.view.unstaffed(agent_id)
            case Foreseen(forecast=forecast):
                self.forecast = forecast
            case _ as never:
                assert_never(never)

    def _hold(self, holding: Holding, at: datetime) -> None:
        self._drop(holding.conversation)
        self._held[holding.conversation] = holding
        self._by_agent.setdefault(holding.agent, {})[holding.conversation] = holding
        self._assigned_at[holding.agent] = at
        if holding.reservation is not None:
            self._offered[holding.conversation] = holding
        self._reckon(holding.agent)

    def _drop(self, conversation: ConversationId) -> None:
        waiting = self._waiting.pop(conversation, None)
        if waiting is not None and self.view is not None:
            self.view.dropped(waiting)
        held = self._held.pop(conversation, None)
        if held is not None:
            self._by_agent[held.agent].pop(conversation, None)
            self._offered.pop(conversation, None)
            self._reckon(held.agent)

    def _reckon(self, agent: AgentId) -> None:
        load, known = self.load(agent), self._agents.get(agent)
        part = min(1.0, load / known.capacity) if known is not None and known.capacity else 0.0
        before = self._busy.get(agent, Busy(at=self._now))
        busy = Busy(mean=before.by(self._now), load=part, at=self._now)
        self._busy[agent] = busy
        if self.view is not None:
            self.view.loaded(agent, load, self._assigned_at.get(agent), busy)

    def busy(self, agent: AgentId) -> Busy:
        """Return how busy an agent was of late."""
        return self._busy.get(agent, Busy(at=self._now))

    def waiting(self) -> Iterable[Waiting]:
        """Return who stands in line, in no particular order."""
        return self._waiting.values()

    def in_line(self, conversation: ConversationId) -> Waiting | None:
        """Return a conversation that stands in line."""
        return self._waiting.get(conversation)

    def agents(self) -> Mapping[AgentId, Agent]:
        """Return everybody who may be given work, whatever their presence."""
        return self._agents

    def held_by(self, agent: AgentId) -> Mapping[ConversationId, Holding]:
        """Return what an agent holds."""
        return self._by_agent.get(agent, {})

    def offers(self) -> Iterator[Holding]:
        """Yield what is offered and not yet accepted."""
        return iter(self._offered.values())

    def load(self, agent: AgentId) -> float:
        """Return the capacity that an agent's conversations take."""
        return sum(held.weight for held in self.held_by(agent).values())

    def room_for(self, agent: AgentId) -> float:
        """Return the capacity that an agent has left; 0 for one who takes no work."""
        known = self._agents.get(agent)
        if known is None or not known.active or known.presence is not Presence.AVAILABLE:
            return 0.0
        return max(0.0, known.capacity - self.load(agent))

    def last_assigned(self, agent: AgentId) -> datetime | None:
        """Return when the agent was last given something."""
        return self._assigned_at.get(agent)
