"""The score of one pair, term by term: the plain words behind the floor's tables.

    S = U − misfit · M − W − Π + tie · [i knows the contact]

U is what it costs to let this chance pass (delay, deadline, abandonment), M what a poor match costs
(a likely transfer, a lower chance of resolution), W what the agent's time is worth, Π what the slot
is worth to somebody scarcer.
`router.domain.index` computes the same for all pairs at once; tests hold the two together.
"""

from dataclasses import dataclass
from datetime import datetime
from math import exp

from router.domain.fit import Roles, Sheet, fit
from router.domain.floor import EPSILON, Waiting
from router.domain.ids import ChannelName
from router.domain.policy import RoutingPolicy, ShopPolicy
from router.domain.workforce import Agent, Presence

#: The promise to everybody is not for targets that are more than so many times as long.
_NOT_FAR = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The terms of one pair's score, all in the same unit (weighted minutes of delay, roughly)."""

    urgency: float
    misfit: float
    tie: float
    work: float = 0.0
    price: float = 0.0

    @property
    def total(self) -> float:
        """Return what the pair is worth."""
        return self.urgency - self.misfit - self.work - self.price + self.tie


def target(waiting: Waiting, policy: ShopPolicy) -> float:
    """Return within how many seconds this conversation should be answered."""
    within = policy.answer_within(
        waiting.queue, ChannelName(waiting.channel), complains=waiting.severity > 0
    )
    return within.total_seconds()


def weight_of(waiting: Waiting, routing: RoutingPolicy) -> float:
    """Return how much a second of this contact's waiting weighs."""
    if waiting.severity:
        weight = routing.weight_complaint
    elif waiting.vip:
        weight = routing.weight_vip
    else:
        weight = routing.weight_normal * routing.family_value.get(waiting.family, 1.0)
        weight *= routing.weight_upset if waiting.upset else 1.0
    return float(weight * routing.priority_step**waiting.priority)


def urgency(waiting: Waiting, policy: ShopPolicy, now: datetime) -> float:
    """Return what it costs to let this chance pass: U of the routing policy."""
    routing = policy.routing
    tau = routing.tau.total_seconds()
    due = target(waiting, policy)
    waited = max(0.0, (now - waiting.since).total_seconds())
    patience = routing.patience[waiting.family].total_seconds()
    deadline = routing.deadline * exp(-(due - waited) / tau) if waited < due else 0.0
    delay = tau * (1 / due + routing.pressure / patience) + routing.ageing * waited / due
    within = routing.promise_within.total_seconds()
    promise = promised(due, routing) * exp(-(within - waited) / tau) if waited < within else 0.0
    return weight_of(waiting, routing) * (delay + deadline) + promise


def promised(due: float, routing: RoutingPolicy) -> float:
    """Return what the promise to everybody is worth to one whose target is ``due`` seconds."""
    return routing.promise if due <= _NOT_FAR * routing.promise_within.total_seconds() else 0.0


def misfit(waiting: Waiting, agent: Agent, policy: ShopPolicy, *, bar: float = 0.0) -> float:
    """Return what a poor match costs: M, from missing levels and the topic's proficiency.

    ``bar`` is what even a good match for these needs costs on this floor.
    """
    routing = policy.routing
    sheet = Sheet()
    sheet.write(0, agent.skills)
    row = fit(sorted(waiting.needs), sheet, Roles.of(policy), 1)
    weight = weight_of(waiting, routing)
    cost = row.transfer[0] * (1 + weight / 2) + row.loss[0] - routing.bar * bar
    return float(routing.misfit * cost)


def overdue(waiting: Waiting, policy: ShopPolicy, now: datetime) -> bool:
    """Return whether it has waited so long that nothing but complaints goes before it."""
    waited = (now - waiting.since).total_seconds()
    return waited > overdue_after(target(waiting, policy), policy.routing)


def overdue_after(within: float, routing: RoutingPolicy) -> float:
    """Return after how many seconds a conversation with this target is overdue."""
    return max(routing.overdue_factor * within, routing.overdue_least.total_seconds())


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
    if (outside := outside_step(waiting, agent)) is not None:
        return outside
    for need in sorted(waiting.needs):
        if need.hard and agent.skills.get(need.skill, 0) < need.least:
            return f"skill:{need.skill}"
    if weight > room + EPSILON:
        return "full"
    return None


def outside_step(waiting: Waiting, agent: Agent) -> str | None:
    """Return why the step of the plan that is in force leaves an agent out, or None."""
    if waiting.plan is None:
        return None
    step = waiting.plan.step
    if step.previous and waiting.previous != agent.id:
        return "step:previous"
    if step.groups and not step.groups & agent.groups:
        return "step:groups"
    return None


def score(
    waiting: Waiting,
    agent: Agent,
    policy: ShopPolicy,
    now: datetime,
    *,
    bar: float = 0.0,
    work: float = 0.0,
    price: float = 0.0,
) -> Score:
    """Return the terms of the pair's score; ``bar``, ``work``, ``price`` come from the floor."""
    return Score(
        urgency=urgency(waiting, policy, now),
        misfit=misfit(waiting, agent, policy, bar=bar),
        tie=policy.routing.tie if waiting.previous == agent.id else 0.0,
        work=work,
        price=price,
    )
