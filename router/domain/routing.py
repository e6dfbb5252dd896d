"""Deciding who gets which conversation: lapses, the bot, offers, overflow; and because of what.

The score is in `router.domain.score`, the match over the floor's tables in
`router.domain.matching`. Complaints go first and never wait for a better match. Pure: the same
floor, policy and time give the same decisions.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from router.domain.floor import Floor, Held, Holding
from router.domain.ids import AgentId, ConversationId, QueueName, ReservationId
from router.domain.index import Index, index_of
from router.domain.matching import Matched, Matching
from router.domain.plan import Following
from router.domain.policy import ShopPolicy
from router.domain.reasons import Reasons
from router.domain.score import Score, excluded, misfit, overdue, score, target, urgency, weight_of


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
class Follow:
    """Go on in the plan of its queue, to step ``number``; 0 begins it."""

    conversation: ConversationId
    queue: QueueName
    number: int
    because: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapse:
    """End an offer that nobody answered."""

    conversation: ConversationId
    agent: AgentId
    reservation: ReservationId
    because: Mapping[str, Any] = field(default_factory=dict)


Decision: TypeAlias = OfferTo | GiveToBot | Overflow | Follow | Lapse

#: The floor is looked at again after so many seconds whatever happens: forecasts move on.
_LONGEST = 60.0


def decide(floor: Floor, policy: ShopPolicy, now: datetime) -> tuple[Decision, ...]:
    """Return what to do now: lapses first, then the bot, then offers, then overflow.

    The floor is left as it was.
    """
    index = index_of(floor, policy)
    matching = Matching(index, index.prices(floor.forecast, now), now)
    offers = tuple(_offer(index, match, now) for match in matching)
    index.again = now + timedelta(seconds=min(matching.quiet, _LONGEST))
    offered = {each.conversation for each in offers}
    return (
        *_lapses(floor, now),
        *_to_bot(index),
        *offers,
        *_overflows(index, offered, now),
        *_follows(index, offered, now),
    )


def _lapses(floor: Floor, now: datetime) -> Iterator[Lapse]:
    for held in sorted(floor.offers(), key=lambda each: each.conversation):
        if held.reservation is not None and held.until is not None and held.until <= now:
            yield Lapse(
                conversation=held.conversation,
                agent=held.agent,
                reservation=held.reservation,
                because={"offered_until": held.until.isoformat()},
            )


def _to_bot(index: Index) -> Iterator[GiveToBot]:
    for name in sorted(index.for_bot):
        yield GiveToBot(
            conversation=name,
            case_version=index.waiting[name].case_version,
            because={"rule": "bot_first", "open_cases": 0},
        )


def _offer(index: Index, match: Matched, now: datetime) -> OfferTo:
    waiting = index.waiting[match.conversation]
    return OfferTo(
        conversation=waiting.conversation,
        agent=match.agent,
        weight=index.policy.routing.family_weight[waiting.family],
        case_version=waiting.case_version,
        because=Reasons(index, waiting, match, now),
    )


def _overflows(index: Index, offered: set[ConversationId], now: datetime) -> Iterator[Overflow]:
    moment = now.timestamp()
    for since, name in index.overflows:
        if since > moment:
            return
        waiting = index.waiting[name]
        to = index.policy.queue(waiting.queue).overflow_to
        if name in offered or name in index.for_bot or waiting.unread or to is None:
            continue
        waited = round((now - waiting.since).total_seconds(), 1)
        yield Overflow(conversation=name, to=to, because={"waited_s": waited})


def _follows(index: Index, offered: set[ConversationId], now: datetime) -> Iterator[Follow]:
    """Yield the plans that go on: their step is over, or nobody can keep it."""
    moment = now.timestamp()
    for turn, name in index.turns:
        waiting = index.waiting[name]
        plan = waiting.plan
        if plan is None or name in index.for_bot or (name in offered and not waiting.begins_plan):
            continue
        if waiting.begins_plan:
            yield Follow(conversation=name, queue=plan.queue, number=0, because=_stood(plan, ""))
            continue
        if turn > moment and not (plan.step.previous and index.is_away(waiting.previous)):
            continue
        here = not plan.step.previous or not index.is_away(waiting.previous)
        why = "over" if here else "previous_away"
        yield Follow(
            conversation=name,
            queue=plan.queue,
            number=plan.number + 1,
            because=_stood(plan, why),
        )


def _stood(plan: Following, why: str) -> Mapping[str, Any]:
    return {"step": plan.number, "steps": len(plan.steps), "why": why}


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
        ends = waiting.plan.ends(waiting.since) if waiting.plan is not None else None
        if ends is not None:
            moments.append(ends)
    later = [moment for moment in moments if moment > now]
    return min(later, default=None)


__all__ = [
    "Decision",
    "Follow",
    "GiveToBot",
    "Lapse",
    "OfferTo",
    "Overflow",
    "Score",
    "decide",
    "excluded",
    "made",
    "misfit",
    "next_deadline",
    "overdue",
    "score",
    "target",
    "urgency",
    "weight_of",
]
