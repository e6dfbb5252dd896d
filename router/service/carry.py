"""What the router decided is carried out: each decision in a transaction of its own.

A handover in ignorance is refused here: if the person has a newer case event than the decision had
seen, or an interaction that nobody has read, the reservation raises `Conflict` and is decided anew.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from router.domain.conversation import (
    Conversation,
    HandToBot,
    Offer,
    Offered,
    Queued,
    Release,
    step,
)
from router.domain.events import Happened
from router.domain.floor import EPSILON
from router.domain.ids import AccountName, AgentId, CaseId, QueueName, ReservationId
from router.domain.plan import begun
from router.domain.policy import ShopPolicy
from router.domain.routing import Decision, Follow, GiveToBot, Lapse, OfferTo, Overflow
from router.domain.workforce import Presence
from router.service.ports import Conflict
from router.service.records import Alert, DecisionRecord, Reservation
from router.service.unit import Unit

#: The lease that the one dispatcher holds.
LEASE = "dispatcher"

#: Which share of an agent's attention a conversation on an account takes.
WeightOf = Callable[[AccountName], float]


def carry_out(
    unit: Unit,
    decision: Decision,
    *,
    seen_seq: int,
    fence: int,
    policy: ShopPolicy,
    weights: WeightOf,
    at: datetime,
) -> None:
    """Make a decision true, or raise Conflict if the world has moved on since it was taken."""
    lease = unit.journal.leased(LEASE)
    if lease is None or lease.fence != fence:
        raise Conflict("another daemon routes now")
    match decision:
        case OfferTo():
            _offer(unit, decision, seen_seq, fence, policy=policy, weights=weights, at=at)
        case GiveToBot():
            _to_bot(unit, decision, seen_seq, at=at)
        case Overflow():
            _overflow(unit, decision, seen_seq, policy=policy, at=at)
        case Follow():
            _follow(unit, decision, seen_seq, policy=policy, at=at)
        case Lapse():
            _lapse(unit, decision, policy=policy, at=at)
        case _ as never:
            assert_never(never)


def check_aware(unit: Unit, held: Conversation, case_version: int) -> tuple[CaseId, ...]:
    """Return the person's open cases, or raise Conflict if the decision had not seen them all."""
    unit.contacts.lock(held.contact)
    if unit.contacts.case_version(held.contact) != case_version:
        raise Conflict("the person's complaints have changed since this was decided")
    members = unit.contacts.members(held.contact)
    if unit.conversations.unread_of(members):
        raise Conflict("something of this person has not been read yet")
    return tuple(case.id for case in unit.cases.open_of(members))


def load_of(unit: Unit, agent: AgentId, weights: WeightOf) -> float:
    """Return the capacity that an agent's conversations take now, by the tables."""
    return unit.workforce.load(agent, weights)


def _offer(
    unit: Unit,
    decision: OfferTo,
    seen_seq: int,
    fence: int,
    *,
    policy: ShopPolicy,
    weights: WeightOf,
    at: datetime,
) -> None:
    held = unit.conversations.get(decision.conversation)
    cases = check_aware(unit, held, decision.case_version)
    agent = unit.workforce.lock(decision.agent)
    if not agent.active or agent.presence is not Presence.AVAILABLE:
        raise Conflict("the agent takes no work now")
    held = unit.conversations.get(decision.conversation)
    if not isinstance(held.state, Queued):
        raise Conflict("the conversation no longer waits")
    weight = weights(held.account)
    if load_of(unit, agent.id, weights) + weight > agent.capacity + EPSILON:
        raise Conflict("the agent has no room left")
    reservation = ReservationId(unit.new_id())
    until = at + policy.routing.offer_lasts
    state = step(held.state, Offer(reservation=reservation, agent=agent.id, at=at, until=until))
    unit.conversations.save(replace(held, state=state))
    unit.workforce.reserve(
        Reservation(
            id=reservation,
            conversation=held.id,
            agent=agent.id,
            weight=weight,
            offered_at=at,
            until=until,
            ended="",
            ended_at=None,
            seen_seq=seen_seq,
            fence=fence,
        )
    )
    decided = _decided(
        unit,
        "offer",
        held,
        decision,
        seen_seq=seen_seq,
        cases=cases,
        at=at,
        reservation=reservation,
    )
    _log(
        unit,
        "offer_made",
        held,
        at=at,
        agent=agent.id,
        reservation=reservation,
        decision=decided,
    )


def _to_bot(unit: Unit, decision: GiveToBot, seen_seq: int, *, at: datetime) -> None:
    held = unit.conversations.get(decision.conversation)
    cases = check_aware(unit, held, decision.case_version)
    if cases:
        raise Conflict("a contact with an open complaint is not given to the bot")
    held = unit.conversations.get(decision.conversation)
    if not isinstance(held.state, Queued) or not held.bot_ok:
        raise Conflict("the conversation no longer waits for the bot")
    unit.conversations.save(replace(held, state=step(held.state, HandToBot(at=at))))
    decided = _decided(unit, "bot", held, decision, seen_seq=seen_seq, cases=cases, at=at)
    _log(unit, "handed_to_bot", held, at=at, decision=decided)


def _overflow(
    unit: Unit, decision: Overflow, seen_seq: int, *, policy: ShopPolicy, at: datetime
) -> None:
    held = unit.conversations.get(decision.conversation)
    unit.contacts.lock(held.contact)
    held = unit.conversations.get(decision.conversation)
    if not isinstance(held.state, Queued) or held.queue == decision.to:
        raise Conflict("the conversation no longer waits in that queue")
    needs = {need.skill: need for need in held.needs}
    for need in policy.queue(held.queue).needs:
        needs.pop(need.skill, None)
    for need in policy.queue(decision.to).needs:
        needs[need.skill] = need
    unit.conversations.save(
        replace(held, queue=QueueName(decision.to), needs=frozenset(needs.values()))
    )
    _decided(unit, "overflow", held, decision, seen_seq=seen_seq, cases=(), at=at)
    _log(unit, "conversation_overflowed", held, at=at, to=decision.to, since=held.queue)


def _follow(
    unit: Unit, decision: Follow, seen_seq: int, *, policy: ShopPolicy, at: datetime
) -> None:
    held = unit.conversations.get(decision.conversation)
    unit.contacts.lock(held.contact)
    held = unit.conversations.get(decision.conversation)
    if not isinstance(held.state, Queued) or held.queue != decision.queue:
        raise Conflict("the conversation no longer waits in that queue")
    now = held.plan if held.plan is not None and held.plan.queue == held.queue else None
    if decision.number == 0:
        if now is not None:
            raise Conflict("the plan has begun")
        begins = begun(held.queue, policy.queue(held.queue).plan, held.state.since)
        unit.conversations.save(replace(held, plan=begins))
        return
    if now is None or now.number + 1 != decision.number:
        raise Conflict("the plan stands at another step")
    unit.conversations.save(replace(held, plan=replace(now, number=decision.number, since=at)))
    _decided(unit, "plan", held, decision, seen_seq=seen_seq, cases=(), at=at)
    _log(unit, "plan_followed", held, at=at, step=decision.number)


def _lapse(unit: Unit, decision: Lapse, *, policy: ShopPolicy, at: datetime) -> None:
    held = unit.conversations.get(decision.conversation)
    unit.contacts.lock(held.contact)
    held = unit.conversations.get(decision.conversation)
    if not isinstance(held.state, Offered) or held.state.reservation != decision.reservation:
        raise Conflict("the offer was answered")
    if held.state.until > at:
        raise Conflict("the offer still stands")
    state = step(held.state, Release(reservation=decision.reservation, at=at))
    unit.conversations.save(replace(held, state=state, excluded=held.excluded | {decision.agent}))
    unit.workforce.end_reservation(decision.reservation, how="lapsed", at=at)
    _log(unit, "offer_lapsed", held, at=at, agent=decision.agent, reservation=decision.reservation)
    _count_lapse(unit, decision.agent, policy=policy, at=at)


def _count_lapse(unit: Unit, agent_id: AgentId, *, policy: ShopPolicy, at: datetime) -> None:
    """An agent who lets offers lapse is not there: set away, and tell the supervisors."""
    agent = unit.workforce.lock(agent_id)
    lapses = agent.lapses + 1
    away = lapses >= policy.routing.lapses_until_away and agent.presence is Presence.AVAILABLE
    if not away:
        unit.workforce.save(replace(agent, lapses=lapses))
        return
    unit.workforce.save(replace(agent, lapses=0, presence=Presence.LAPSED, presence_since=at))
    unit.record(
        Happened(kind="presence_changed", agent=agent_id, facts={"presence": "lapsed"}), at=at
    )
    unit.journal.alert(
        Alert(
            id=unit.new_id(),
            at=at,
            agent=None,
            kind="agent_lapsed",
            conversation=None,
            case=None,
            facts={"agent": agent_id, "name": agent.name},
            seen_at=None,
        )
    )


def _decided(
    unit: Unit,
    kind: str,
    held: Conversation,
    decision: OfferTo | GiveToBot | Overflow | Follow,
    *,
    seen_seq: int,
    cases: tuple[CaseId, ...],
    at: datetime,
    reservation: ReservationId | None = None,
) -> str:
    """Keep a decision and return its id, which the event of the handover names."""
    decision_id = unit.new_id()
    unit.journal.decide(
        DecisionRecord(
            id=decision_id,
            at=at,
            kind=kind,
            conversation=held.id,
            agent=decision.agent if isinstance(decision, OfferTo) else None,
            reservation=reservation,
            because=decision.because,
            seen_seq=seen_seq,
            cases=cases,
        )
    )
    return decision_id


def _log(
    unit: Unit,
    kind: str,
    held: Conversation,
    *,
    at: datetime,
    agent: AgentId | None = None,
    **facts: object,
) -> None:
    unit.record(
        Happened(
            kind=kind,
            contact=held.contact,
            conversation=held.id,
            agent=agent,
            facts={key: str(value) for key, value in facts.items()},
        ),
        at=at,
    )
