"""Mainstem's own routing on the invented day: the daemon's floor and decisions, nothing else."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from router.domain.floor import Entered, Floor, Foreseen, Gone, Held, Holding, Staffed, Waiting
from router.domain.ids import AgentId, ContactId, ConversationId, QueueName, Skill
from router.domain.index import index_of
from router.domain.policy import QueuePolicy, ShopPolicy
from router.domain.prices import Category, Forecast
from router.domain.reading import Intent
from router.domain.routing import OfferTo, decide
from router.domain.workforce import Agent, Need, Presence, Role
from router.sim.day import COMPLAINS, NORMAL, VIP, Day
from router.sim.legs import Leg
from router.sim.scenario import CHANNELS, COMPLAINT, LANG2, SKILLS, TOPICS, Scenario

#: When the invented day begins.
_DAWN = datetime(2026, 11, 11, tzinfo=UTC)
_STEP = timedelta(minutes=15)
_LEVELS = {0: None, 1: 60.0, 2: 120.0}
#: Complaints that escalate are this much more than those that arrive.
_ESCALATES = 1.2
#: An ordinary contact is upset so often.
_UPSET = 0.2
_LONG = timedelta(days=1)


def shop_of(scenario: Scenario, base: ShopPolicy) -> ShopPolicy:
    """Return the shop's policy with the scenario's queues, skills, channels and clocks.

    The constants of the score are those of ``base``: what is configured is what is simulated.
    """
    topics = [Skill(name) for name in TOPICS]
    intents = list(Intent)
    complaint = frozenset({Need(skill=Skill(SKILLS[COMPLAINT]), least=2)})
    routing = replace(
        base.routing,
        family_weight=dict(zip(CHANNELS, scenario.channel_weight, strict=True)),
        family_value=dict(zip(CHANNELS, scenario.weight, strict=True)),
        patience={
            name: timedelta(seconds=mean)
            for name, mean in zip(CHANNELS, scenario.patience_mean, strict=True)
        },
        weight_normal=1.0,
        weight_vip=scenario.weight_vip,
        weight_complaint=scenario.weight_complaint,
        weight_upset=1.5,
        complaint_within=_LONG,
        work=replace(
            base.routing.work,
            mean={
                name: timedelta(seconds=mean)
                for name, mean in zip(CHANNELS, scenario.work_mean, strict=True)
            },
            slowdown=scenario.gamma,
        ),
    )
    queues = {line.name: line for line in _queues(scenario)}
    return replace(
        base,
        queues=queues,
        default_queue=next(iter(queues)),
        case_queue=next(iter(queues)),
        topics={
            intent: frozenset({Need(skill=topic, least=2)})
            for intent, topic in zip(intents, topics, strict=False)
        },
        topic_queues={},
        complaint_needs=dict.fromkeys((1, 2, 3), complaint),
        routing=routing,
        skills={name: {} for name in SKILLS},
    )


def _queues(scenario: Scenario) -> list[QueuePolicy]:
    found = []
    for channel, within in enumerate(scenario.target):
        found.append(_queue(f"{CHANNELS[channel]}-{NORMAL}", within))
        found.append(_queue(f"{CHANNELS[channel]}-{VIP}", min(within, scenario.target_vip)))
    found.append(_queue("complaints-0", scenario.target_complaint))
    found.append(_queue("complaints-1", 60.0))
    found.append(_queue("complaints-2", 120.0))
    return found


def _queue(name: str, within: float) -> QueuePolicy:
    return QueuePolicy(
        name=QueueName(name),
        title={},
        needs=frozenset(),
        answer_within=timedelta(seconds=within),
        share=0.8,
    )


class ProductRouter:
    """Tells a `Floor` what happens and asks `decide`, as the daemon's dispatcher does."""

    def __init__(self, day: Day, base: ShopPolicy) -> None:
        self._day = day
        self.policy = shop_of(day.scenario, base)
        self.floor = Floor()
        self._agents = [_agent(day, number) for number in range(day.scenario.agents)]
        self._needs = [_needs(row) for row in day.wanted.tolist()]
        self._waiting: dict[str, Leg] = {}
        self._quiet_until = 0.0
        self.floor.apply(Foreseen(forecast=forecast_of(day)))

    def shift(self, agent: int, *, on: bool, now: float) -> None:
        """An agent begins or ends to take work."""
        self.floor.pass_time(_at(now))
        presence = Presence.AVAILABLE if on else Presence.OFFLINE
        self._agents[agent] = replace(
            self._agents[agent], presence=presence, presence_since=_at(now)
        )
        self.floor.apply(Staffed(agent=self._agents[agent]))
        self._quiet_until = 0.0

    def waits(self, leg: Leg, now: float) -> None:
        """Somebody stands in line."""
        waiting = self._entry(leg)
        self._waiting[waiting.conversation] = leg
        self.floor.apply(Entered(waiting=waiting))
        self._quiet_until = 0.0

    def leaves(self, leg: Leg, now: float) -> None:
        """Somebody who waited has given up."""
        del self._waiting[_name(leg)]
        self.floor.apply(Gone(conversation=_name(leg)))
        self._quiet_until = 0.0

    def starts(self, leg: Leg, agent: int, now: float) -> None:
        """An agent takes a leg."""
        self.floor.pass_time(_at(now))
        name = _name(leg)
        self._waiting.pop(name, None)
        holding = Holding(
            conversation=name,
            contact=ContactId(str(leg.conversation)),
            agent=self._agents[agent].id,
            weight=self._day.scenario.channel_weight[leg.channel],
        )
        self.floor.apply(Held(holding=holding, at=_at(now)))

    def ends(self, leg: Leg, agent: int, now: float) -> None:
        """An agent is done with a leg."""
        self.floor.pass_time(_at(now))
        self.floor.apply(Gone(conversation=_name(leg)))
        self._quiet_until = 0.0

    def decide(self, now: float) -> Sequence[tuple[Leg, int]]:
        """Return who gets whom now."""
        if now < self._quiet_until:
            return ()
        found = decide(self.floor, self.policy, _at(now))
        again = index_of(self.floor, self.policy).again
        self._quiet_until = now if again is None else (again - _DAWN).total_seconds()
        return [
            (self._waiting[each.conversation], int(each.agent))
            for each in found
            if isinstance(each, OfferTo)
        ]

    def _entry(self, leg: Leg) -> Waiting:
        channel = CHANNELS[leg.channel]
        complains = leg.kind == COMPLAINS
        queue = f"complaints-{leg.level}" if complains else f"{channel}-{leg.kind}"
        return Waiting(
            conversation=_name(leg),
            contact=ContactId(str(leg.conversation)),
            queue=QueueName(queue),
            channel=channel,
            family=channel,
            language="",
            needs=self._needs[leg.wanted],
            since=_at(leg.arrived),
            priority=0,
            vip=leg.kind == VIP,
            upset=leg.upset,
            severity=leg.level + 1 if complains else 0,
            cases=int(complains),
            case_version=0,
            unread=0,
            bot_ok=False,
            previous=AgentId(f"{leg.previous:05d}") if leg.previous >= 0 else None,
            excluded=frozenset({AgentId(f"{leg.excluded:05d}")} if leg.excluded >= 0 else ()),
        )


def _at(seconds: float) -> datetime:
    return _DAWN + timedelta(seconds=seconds)


def _name(leg: Leg) -> ConversationId:
    return ConversationId(f"{leg.id:07d}")


def _needs(row: list[int]) -> frozenset[Need]:
    return frozenset(
        Need(skill=Skill(SKILLS[place]), least=level, hard=place == LANG2)
        for place, level in enumerate(row)
        if level
    )


def _agent(day: Day, number: int) -> Agent:
    levels, serves = day.staff.levels[number].tolist(), day.staff.serves[number].tolist()
    return Agent(
        id=AgentId(f"{number:05d}"),
        login=f"{number:05d}",
        name=f"{number:05d}",
        role=Role.AGENT,
        skills={Skill(SKILLS[at]): level for at, level in enumerate(levels) if level},
        families=frozenset(CHANNELS[at] for at, served in enumerate(serves) if served),
        languages=frozenset(),
        capacity=1.0,
        presence=Presence.OFFLINE,
        presence_since=_DAWN,
        active=True,
    )


def forecast_of(day: Day) -> Forecast:
    """Return the day's forecast by category: the given rates, split by the shares of each skill."""
    scenario, given = day.scenario, day.forecast.copy()
    given[:, :, COMPLAINS] *= _ESCALATES
    normal = [weight * (1 + 0.5 * _UPSET) for weight in scenario.weight]
    weights = [
        [normal[channel], scenario.weight_vip, scenario.weight_complaint] for channel in range(4)
    ]
    shares = _shares(scenario)
    rates: dict[Category, tuple[float, ...]] = {}
    worth: dict[Category, float] = {}
    for exclusive in (True, False):
        channels = [at for at in range(4) if (scenario.channel_weight[at] >= 1.0) == exclusive]
        for skill, share in shares.items():
            category = Category(exclusive=exclusive, skill=skill)
            part = given[:, channels, :] * share
            rates[category] = tuple(part.sum(axis=(1, 2)).tolist())
            weighed = sum(
                part[:, at, kind].sum() * weights[channel][kind]
                for at, channel in enumerate(channels)
                for kind in range(3)
            )
            worth[category] = float(weighed / max(1e-12, part.sum()))
    return Forecast(begins=_DAWN, step=_STEP, rates=rates, weights=worth)


def _shares(scenario: Scenario) -> dict[Skill | None, list[float]]:
    """Return which part of normal, VIP and complaining contacts needs each skill."""
    topics = [each / sum(scenario.topic_mix) for each in scenario.topic_mix]
    lines = [each / sum(scenario.line_mix) for each in scenario.line_mix]
    shares: dict[Skill | None, list[float]] = {None: [1.0, 1.0, 1.0]}
    for name, share in zip(TOPICS, topics, strict=True):
        shares[Skill(name)] = [share] * 3
    shares[Skill("line_a")] = [lines[1]] * 3
    shares[Skill("line_b")] = [lines[2]] * 3
    shares[Skill("lang2")] = [scenario.lang2_share] * 3
    shares[Skill("complaint")] = [0.0, 0.0, 1.0]
    return shares
