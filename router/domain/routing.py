"""Deciding who gets which conversation: an index in one unit, complaints first.

The score of a conversation c with an agent i (docs/ROUTING.md):

    S = U − misfit · M + tie · [i knows the contact]

U is what it costs to let this chance pass (delay, deadline, abandonment), M what a poor match
costs (a likely transfer, a lower chance of resolution). Complaints go first and never wait for a
better match. Pure: the same floor, policy and time give the same decisions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import exp
from typing import Any, TypeAlias

from router.domain.floor import EPSILON, Floor, Held, Holding, Waiting
from router.domain.ids import AgentId, ConversationId, QueueName, ReservationId
from router.domain.policy import RoutingPolicy, ShopPolicy
from router.domain.workforce import Agent, Presence, missing_levels

#: How many candidates are kept with a decision.
_KEPT = 8
#: Who will take work again before long.
_ON_SHIFT = frozenset({Presence.AVAILABLE, Presence.BUSY})


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferTo:
    """Hold a place with an agent."""

    conversation: ConversationId
    agent: AgentId
    weight: float
    case_version: int
    because: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveToBot:
    """Let the bot answer."""

    conversation: ConversationId
    case_version: int
    because: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overflow:
    """Move it to another queue: it has waited too long."""

    conversation: ConversationId
    to: QueueName
    because: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapse:
    """End an offer that nobody answered."""

    conversation: ConversationId
    agent: AgentId
    reservation: ReservationId
    because: Mapping[str, Any] = field(default_factory=dict)


Decision: TypeAlias = OfferTo | GiveToBot | Overflow | Lapse


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The terms of one pair's score, all in the same unit (weighted minutes of delay, roughly)."""

    urgency: float
    misfit: float
    tie: float

    @property
    def total(self) -> float:
        """Return what the pair is worth."""
        return self.urgency - self.misfit + self.tie


def target(waiting: Waiting, policy: ShopPolicy) -> float:
    """Return within how many seconds this conversation should be answered."""
    within = policy.queue(waiting.queue).answer_within
    if waiting.severity:
        within = min(within, policy.routing.complaint_within)
    return within.total_seconds()


def weight_of(waiting: Waiting, routing: RoutingPolicy) -> float:
    """Return how much a second of this contact's waiting weighs."""
    if waiting.severity:
        weight = routing.weight_complaint
    elif waiting.vip:
        weight = routing.weight_vip
    else:
        weight = routing.weight_normal * (routing.weight_upset if waiting.upset else 1.0)
    return float(weight * routing.priority_step**waiting.priority)


def urgency(waiting: Waiting, policy: ShopPolicy, now: datetime) -> float:
    """Return what it costs to let this chance pass: U of the routing policy."""
    routing = policy.routing
    tau = routing.tau.total_seconds()
    due = target(waiting, policy)
    waited = max(0.0, (now - waiting.since).total_seconds())
    patience = routing.patience[waiting.family].total_seconds()
    deadline = 2 * exp(-(due - waited) / tau) if waited < due else 0.0
    delay = tau * (1 / due + 16 / patience) + 0.05 * waited / due
    return weight_of(waiting, routing) * (delay + deadline)


def misfit(waiting: Waiting, agent: Agent, routing: RoutingPolicy) -> float:
    """Return what a poor match costs: M, from missing levels and the topic's proficiency."""
    missing = missing_levels(agent.skills, waiting.needs)
    levels = [agent.skills.get(need.skill, 0) for need in waiting.needs]
    quality = sum(levels) / len(levels) if levels else 3.0
    transfer = 0.02 + 0.15 * min(missing, 3)
    resolved = min(0.98, max(0.05, 0.72 + 0.04 * (quality - 3) - 0.15 * missing))
    weight = weight_of(waiting, routing)
    return routing.misfit * (transfer * (1 + weight / 2) + 2 * (0.90 - resolved))


def overdue(waiting: Waiting, policy: ShopPolicy, now: datetime) -> bool:
    """Return whether it has waited so long that nothing but complaints goes before it."""
    waited = (now - waiting.since).total_seconds()
    routing = policy.routing
    limit = max(
        routing.overdue_factor * target(waiting, policy), routing.overdue_least.total_seconds()
    )
    return waited > limit


def excluded(  # noqa: PLR0911  one return for each reason
    waiting: Waiting, agent: Agent, room: float, policy: ShopPolicy
) -> str | None:
    """Return why this agent cannot be offered this conversation, or None if they can."""
    weight = policy.routing.family_weight[waiting.family]
    if not agent.active:
        return "inactive"
    if agent.presence is not Presence.AVAILABLE:
        return f"presence:{agent.presence}"
    if agent.id in waiting.excluded:
        return "excluded"
    if agent.families and waiting.family not in agent.families:
        return f"channel:{waiting.family}"
    if agent.languages and waiting.language and waiting.language not in agent.languages:
        return f"language:{waiting.language}"
    for need in sorted(waiting.needs):
        if need.hard and agent.skills.get(need.skill, 0) < need.least:
            return f"skill:{need.skill}"
    if weight > room + EPSILON:
        return "full"
    return None


def _could_serve(waiting: Waiting, agent: Agent) -> bool:
    """Return whether the agent meets what is never let go, however busy they are now."""
    return (
        agent.active
        and (not agent.families or waiting.family in agent.families)
        and (not agent.languages or not waiting.language or waiting.language in agent.languages)
        and all(
            agent.skills.get(need.skill, 0) >= need.least for need in waiting.needs if need.hard
        )
    )


def score(waiting: Waiting, agent: Agent, policy: ShopPolicy, now: datetime) -> Score:
    """Return the terms of the pair's score."""
    return Score(
        urgency=urgency(waiting, policy, now),
        misfit=misfit(waiting, agent, policy.routing),
        tie=policy.routing.tie if waiting.previous == agent.id else 0.0,
    )


def acceptable(waiting: Waiting, terms: Score, policy: ShopPolicy, now: datetime) -> bool:
    """Return whether the pair may be made now; complaints and the overdue never wait for better."""
    return waiting.severity > 0 or terms.total > 0 or overdue(waiting, policy, now)


def decide(floor: Floor, policy: ShopPolicy, now: datetime) -> tuple[Decision, ...]:
    """Return what to do now: lapses first, then complaints, the overdue, and the rest by urgency.

    The floor is left as it was.
    """
    decisions: list[Decision] = [
        Lapse(
            conversation=held.conversation,
            agent=held.agent,
            reservation=held.reservation,
            because={"offered_until": held.until.isoformat()},
        )
        for held in floor.offers()
        if held.reservation is not None and held.until is not None and held.until <= now
    ]
    plan = _Plan(floor, policy, now)
    for waiting in sorted(floor.waiting(), key=lambda each: order(each, policy, now)):
        choice = plan.choose(waiting)
        if choice is not None:
            decisions.append(choice)
    return tuple(decisions)


def order(waiting: Waiting, policy: ShopPolicy, now: datetime) -> tuple[Any, ...]:
    """Return the place in line: open complaints, then the overdue, then by urgency, then by age.

    Among complaints of one severity and priority the older goes first.
    """
    late = overdue(waiting, policy, now)
    return (
        waiting.severity == 0,
        -waiting.priority if waiting.severity else 0,
        -waiting.severity,
        not late,
        0.0 if waiting.severity or late else -urgency(waiting, policy, now),
        waiting.since,
        waiting.conversation,
    )


class _Plan:
    """One round of decisions: what is left of each agent as places are given away."""

    def __init__(self, floor: Floor, policy: ShopPolicy, now: datetime) -> None:
        self.floor, self.policy, self.now = floor, policy, now
        self.room = {agent: floor.room_for(agent) for agent in floor.agents()}

    def choose(self, waiting: Waiting) -> Decision | None:
        if waiting.unread:
            return None  # nobody is handed what nobody has read
        if waiting.bot_ok and not waiting.cases:
            return GiveToBot(
                conversation=waiting.conversation,
                case_version=waiting.case_version,
                because={"rule": "bot_first", "open_cases": 0},
            )
        best = self._best(waiting)
        if best is not None:
            return best
        return self._overflow(waiting)

    def _best(self, waiting: Waiting) -> OfferTo | None:
        waiting = self._let_in(waiting)
        ranked: list[tuple[float, AgentId, Score]] = []
        left_out: dict[str, str] = {}
        for agent in self.floor.agents().values():
            why = excluded(waiting, agent, self.room[agent.id], self.policy)
            if why is not None:
                left_out[agent.id] = why
                continue
            terms = score(waiting, agent, self.policy, self.now)
            if not acceptable(waiting, terms, self.policy, self.now):
                left_out[agent.id] = "holds_out_for_better"
                continue
            ranked.append((self._preference(terms, agent), agent.id, terms))
        if not ranked:
            return None
        ranked.sort(key=lambda each: (-each[0], each[1]))
        weight = self.policy.routing.family_weight[waiting.family]
        chosen = ranked[0][1]
        self.room[chosen] -= weight
        return OfferTo(
            conversation=waiting.conversation,
            agent=chosen,
            weight=weight,
            case_version=waiting.case_version,
            because=self._because(waiting, ranked, left_out),
        )

    def _let_in(self, waiting: Waiting) -> Waiting:
        """Forget who declined, let lapse or gave away, if nobody else could ever take it."""
        if not waiting.excluded:
            return waiting
        others = (
            agent
            for agent in self.floor.agents().values()
            if agent.id not in waiting.excluded and agent.presence in _ON_SHIFT
        )
        if any(_could_serve(waiting, agent) for agent in others):
            return waiting
        return replace(waiting, excluded=frozenset())

    def _preference(self, terms: Score, agent: Agent) -> float:
        """Prefer the better match, then the less loaded, then who has waited longest for work."""
        idle = self.floor.last_assigned(agent.id) or agent.presence_since
        minutes = max(0.0, (self.now - idle).total_seconds() / 60)
        load = agent.capacity - self.room[agent.id]
        breadth = len(agent.skills) / 20
        return terms.total - 0.5 * load - breadth + 0.05 * min(5.0, minutes)

    def _because(
        self,
        waiting: Waiting,
        ranked: list[tuple[float, AgentId, Score]],
        left_out: Mapping[str, str],
    ) -> dict[str, Any]:
        return {
            "policy": self.policy.version,
            "waited_s": round((self.now - waiting.since).total_seconds(), 1),
            "target_s": target(waiting, self.policy),
            "severity": waiting.severity,
            "open_cases": waiting.cases,
            "priority": waiting.priority,
            "needs": [
                {"skill": need.skill, "least": need.least, "hard": need.hard}
                for need in sorted(waiting.needs)
            ],
            "candidates": [
                {
                    "agent": agent,
                    "score": round(terms.total, 3),
                    "urgency": round(terms.urgency, 3),
                    "misfit": round(terms.misfit, 3),
                    "tie": round(terms.tie, 3),
                    "preference": round(preference, 3),
                }
                for preference, agent, terms in ranked[:_KEPT]
            ],
            "left_out": dict(sorted(left_out.items())[: 5 * _KEPT]),
        }

    def _overflow(self, waiting: Waiting) -> Overflow | None:
        queue = self.policy.queue(waiting.queue)
        if queue.overflow_after is None or queue.overflow_to is None:
            return None
        if self.now - waiting.since < queue.overflow_after or queue.overflow_to == waiting.queue:
            return None
        return Overflow(
            conversation=waiting.conversation,
            to=queue.overflow_to,
            because={"waited_s": round((self.now - waiting.since).total_seconds(), 1)},
        )


def made(offer: OfferTo, floor: Floor, *, at: datetime) -> Held:
    """Return the change to the floor that carrying out ``offer`` makes."""
    waiting = floor.in_line(offer.conversation)
    if waiting is None:
        raise KeyError(offer.conversation)
    return Held(
        holding=Holding(
            conversation=offer.conversation,
            contact=waiting.contact,
            agent=offer.agent,
            weight=offer.weight,
        ),
        at=at,
    )


def next_deadline(floor: Floor, policy: ShopPolicy, now: datetime) -> datetime | None:
    """Return when the floor must be looked at again although nothing happens."""
    moments = [held.until for held in floor.offers() if held.until is not None]
    for waiting in floor.waiting():
        queue = policy.queue(waiting.queue)
        if queue.overflow_after is not None:
            moments.append(waiting.since + queue.overflow_after)
    later = [moment for moment in moments if moment > now]
    return min(later, default=None)
