"""What a shop decides: queues, skills, clocks and the constants of routing; values from config/."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from router.domain.case import CaseClock
from router.domain.coach import CoachPolicy
from router.domain.crisis import CrisisPolicy
from router.domain.hours import AROUND_THE_CLOCK, Hours
from router.domain.ids import ChannelName, QueueName
from router.domain.plan import Step
from router.domain.reading import Intent
from router.domain.workforce import Need, Presence


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePolicy:
    """A line of waiting conversations with one target.

    ``answer_within`` is the target of the first answer; ``share`` the part of conversations that
    should meet it. After ``overflow_after`` a waiting conversation goes to ``overflow_to``.
    ``plan`` bounds who may answer, step by step; without one everybody may. What is due in the
    line is counted in its ``hours``; outside of them whoever comes is told ``closed`` (by
    language, with the next opening at ``{opens}``), once a conversation.
    """

    name: QueueName
    title: Mapping[str, str]
    needs: frozenset[Need]
    answer_within: timedelta
    share: float
    overflow_after: timedelta | None = None
    overflow_to: QueueName | None = None
    plan: tuple[Step, ...] = ()
    hours: Hours = AROUND_THE_CLOCK
    closed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PricePolicy:
    """What a slot that scarcer demand may need soon is worth; see `router.domain.prices`.

    ``horizon`` is how far ahead demand counts with ``holders`` holders of a skill; it stretches by
    the root of their number, between the factors ``shortest`` and ``longest``, and by ``exclusive``
    for slots that take the whole agent. The worth of the demand is its mean weight to the
    ``power``, times ``worth``; prices below ``least`` are nothing. ``crossing`` is the part of an
    exclusive slot's price that shared work pays for an idle agent, ``draining`` the part it pays
    for one who has shared work already and would be idle later. ``spared`` is the part of the
    shared slots of idle agents with exclusive ones that does not count as free when exclusive
    demand is sure to come soon. ``factor``
    multiplies every price (0: no prices).
    """

    factor: float = 1.0
    horizon: timedelta = timedelta(seconds=75)
    holders: float = 12.0
    shortest: float = 0.15
    longest: float = 8.0
    exclusive: float = 1.5
    worth: float = 2.5
    least: float = 0.02
    crossing: float = 0.5
    draining: float = 0.0
    spared: float = 0.0
    power: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkPolicy:
    """How long conversations take and how much work side by side slows an agent.

    ``mean`` is by family, handled alone; ``slowdown`` is the part of each further conversation that
    delays the others. Where a family is missing its work counts as ``usual``. ``worth`` is what
    150 seconds of an agent's time are worth in the score.
    """

    mean: Mapping[str, timedelta] = field(default_factory=dict)
    usual: timedelta = timedelta(minutes=5)
    slowdown: float = 0.18
    worth: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingPolicy:
    """The constants of the score; see docs/ROUTING.md for what each means.

    Times are durations; weights have no unit. ``family_weight`` is the share of an agent's
    capacity that a conversation of a channel family takes. ``answer_within`` are the clocks that
    platforms keep, by channel: no target is longer, and ``alarm_before`` one ends unanswered
    somebody is told.
    """

    version: str
    family_weight: Mapping[str, float]
    offer_lasts: timedelta
    lapses_until_away: int
    wrap_up_lasts: timedelta
    idle_after: timedelta  # a contact silent for so long: the bot's conversation is closed
    tau: timedelta  # the horizon of one chance
    patience: Mapping[str, timedelta]  # mean patience by family
    weight_normal: float
    weight_vip: float
    weight_complaint: float
    weight_upset: float  # multiplies an ordinary weight when the contact is upset
    priority_step: float  # multiplies the weight once a step of a supervisor's raise
    complaint_within: timedelta  # the target of a first answer when a complaint is open
    misfit: float
    tie: float  # the worth of the agent who knows the contact
    overdue_factor: float  # overdue after so many targets …
    overdue_least: timedelta  # … but not before this
    answer_within: Mapping[ChannelName, timedelta] = field(default_factory=dict)
    alarm_before: timedelta = timedelta(seconds=30)
    approve_presence: frozenset[Presence] = frozenset()  # what an agent must ask leave for
    family_value: Mapping[str, float] = field(default_factory=dict)  # × weight_normal; 1 if missing
    reach: int = 4  # how far a match may be relaxed before it is overdue; see `fit.Reach`
    bar: float = 1.4  # how much of a poor match is forgiven where even good ones are poor
    pressure: float = 16.0  # seconds of abandonment that a moment of waiting risks
    ageing: float = 0.05  # growth of urgency a target waited
    deadline: float = 2.0  # the cost of missing the target
    promise: float = 0.0  # the cost, alike for everybody, of having waited longer than …
    promise_within: timedelta = timedelta(seconds=130)  # … this, where targets are not far longer
    load: float = 0.5  # how much an agent's load counts against them …
    flexible: float = 1.5  # … and what else they could do …
    rest: float = 0.05  # … and a minute without a new conversation for them, up to five
    fairness: float = 0.0  # how much it counts against an agent to have been busy of late
    price: PricePolicy = PricePolicy()
    work: WorkPolicy = WorkPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class BotPolicy:
    """When the bot may answer, and what it says. Thresholds are calibrated confidences 0–1.

    After ``most_turns`` answers, or ``most_asks_back`` questions back in a row, a person has it.
    """

    first: bool
    answer_at: float
    ask_at: float
    most_turns: int
    name: Mapping[str, str]
    most_asks_back: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgePolicy:
    """How articles and scripts come about.

    With ``four_eyes`` nobody publishes or approves what they have written. Questions that the bot
    could not answer are kept for ``questions_kept``. ``ask_rating`` is after which conversations
    the contact is asked for a rating: ``never``, ``trials`` (those in which a script under trial
    was used) or ``always``.
    """

    four_eyes: bool = False
    questions_kept: timedelta = timedelta(days=90)
    ask_rating: str = "trials"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopPolicy:
    """Everything that routing, triage and the complaint clocks go by.

    ``topics`` maps an intent to the needs of a conversation about it, ``topic_queues`` to the line
    it stands in (the account's own where nothing is said). ``complaint_needs`` maps a
    severity to what its conversation needs in addition. ``case_queue`` is where cases stand that
    nobody owns. ``join_within`` is how long a resolved case takes a return on the same matter.
    """

    version: str
    queues: Mapping[QueueName, QueuePolicy]
    default_queue: QueueName
    case_queue: QueueName
    topics: Mapping[Intent, frozenset[Need]]
    topic_queues: Mapping[Intent, QueueName]
    complaint_needs: Mapping[int, frozenset[Need]]
    clocks: Mapping[int, CaseClock]
    reopen_within: timedelta
    routing: RoutingPolicy
    bot: BotPolicy
    skills: Mapping[str, Mapping[str, str]]  # skill → titles by language
    shop: Mapping[str, str]  # the shop's name by language
    raw_kept: timedelta
    hours: Hours
    crisis: CrisisPolicy
    knowledge: KnowledgePolicy = KnowledgePolicy()
    coach: CoachPolicy = field(default_factory=CoachPolicy)

    def queue(self, name: QueueName) -> QueuePolicy:
        """Return the queue, or the default one if it is no longer configured."""
        return self.queues.get(name) or self.queues[self.default_queue]

    def answer_within(
        self, queue: QueueName, channel: ChannelName, *, complains: bool
    ) -> timedelta:
        """Return the target of the first answer: the shortest of queue, channel and complaint."""
        within = self.queue(queue).answer_within
        within = min(within, self.routing.answer_within.get(channel, within))
        return min(within, self.routing.complaint_within) if complains else within

    def due(
        self, queue: QueueName, channel: ChannelName, since: datetime, *, complains: bool
    ) -> datetime:
        """Return when an answer to words of ``since`` is due, counted in the queue's hours."""
        within = self.answer_within(queue, channel, complains=complains)
        return self.queue(queue).hours.after(since, within)
