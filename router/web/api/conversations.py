"""Conversations: found, read, handed on, closed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Self

import msgspec
from msgspec import Meta

from router.channel.contract import Audience
from router.domain.errors import Invalid
from router.domain.ids import AgentId, ConversationId, QueueName
from router.domain.timeline import Interaction
from router.domain.workforce import Role
from router.service import desk, supervise
from router.service.cards import Card, cards_of
from router.service.desktop import OpenConversation, open_conversation
from router.service.records import DecisionRecord
from router.service.room import ReplyWay
from router.service.unit import Unit
from router.web.api.cards import CardShape, StoryShape
from router.web.api.mine import WhyBody
from router.web.api.operations import Asked, Operations
from router.web.api.shapes import (
    ConversationShape,
    DecisionShape,
    InteractionShape,
    PersonShape,
    Shape,
)

operations = Operations("conversations")

Limit = Annotated[int, Meta(ge=1, le=200)]


class ListQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Which open conversations; ``state`` is the name of a state, ``after`` pages by key."""

    queue: str = ""
    channel: str = ""
    account: str = ""
    state: str = ""
    agent: str = ""
    words: str = ""
    after: str = ""
    limit: Limit = 50


class ConversationList(Shape, frozen=True):
    """A page of conversations, oldest first; ``next`` is the next page's ``after``."""

    conversations: tuple[CardShape, ...]
    next: str = ""


class RoomShape(Shape, frozen=True):
    """Whether the platform lets us write now; ``why`` is a code when it does not."""

    allowed: bool
    why: str
    closes_at: datetime | None
    sends_left: int | None


class WayShape(Shape, frozen=True):
    """One way to answer: who may read it, and whether it is open now."""

    audience: Audience
    room: RoomShape

    @classmethod
    def of(cls, value: ReplyWay) -> Self:
        """Return the way."""
        return cls(audience=value.audience, room=RoomShape.of(value.room))


class OpenShape(Shape, frozen=True):
    """A conversation laid open, with the person's history over every channel."""

    card: CardShape
    said: tuple[InteractionShape, ...]
    timeline: tuple[InteractionShape, ...]
    stories: tuple[StoryShape, ...]
    person: PersonShape
    room: RoomShape
    ways: tuple[WayShape, ...]
    decisions: tuple[DecisionShape, ...]
    agent_names: dict[str, str]


class SaidQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Which part of a conversation: with seq after ``after`` and before ``before``."""

    after: Annotated[int, Meta(ge=0)] = 0
    before: int | None = None
    limit: Limit = 100


class TransferBody(msgspec.Struct, forbid_unknown_fields=True):
    """To whom or where: exactly one of ``agent`` and ``queue``; ``why`` is kept as a note."""

    agent: str | None = None
    queue: str | None = None
    why: str = ""


class ParkBody(msgspec.Struct, forbid_unknown_fields=True):
    """Until when: a time, or in so many minutes."""

    until: datetime | None = None
    minutes: Annotated[int, Meta(ge=1, le=43_200)] | None = None


class WrapUpBody(msgspec.Struct, forbid_unknown_fields=True):
    """What came of it."""

    disposition: str
    text: str = ""


class AssignBody(msgspec.Struct, forbid_unknown_fields=True):
    """To whom."""

    agent: str


class QueueBody(msgspec.Struct, forbid_unknown_fields=True):
    """Which queue."""

    queue: str


class PriorityBody(msgspec.Struct, forbid_unknown_fields=True):
    """Steps of priority, from -3 to 3."""

    priority: int


def _id(asked: Asked) -> ConversationId:
    return ConversationId(asked.part("conversation"))


async def _do(asked: Asked, verb: Any, **given: Any) -> ConversationShape:
    """Carry out a verb of the desk or of the supervisor on the conversation of the path."""
    held = await asked.deps.store.transact(
        verb, conversation=_id(asked), by=asked.agent.id, at=asked.at, **given
    )
    return ConversationShape.of(held)


@operations.add("GET", "/conversations", answer=ConversationList, query=ListQuery)
async def list_conversations(asked: Asked) -> ConversationList:
    """List open conversations, oldest first, with the open complaints of each person."""
    wished: ListQuery = asked.query
    cards = await asked.deps.store.read(_listed, wished, policy=asked.deps.policy, at=asked.at)
    shown = cards[: wished.limit]
    more = len(cards) > wished.limit
    return ConversationList(
        conversations=tuple(map(CardShape.of, shown)),
        next=shown[-1].conversation.id if more else "",
    )


def _listed(unit: Unit, /, wished: ListQuery, **given: Any) -> tuple[Card, ...]:
    held = sorted(unit.conversations.open(), key=lambda each: each.id)
    fits = [
        each
        for each in held
        if each.id > wished.after
        and wished.queue in {"", each.queue}
        and wished.channel in {"", each.channel}
        and wished.account in {"", each.account}
        and wished.state in {"", type(each.state).__name__}
        and (not wished.agent or getattr(each.state, "agent", "") == wished.agent)
    ]
    found: list[Card] = []
    words = wished.words.casefold()
    for start in range(0, len(fits), 200):
        for card in cards_of(unit, tuple(fits[start : start + 200]), **given):
            text = f"{card.contact_name}\n{card.last}\n{card.conversation.external_id}"
            if words in text.casefold():
                found.append(card)
        if len(found) > wished.limit:
            break
    return tuple(found[: wished.limit + 1])


@operations.add("GET", "/conversations/{conversation}", answer=OpenShape)
async def get_conversation(asked: Asked) -> OpenShape:
    """Lay a conversation open: what was said, and the person's history over every channel."""
    found: OpenConversation = await asked.deps.store.read(
        open_conversation,
        conversation=_id(asked),
        policy=asked.deps.policy,
        capabilities=asked.deps.capabilities,
        at=asked.at,
    )
    return OpenShape(
        card=CardShape.of(found.card),
        said=tuple(map(InteractionShape.of, found.said)),
        timeline=tuple(map(InteractionShape.of, found.timeline)),
        stories=tuple(map(StoryShape.of, found.stories)),
        person=PersonShape.of(found.person),
        room=RoomShape.of(found.room),
        ways=tuple(map(WayShape.of, found.ways)),
        decisions=tuple(map(DecisionShape.of, found.decisions)),
        agent_names={str(agent): name for agent, name in found.agent_names.items()},
    )


@operations.add(
    "GET",
    "/conversations/{conversation}/interactions",
    answer=tuple[InteractionShape, ...],
    query=SaidQuery,
)
async def list_said(asked: Asked) -> tuple[InteractionShape, ...]:
    """List what was said in a conversation, in order."""
    wished: SaidQuery = asked.query
    said = await asked.deps.store.read(_said, _id(asked), wished)
    return tuple(map(InteractionShape.of, said))


def _said(unit: Unit, conversation: ConversationId, wished: SaidQuery) -> Sequence[Interaction]:
    unit.conversations.get(conversation)
    return unit.conversations.said_in(
        conversation, after=wished.after, before=wished.before, limit=wished.limit
    )


@operations.add("GET", "/conversations/{conversation}/decisions", answer=tuple[DecisionShape, ...])
async def list_decisions(asked: Asked) -> tuple[DecisionShape, ...]:
    """List the decisions on a conversation, newest first, each with its reasons."""
    found = await asked.deps.store.read(_decisions, _id(asked))
    return tuple(map(DecisionShape.of, found))


def _decisions(unit: Unit, conversation: ConversationId) -> tuple[DecisionRecord, ...]:
    unit.conversations.get(conversation)
    return unit.journal.decisions(conversation)


# ----- handing on ---------------------------------------------------------------------------------


@operations.add(
    "POST",
    "/conversations/{conversation}/transfer",
    answer=ConversationShape,
    body=TransferBody,
)
async def transfer_conversation(asked: Asked) -> ConversationShape:
    """Hand a conversation that one has to a colleague or to a queue, with everything said."""
    body: TransferBody = asked.body
    return await _do(
        asked,
        _transferred,
        to_agent=AgentId(body.agent) if body.agent else None,
        to_queue=QueueName(body.queue) if body.queue else None,
        why=body.why,
        policy=asked.deps.policy,
    )


def _transferred(unit: Unit, **given: Any) -> Any:
    return desk.transfer(unit, seen_seq=unit.journal.seq(), **given)


@operations.add(
    "POST", "/conversations/{conversation}/park", answer=ConversationShape, body=ParkBody
)
async def park_conversation(asked: Asked) -> ConversationShape:
    """Put a conversation aside until a time; the contact's next word wakes it."""
    body: ParkBody = asked.body
    until = body.until
    if body.minutes is not None:
        until = asked.at + timedelta(minutes=body.minutes)
    if until is None or until.tzinfo is None:
        raise Invalid("until: give a time with a zone, or minutes")
    return await _do(asked, desk.park, until=until)


@operations.add("POST", "/conversations/{conversation}/resume", answer=ConversationShape)
async def resume_conversation(asked: Asked) -> ConversationShape:
    """Go on with a conversation that is in wrap-up or was put aside."""
    return await _do(asked, desk.resume)


@operations.add("POST", "/conversations/{conversation}/finish", answer=ConversationShape)
async def finish_conversation(asked: Asked) -> ConversationShape:
    """Say that the conversation itself is over; wrap-up begins."""
    return await _do(asked, desk.finish)


@operations.add(
    "POST", "/conversations/{conversation}/wrap-up", answer=ConversationShape, body=WrapUpBody
)
async def wrap_up_conversation(asked: Asked) -> ConversationShape:
    """Record what came of it and close the conversation; open cases stay open."""
    body: WrapUpBody = asked.body
    return await _do(asked, desk.wrap_up, disposition=body.disposition, text=body.text)


@operations.add(
    "POST",
    "/conversations/{conversation}/assign",
    answer=ConversationShape,
    body=AssignBody,
    role=Role.SUPERVISOR,
)
async def assign_conversation(asked: Asked) -> ConversationShape:
    """Give a conversation to an agent, wherever it stands."""
    return await _do(asked, _assigned, to=AgentId(asked.body.agent))


def _assigned(unit: Unit, **given: Any) -> Any:
    return supervise.reassign(unit, seen_seq=unit.journal.seq(), **given)


@operations.add(
    "POST",
    "/conversations/{conversation}/take-over",
    answer=ConversationShape,
    role=Role.SUPERVISOR,
)
async def take_over_conversation(asked: Asked) -> ConversationShape:
    """Take a conversation into one's own hands."""
    return await _do(asked, _taken_over)


def _taken_over(unit: Unit, **given: Any) -> Any:
    return supervise.take_over(unit, seen_seq=unit.journal.seq(), **given)


@operations.add(
    "POST",
    "/conversations/{conversation}/requeue",
    answer=ConversationShape,
    body=QueueBody,
    role=Role.SUPERVISOR,
)
async def requeue_conversation(asked: Asked) -> ConversationShape:
    """Put a conversation in line in a queue."""
    queue = QueueName(asked.body.queue)
    return await _do(asked, supervise.requeue, queue=queue, policy=asked.deps.policy)


@operations.add(
    "PUT",
    "/conversations/{conversation}/priority",
    answer=ConversationShape,
    body=PriorityBody,
    role=Role.SUPERVISOR,
)
async def set_priority(asked: Asked) -> ConversationShape:
    """Raise or lower a conversation in line."""
    return await _do(asked, supervise.set_priority, priority=asked.body.priority)


@operations.add(
    "POST",
    "/conversations/{conversation}/close",
    answer=ConversationShape,
    body=WhyBody,
    role=Role.SUPERVISOR,
)
async def close_conversation(asked: Asked) -> ConversationShape:
    """Close a conversation that nobody has to answer; open cases stay open."""
    return await _do(asked, supervise.close, why=asked.body.why)
