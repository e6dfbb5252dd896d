"""What an agent does: presence, accept, decline, finish, wrap up, park, transfer."""

from dataclasses import replace
from datetime import datetime

from router.domain.conversation import (
    Accept,
    Close,
    Conversation,
    Finish,
    Offered,
    Park,
    Release,
    Requeue,
    Resume,
    Take,
    WithAgent,
    responsible,
    step,
)
from router.domain.errors import IllegalStep, Invalid, NotYours
from router.domain.events import Happened
from router.domain.ids import AgentId, ConversationId, QueueName, ReservationId
from router.domain.policy import ShopPolicy
from router.domain.workforce import Agent, Need, Presence
from router.service.cases import own
from router.service.records import DecisionRecord
from router.service.reply import note
from router.service.unit import Unit

#: What an agent may record as the outcome of a conversation.
DISPOSITIONS = (
    "answered",
    "order_changed",
    "refund_started",
    "return_started",
    "complaint_taken",
    "follow_up",
    "no_reply",
    "spam",
)


def set_presence(
    unit: Unit, *, agent: AgentId, presence: Presence, by: AgentId, at: datetime
) -> Agent:
    """Say whether an agent takes work. What the agent has in hand stays there."""
    if presence is Presence.LAPSED:
        raise Invalid("presence: lapsed is the router's word; say away")
    held = unit.workforce.lock(agent)
    if held.presence is presence:
        return held
    changed = replace(held, presence=presence, presence_since=at, lapses=0)
    saved = unit.workforce.save(changed)
    unit.record(
        Happened(kind="presence_changed", agent=agent, facts={"presence": presence, "by": by}),
        at=at,
    )
    return saved


def accept(unit: Unit, *, reservation: ReservationId, by: AgentId, at: datetime) -> Conversation:
    """Take what was offered. Open cases that nobody owns become the agent's.

    Raises IllegalStep if the offer has ended, NotYours if it was made to somebody else.
    """
    offer = unit.workforce.reservation(reservation)
    if offer.agent != by:
        raise NotYours("this offer was made to another agent")
    held = _locked(unit, offer.conversation)
    if offer.ended:
        raise IllegalStep(f"the offer has ended: {offer.ended}")
    state = step(held.state, Accept(reservation=reservation, at=at))
    agent = unit.workforce.lock(by)
    if agent.lapses:
        unit.workforce.save(replace(agent, lapses=0))
    unit.workforce.end_reservation(reservation, how="accepted", at=at)
    saved = unit.conversations.save(replace(held, state=state, previous_agent=by))
    _log(unit, "offer_accepted", saved, agent=by, at=at, reservation=reservation)
    own_open_cases(unit, saved, by=by, at=at)
    return saved


def own_open_cases(unit: Unit, held: Conversation, *, by: AgentId, at: datetime) -> None:
    """Whoever takes a conversation takes the person's ownerless complaints with it."""
    for case in unit.cases.open_of(unit.contacts.members(held.contact)):
        if case.owner is None:
            own(unit, case=case.id, owner=by, by=by, at=at)


def decline(
    unit: Unit, *, reservation: ReservationId, by: AgentId, why: str, at: datetime
) -> Conversation:
    """Refuse an offer; it goes to another agent, and the contact keeps the place in line."""
    offer = unit.workforce.reservation(reservation)
    if offer.agent != by:
        raise NotYours("this offer was made to another agent")
    held = _locked(unit, offer.conversation)
    if offer.ended:
        raise IllegalStep(f"the offer has ended: {offer.ended}")
    state = step(held.state, Release(reservation=reservation, at=at))
    unit.workforce.end_reservation(reservation, how="declined", at=at)
    saved = unit.conversations.save(replace(held, state=state, excluded=held.excluded | {by}))
    _log(unit, "offer_declined", saved, agent=by, at=at, reservation=reservation, why=why)
    return saved


def finish(unit: Unit, *, conversation: ConversationId, by: AgentId, at: datetime) -> Conversation:
    """The conversation itself is over; the agent records what came of it."""
    held = _mine(unit, conversation, by)
    saved = unit.conversations.save(
        replace(held, state=step(held.state, Finish(at=at)), waiting_since=None)
    )
    _log(unit, "wrap_up_started", saved, agent=by, at=at)
    return saved


def wrap_up(
    unit: Unit,
    *,
    conversation: ConversationId,
    by: AgentId,
    disposition: str,
    text: str,
    at: datetime,
) -> Conversation:
    """Record the outcome and close the conversation. The person's open cases stay open."""
    if disposition not in DISPOSITIONS:
        raise Invalid(f"disposition: {disposition!r} is not one of {', '.join(DISPOSITIONS)}")
    held = _mine(unit, conversation, by)
    if isinstance(held.state, WithAgent):
        held = unit.conversations.save(replace(held, state=step(held.state, Finish(at=at))))
    saved = unit.conversations.save(
        replace(
            held,
            state=step(held.state, Close(at=at)),
            closed_at=at,
            waiting_since=None,
            disposition=disposition,
            disposition_note=text,
        )
    )
    _log(unit, "conversation_closed", saved, agent=by, at=at, disposition=disposition)
    return saved


def park(
    unit: Unit, *, conversation: ConversationId, by: AgentId, until: datetime, at: datetime
) -> Conversation:
    """Put a conversation aside until a time; the contact's next word wakes it."""
    if until <= at:
        raise Invalid("until: must be in the future")
    held = _mine(unit, conversation, by)
    saved = unit.conversations.save(replace(held, state=step(held.state, Park(at=at, until=until))))
    _log(unit, "conversation_parked", saved, agent=by, at=at, until=until.isoformat())
    return saved


def resume(unit: Unit, *, conversation: ConversationId, by: AgentId, at: datetime) -> Conversation:
    """Go on with a conversation that is in wrap-up or was put aside."""
    held = _mine(unit, conversation, by)
    saved = unit.conversations.save(replace(held, state=step(held.state, Resume(at=at))))
    _log(unit, "conversation_resumed", saved, agent=by, at=at)
    return saved


def transfer(
    unit: Unit,
    *,
    conversation: ConversationId,
    by: AgentId,
    to_agent: AgentId | None,
    to_queue: QueueName | None,
    why: str,
    policy: ShopPolicy,
    seen_seq: int,
    at: datetime,
) -> Conversation:
    """Hand a conversation to a colleague or to a queue, with everything that was said.

    A colleague gets it at once; in a queue the router finds the next person, who is not the one
    that gave it away.
    """
    if (to_agent is None) == (to_queue is None):
        raise Invalid("to: name either an agent or a queue")
    held = _mine(unit, conversation, by)
    if why.strip():
        note(unit, conversation=conversation, by=by, text=why, at=at)
        held = unit.conversations.get(conversation)
    if to_agent is not None:
        return give(unit, held, to=to_agent, by=by, seen_seq=seen_seq, at=at)
    if to_queue is None or to_queue not in policy.queues:
        raise Invalid(f"to_queue: {to_queue} is not a queue")
    saved = unit.conversations.save(
        replace(
            held,
            state=step(held.state, Requeue(at=at)),
            queue=to_queue,
            needs=policy.queue(to_queue).needs | _kept(held, policy),
            excluded=held.excluded | {by},
            bot_ok=False,
        )
    )
    _log(unit, "conversation_transferred", saved, agent=by, at=at, to=to_queue)
    return saved


def _kept(held: Conversation, policy: ShopPolicy) -> frozenset[Need]:
    """Return the needs that come from complaints: they go along to any queue."""
    names = {need.skill for needs in policy.complaint_needs.values() for need in needs}
    return frozenset(need for need in held.needs if need.skill in names)


def give(
    unit: Unit,
    held: Conversation,
    *,
    to: AgentId,
    by: AgentId,
    seen_seq: int,
    at: datetime,
) -> Conversation:
    """Put a conversation into an agent's hands by a person's word, complaints and all."""
    agent = unit.workforce.lock(to)
    if not agent.active:
        raise Invalid(f"to_agent: {agent.name} is no longer active")
    if isinstance(held.state, Offered):
        unit.workforce.end_reservation(held.state.reservation, how="withdrawn", at=at)
    before = responsible(held.state)
    saved = unit.conversations.save(
        replace(
            held,
            state=step(held.state, Take(agent=to, at=at)),
            previous_agent=to,
            bot_ok=False,
        )
    )
    cases = unit.cases.open_of(unit.contacts.members(held.contact))
    decided = unit.new_id()
    unit.journal.decide(
        DecisionRecord(
            id=decided,
            at=at,
            kind="by_hand",
            conversation=held.id,
            agent=to,
            reservation=None,
            because={"by": by, "from": before or ""},
            seen_seq=seen_seq,
            cases=tuple(case.id for case in cases),
        )
    )
    kind = "conversation_taken" if to == by else "conversation_transferred"
    _log(unit, kind, saved, agent=to, at=at, by=by, decision=decided)
    own_open_cases(unit, saved, by=to, at=at)
    return saved


def _locked(unit: Unit, conversation: ConversationId) -> Conversation:
    unit.contacts.lock(unit.conversations.get(conversation).contact)
    return unit.conversations.get(conversation)


def _mine(unit: Unit, conversation: ConversationId, by: AgentId) -> Conversation:
    held = _locked(unit, conversation)
    if responsible(held.state) != by:
        raise NotYours("another agent has this conversation")
    return held


def _log(
    unit: Unit,
    kind: str,
    held: Conversation,
    *,
    agent: AgentId,
    at: datetime,
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
