"""Small centres whose optimum is known, and our own policy in them: the daemon's floor and decide.

Each is a corner of the big question: a specialist who is needed for complaints, topics that only
some know. All speak by telephone, one conversation an agent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from router.domain.fit import Roles, Sheet, fit
from router.domain.floor import Entered, Floor, Foreseen, Gone, Held, Holding, Staffed, Waiting
from router.domain.ids import AgentId, ContactId, ConversationId, QueueName, Skill
from router.domain.policy import QueuePolicy, ShopPolicy
from router.domain.prices import Category, Forecast
from router.domain.reading import Intent
from router.domain.routing import OfferTo, decide
from router.domain.workforce import Agent, Need, Presence, Role
from router.sim.chain import Chain, Choose, Class, Lines, Move, Pair, Small, oldest_first

_NOW = datetime(2026, 11, 11, 12, tzinfo=UTC)
_VOICE = "voice"
_COMPLAINT, _TOPIC, _OTHER = Skill("complaint"), Skill("returns"), Skill("logistics")
#: How transfers cut work short, and how long complaints take beside others; as on invented days.
_TRANSFER_AFTER, _COMPLAINTS_WORK = 0.35, 1.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanting:
    """A class of customers: what they need, whether they complain, their part of all arrivals."""

    needs: Mapping[Skill, int]
    complains: bool
    part: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """A small centre in the router's own words; ``load`` is work offered per agent."""

    name: str
    load: float
    customers: tuple[Wanting, ...]
    agents: tuple[Mapping[Skill, int], ...]
    target: float = 20.0
    patience: float = 180.0
    complaint_patience: float = 1.5
    work: float = 180.0
    step: float = 10.0
    places: int = 2
    ages: int = 6


_ASKS = Wanting(needs={_TOPIC: 2}, complains=False, part=0.85)
_COMPLAINS = Wanting(needs={_TOPIC: 2, _COMPLAINT: 2}, complains=True, part=0.15)
_KNOWS = {_TOPIC: 3}
_HANDLES = {_TOPIC: 3, _COMPLAINT: 3}

CENTRES = (
    Centre(
        name="a complaint now and then",
        load=0.4,
        customers=(_ASKS, _COMPLAINS),
        agents=(_KNOWS, _HANDLES),
    ),
    Centre(
        name="two agents, busy",
        load=0.7,
        customers=(_ASKS, _COMPLAINS),
        agents=(_KNOWS, _HANDLES),
    ),
    Centre(
        name="three agents, busy",
        load=0.7,
        customers=(_ASKS, _COMPLAINS),
        agents=(_KNOWS, _KNOWS, _HANDLES),
    ),
    Centre(
        name="two topics",
        load=0.6,
        customers=(
            Wanting(needs={_TOPIC: 2}, complains=False, part=0.5),
            Wanting(needs={_OTHER: 2}, complains=False, part=0.5),
        ),
        agents=({_TOPIC: 4}, {_OTHER: 4}, {_TOPIC: 3, _OTHER: 3}),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What a conversation costs in one centre: at best, under our policy, by strict priority."""

    name: str
    states: int
    best: float
    ours: float
    priority: float

    @property
    def above(self) -> float:
        """Return by which part our cost is above the optimum."""
        return self.ours / self.best - 1

    @property
    def priority_above(self) -> float:
        """Return by which part strict priority is above the optimum."""
        return self.priority / self.best - 1


def gap(centre: Centre, base: ShopPolicy) -> Gap:
    """Reckon one centre to the end."""
    small = small_of(centre, base)
    chain = Chain(small)
    order = {kind: 0 if each.complains else 1 for kind, each in enumerate(centre.customers)}
    states = 1
    for size in chain.shape:
        states *= size
    return Gap(
        name=centre.name,
        states=states,
        best=chain.best(),
        ours=chain.of(ours(centre, base)),
        priority=chain.of(oldest_first(small, order)),
    )


def small_of(centre: Centre, base: ShopPolicy) -> Small:
    """Return the centre as a chain, with the dynamics of the invented days."""
    policy = shop_of(centre, base)
    routing, roles = policy.routing, Roles.of(policy)
    sheet = Sheet()
    for row, skills in enumerate(centre.agents):
        sheet.write(row, skills)
    count = len(centre.agents)
    mean = centre.work * sum(each.part * _longer(each) for each in centre.customers)
    rate = centre.load * count / mean
    pairs = []
    for each in centre.customers:
        fits = fit(sorted(_needs(each)), sheet, roles, count)
        pairs.append(
            tuple(
                Pair(
                    lasts=centre.work
                    * _longer(each)
                    * float(fits.effort[agent])
                    * (1 - float(fits.transfer[agent]) * (1 - _TRANSFER_AFTER)),
                    # 2 · (1 − chance of resolution), and 1 if handed on
                    cost=float(fits.loss[agent]) + 2 * 0.10 + float(fits.transfer[agent]),
                    again=float(fits.transfer[agent]),
                )
                for agent in range(count)
            )
        )
    return Small(
        name=centre.name,
        step=centre.step,
        places=centre.places,
        ages=centre.ages,
        classes=tuple(
            Class(
                rate=rate * each.part,
                target=centre.target,
                weight=routing.weight_complaint if each.complains else routing.weight_normal,
                patience=centre.patience * (centre.complaint_patience if each.complains else 1.0),
            )
            for each in centre.customers
        ),
        pairs=tuple(pairs),
    )


def shop_of(centre: Centre, base: ShopPolicy) -> ShopPolicy:
    """Return the shop's policy in this centre; the constants of the score stay as they are."""
    queue = QueuePolicy(
        name=QueueName("line"),
        title={},
        needs=frozenset(),
        answer_within=timedelta(seconds=centre.target),
        share=0.8,
    )
    routing = replace(
        base.routing,
        family_weight={_VOICE: 1.0},
        family_value={},
        patience={_VOICE: timedelta(seconds=centre.patience)},
        weight_normal=1.0,
        complaint_within=timedelta(seconds=centre.target),
        work=replace(base.routing.work, mean={_VOICE: timedelta(seconds=centre.work)}),
    )
    skills = {skill for each in centre.customers for skill in each.needs}
    topics = sorted(skills - {_COMPLAINT})
    return replace(
        base,
        queues={queue.name: queue},
        default_queue=queue.name,
        case_queue=queue.name,
        topics={
            intent: frozenset({Need(skill=topic, least=2)})
            for intent, topic in zip(Intent, topics, strict=False)
        },
        topic_queues={},
        complaint_needs=dict.fromkeys((1, 2, 3), frozenset({Need(skill=_COMPLAINT, least=2)})),
        routing=routing,
        skills={name: {} for name in sorted(skills | {_COMPLAINT})},
    )


def ours(centre: Centre, base: ShopPolicy) -> Choose:
    """Return our own policy: the daemon's `decide` on a floor that stands like the state.

    What the state does not hold, who was busy of late and for how long who has rested, is alike
    for all agents.
    """
    policy = shop_of(centre, base)
    floor = Floor()
    small = small_of(centre, base)
    floor.apply(Foreseen(forecast=_forecast(centre, small)))
    agents = [_agent(number, skills) for number, skills in enumerate(centre.agents)]
    for agent in agents:
        floor.apply(Staffed(agent=agent))
    needs = [_needs(each) for each in centre.customers]

    def choose(lines: Lines, idle: tuple[bool, ...]) -> Sequence[Move]:
        names: dict[ConversationId, tuple[int, int]] = {}
        before = [each.conversation for each in floor.waiting()]
        for name in before:
            floor.apply(Gone(conversation=name))
        for agent, free in zip(agents, idle, strict=True):
            _occupy(floor, agent, free=free)
        for kind, line in enumerate(lines):
            for place, age in enumerate(line):
                complains = centre.customers[kind].complains
                waiting = _waiting(kind, place, age * centre.step, needs[kind], cases=complains)
                names[waiting.conversation] = (kind, place)
                floor.apply(Entered(waiting=waiting))
        offers = [each for each in decide(floor, policy, _NOW) if isinstance(each, OfferTo)]
        return [(*names[each.conversation], int(each.agent)) for each in offers]

    return choose


def _occupy(floor: Floor, agent: Agent, *, free: bool) -> None:
    call = ConversationId(f"call-{agent.id}")
    if free == (not floor.held_by(agent.id)):
        return
    if free:
        floor.apply(Gone(conversation=call))
        return
    holding = Holding(conversation=call, contact=ContactId(call), agent=agent.id, weight=1.0)
    floor.apply(Held(holding=holding, at=_NOW - timedelta(days=1)))


def _forecast(centre: Centre, small: Small) -> Forecast:
    """Return what is to be expected: the rates of the model itself."""
    rates: dict[Category, float] = {}
    weighed: dict[Category, float] = {}
    for each, kind in zip(centre.customers, small.classes, strict=True):
        for skill in (None, *each.needs):
            category = Category(exclusive=True, skill=skill)
            rates[category] = rates.get(category, 0.0) + kind.rate
            weighed[category] = weighed.get(category, 0.0) + kind.rate * kind.weight
    return Forecast(
        begins=_NOW - timedelta(hours=1),
        step=timedelta(hours=2),
        rates={category: (rate,) for category, rate in rates.items()},
        weights={category: weighed[category] / rate for category, rate in rates.items()},
    )


def _waiting(
    kind: int, place: int, waited: float, needs: frozenset[Need], *, cases: bool
) -> Waiting:
    name = f"{kind}-{place}"
    return Waiting(
        conversation=ConversationId(name),
        contact=ContactId(name),
        queue=QueueName("line"),
        channel=_VOICE,
        family=_VOICE,
        language="",
        needs=needs,
        since=_NOW - timedelta(seconds=waited),
        priority=0,
        vip=False,
        upset=False,
        severity=int(cases),
        cases=int(cases),
        case_version=0,
        unread=0,
        bot_ok=False,
        previous=None,
        excluded=frozenset(),
    )


def _needs(wanting: Wanting) -> frozenset[Need]:
    return frozenset(Need(skill=skill, least=least) for skill, least in wanting.needs.items())


def _longer(wanting: Wanting) -> float:
    return _COMPLAINTS_WORK if wanting.complains else 1.0


def _agent(number: int, skills: Mapping[Skill, int]) -> Agent:
    return Agent(
        id=AgentId(str(number)),
        login=str(number),
        name=str(number),
        role=Role.AGENT,
        skills=skills,
        families=frozenset({_VOICE}),
        languages=frozenset(),
        capacity=1.0,
        presence=Presence.AVAILABLE,
        presence_since=_NOW - timedelta(days=1),
        active=True,
    )
