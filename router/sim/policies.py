"""The policies that can be simulated, by name: ours, and models of what others document.

Each of the others comes once with its typical step times and, where it has steps, once tuned on
the tuning seeds (``_tuned``).
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from router.domain.policy import PricePolicy, RoutingPolicy, ShopPolicy
from router.sim.day import Day
from router.sim.product import ProductRouter
from router.sim.rules import Order, RuleRouter, Rules, Take
from router.sim.world import Router

#: Our own policy's name, and that of the first one: the same score as it was once specified.
OURS, FIRST = "mainstem", "first_index"

_MODELS = (
    Rules(
        name="round_robin",
        source="Chatwoot's default assignment: channel and language only, agents in turn",
        steps=((0, 4),),
        order=Order.AGE,
        previous=False,
        hold=0,
        take=Take.TURN,
    ),
    Rules(
        name="longest_idle",
        source="hard skills, oldest first, longest idle agent; after two minutes whoever knows it",
        steps=((0, 0), (120, 3)),
        order=Order.AGE,
        previous=False,
        hold=0,
        take=Take.IDLE,
    ),
    Rules(
        name="priority_steps",
        source="Twilio TaskRouter workflows: priority, then age; targets with time limits",
        steps=((0, 0), (60, 1), (90, 2)),
        order=Order.PRIORITY,
        previous=True,
        hold=5,
        take=Take.IDLE,
    ),
    Rules(
        name="priority_steps_tuned",
        source="as priority_steps, steps at 6 and 9 s, 3 s for the previous agent",
        steps=((0, 0), (6, 1), (9, 2)),
        order=Order.PRIORITY,
        previous=True,
        hold=3,
        take=Take.IDLE,
    ),
    Rules(
        name="timed_relaxation",
        source="Zendesk, Salesforce: optional skills dropped group by group; most spare capacity",
        steps=((0, 0), (30, 1), (60, 2), (90, 3)),
        order=Order.PRIORITY,
        previous=False,
        hold=0,
        take=Take.SPARE,
    ),
    Rules(
        name="timed_relaxation_tuned",
        source="as timed_relaxation, steps at 3, 6 and 9 s",
        steps=((0, 0), (3, 1), (6, 2), (9, 3)),
        order=Order.PRIORITY,
        previous=False,
        hold=0,
        take=Take.SPARE,
    ),
    Rules(
        name="proficiency_steps",
        source="Amazon Connect routing criteria: proficiency steps with expiry, then the queue",
        steps=((0, 0), (30, 2), (60, 3)),
        order=Order.PRIORITY,
        previous=True,
        hold=0,
        take=Take.IDLE,
    ),
    Rules(
        name="proficiency_steps_tuned",
        source="as proficiency_steps, steps at 5, 15 and 30 s",
        steps=((0, 0), (5, 1), (15, 2), (30, 3)),
        order=Order.PRIORITY,
        previous=True,
        hold=0,
        take=Take.IDLE,
    ),
    Rules(
        name="gcmu",
        source="generalised c-mu (Mandelbaum and Stolyar 2004): highest h*C'(wait)*rate",
        steps=((0, 0), (3, 1), (6, 2), (9, 3)),
        order=Order.COST,
        previous=True,
        hold=0,
        take=Take.FAST,
    ),
)

MODELS: Mapping[str, Rules] = {each.name: each for each in _MODELS}
NAMES = (OURS, FIRST, *MODELS)


def router_for(policy: str, day: Day, base: ShopPolicy) -> Router:
    """Return the router that plays a policy on a day; KeyError if there is none of that name."""
    if policy == OURS:
        return ProductRouter(day, base)
    if policy == FIRST:
        return ProductRouter(day, replace(base, routing=first(base.routing)))
    return RuleRouter(day, MODELS[policy])


def first(routing: RoutingPolicy) -> RoutingPolicy:
    """Return the constants of the first policy.

    Nobody who does not know the topic before it is overdue, no fairness, time is worth nothing.
    """
    return replace(
        routing,
        version="index-0",
        tau=timedelta(seconds=12),
        misfit=2.0,
        tie=0.5,
        overdue_factor=10.0,
        overdue_least=timedelta(minutes=15),
        reach=3,
        bar=1.4,
        pressure=16.0,
        ageing=0.05,
        deadline=2.0,
        load=0.5,
        flexible=1.5,
        rest=0.05,
        fairness=0.0,
        price=PricePolicy(),
        promise=0.0,
        work=replace(routing.work, worth=0.0),
    )
