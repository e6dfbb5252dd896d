"""The policies that can be simulated, by name: ours, and models of what others document.

Each of the others comes once with its typical step times and, where it has steps, once tuned on
the tuning seeds (``_tuned``).
"""

from collections.abc import Mapping

from router.domain.policy import ShopPolicy
from router.sim.day import Day
from router.sim.product import ProductRouter
from router.sim.rules import Order, RuleRouter, Rules, Take
from router.sim.world import Router

#: Our own policy's name.
OURS = "mainstem"

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
NAMES = (OURS, *MODELS)


def router_for(policy: str, day: Day, base: ShopPolicy) -> Router:
    """Return the router that plays a policy on a day; KeyError if there is none of that name."""
    if policy == OURS:
        return ProductRouter(day, base)
    return RuleRouter(day, MODELS[policy])
