"""What a supervisor does: reassign, take over, raise priority, close what nobody should answer."""

from dataclasses import replace
from datetime import datetime

from router.domain.conversation import (
    Close,
    Closed,
    Conversation,
    Queued,
    Requeue,
    WithAgent,
    WithBot,
    WrapUp,
    responsible,
    step,
)
from router.domain.errors import IllegalStep, Invalid
from router.domain.events import Happened
from router.domain.ids import AgentId, ConversationId, QueueName
from router.domain.policy import ShopPolicy
from router.service.awareness import withdraw
from router.service.desk import give
from router.service.unit import Unit

#: The most steps that a conversation's priority can be raised or lowered by.
MOST_PRIORITY = 3


def _locked(unit: Unit, conversation: ConversationId) -> Conversation:
    unit.contacts.lock(unit.conversations.get(conversation).contact)
    held = unit.conversations.get(conversation)
    if isinstance(held.state, Closed):
        raise IllegalStep("the conversation is closed")
    return held


def reassign(
    unit: Unit,
    *,
    conversation: ConversationId,
    to: AgentId,
    by: AgentId,
    seen_seq: int,
    at: datetime,
) -> Conversation:
    """Give a conversation to an agent, wherever it stands now."""
    held = _locked(unit, conversation)
    if responsible(held.state) == to and isinstance(held.state, WithAgent):
        raise IllegalStep("the agent has this conversation already")
    return give(unit, held, to=to, by=by, seen_seq=seen_seq, at=at)


def take_over(
    unit: Unit, *, conversation: ConversationId, by: AgentId, seen_seq: int, at: datetime
) -> Conversation:
    """Take a conversation into one's own hands."""
    return reassign(unit, conversation=conversation, to=by, by=by, seen_seq=seen_seq, at=at)


def requeue(
    unit: Unit,
    *,
    conversation: ConversationId,
    queue: QueueName,
    by: AgentId,
    policy: ShopPolicy,
    at: datetime,
) -> Conversation:
    """Put a conversation back in line; who had it before may get it again."""
    if queue not in policy.queues:
        raise Invalid(f"queue: {queue} is not a queue")
    held = _locked(unit, conversation)
    held = withdraw(unit, held, why="requeued", at=at)
    state = held.state if isinstance(held.state, Queued) else step(held.state, Requeue(at=at))
    saved = unit.conversations.save(
        replace(
            held,
            state=state,
            queue=queue,
            needs=held.needs | policy.queue(queue).needs,
            excluded=frozenset(),
            bot_ok=False,
        )
    )
    _log(unit, "conversation_queued", saved, by=by, at=at, queue=queue)
    return saved


def set_priority(
    unit: Unit, *, conversation: ConversationId, priority: int, by: AgentId, at: datetime
) -> Conversation:
    """Raise or lower a conversation in line, from -3 to 3 steps."""
    if not -MOST_PRIORITY <= priority <= MOST_PRIORITY:
        raise Invalid(f"priority: must be from -{MOST_PRIORITY} to {MOST_PRIORITY}")
    held = _locked(unit, conversation)
    saved = unit.conversations.save(replace(held, priority=priority))
    _log(unit, "priority_raised", saved, by=by, at=at, priority=priority)
    return saved


def close(
    unit: Unit, *, conversation: ConversationId, by: AgentId, why: str, at: datetime
) -> Conversation:
    """Close a conversation that nobody has to answer; the person's open cases stay open."""
    held = _locked(unit, conversation)
    held = withdraw(unit, held, why="closed", at=at)
    if not isinstance(held.state, Queued | WithBot | WrapUp):
        raise IllegalStep("an agent has this conversation; take it over first")
    saved = unit.conversations.save(
        replace(
            held,
            state=step(held.state, Close(at=at)),
            closed_at=at,
            waiting_since=None,
            disposition="closed_by_supervisor",
            disposition_note=why,
        )
    )
    _log(unit, "conversation_closed", saved, by=by, at=at)
    return saved


def _log(
    unit: Unit, kind: str, held: Conversation, *, by: AgentId, at: datetime, **facts: object
) -> None:
    unit.record(
        Happened(
            kind=kind,
            contact=held.contact,
            conversation=held.id,
            agent=by,
            facts={key: str(value) for key, value in facts.items()},
        ),
        at=at,
    )
