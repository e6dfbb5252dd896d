"""Conversations: found, read, answered, handed on, closed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from router.channel.contract import Capabilities
from router.domain.content import Content, Menu, Option, Text
from router.domain.errors import Invalid
from router.domain.ids import AgentId, ConversationId, MediaId, QueueName
from router.domain.timeline import Interaction
from router.domain.workforce import Role
from router.service import desk, supervise
from router.service.board import Card, OpenConversation, cards_of, open_conversation
from router.service.ports import NotFound
from router.service.records import DecisionRecord
from router.service.reply import Said, note, reply
from router.service.unit import Unit
from router.web import uploads
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
from router.web.errors import Denied
from router.web.live import look_up
from router.web.sockets import SOCKETS

operations = Operations("conversations")

KEY_HEADER: Final = "Idempotency-Key"
_LONGEST_KEY: Final = 128
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


class OpenShape(Shape, frozen=True):
    """A conversation laid open, with the person's history over every channel."""

    card: CardShape
    said: tuple[InteractionShape, ...]
    timeline: tuple[InteractionShape, ...]
    stories: tuple[StoryShape, ...]
    person: PersonShape
    room: RoomShape
    decisions: tuple[DecisionShape, ...]
    agent_names: dict[str, str]


class SaidQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Which part of a conversation: with seq after ``after`` and before ``before``."""

    after: Annotated[int, Meta(ge=0)] = 0
    before: int | None = None
    limit: Limit = 100


class ChoiceBody(msgspec.Struct, forbid_unknown_fields=True):
    """One entry of a menu to press."""

    id: str
    label: str


class ReplyBody(msgspec.Struct, forbid_unknown_fields=True):
    """What to say: words; a posted file (``media``), its caption in ``text``; or a menu."""

    text: str = ""
    media: str = ""
    options: tuple[ChoiceBody, ...] = ()


class SaidShape(Shape, frozen=True):
    """A reply as it stands on the timeline and in the outbox."""

    interaction: InteractionShape
    outbox: str


class FileQuery(msgspec.Struct, forbid_unknown_fields=True):
    """What a file is called, and the account that it is for."""

    name: str = ""
    account: str = ""


class FileShape(Shape, frozen=True):
    """A file that was taken; ``media`` is what a reply names it by."""

    media: str
    mime: str
    size: int
    name: str


class TextBody(msgspec.Struct, forbid_unknown_fields=True):
    """Words."""

    text: str


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


# ----- answering ----------------------------------------------------------------------------------


@operations.add(
    "POST",
    "/conversations/{conversation}/replies",
    answer=SaidShape,
    body=ReplyBody,
    keyed=True,
    status=201,
)
async def send_reply(asked: Asked) -> SaidShape:
    """Answer in a conversation that one has in hand.

    The same ``Idempotency-Key`` in the same conversation is the same answer, however often it is
    sent.
    """
    key = asked.request.headers.get(KEY_HEADER, "")
    if len(key) > _LONGEST_KEY or not key.isascii() or (key and not key.isprintable()):
        raise Denied("invalid", 400, detail="1 to 128 printable characters", field=KEY_HEADER)
    conversation = _id(asked)
    said: Said = await asked.deps.store.transact(
        _replied,
        conversation=conversation,
        by=asked.agent.id,
        content=await _content(asked),
        capabilities=asked.deps.capabilities,
        at=asked.at,
        key=f"{conversation}:{key}" if key else "",
    )
    return SaidShape(interaction=InteractionShape.of(said.interaction), outbox=said.outbox)


def _replied(
    unit: Unit, /, *, conversation: ConversationId, capabilities: Any, **given: Any
) -> Said:
    account = unit.conversations.get(conversation).account
    able = capabilities.get(account) or Capabilities(replies=False)
    return reply(unit, conversation=conversation, capabilities=able, **given)


async def _content(asked: Asked) -> Content:
    body: ReplyBody = asked.body
    if body.media and body.options:
        raise Invalid("options: a file cannot have a menu; send two replies")
    if body.options:
        options = tuple(Option(id=each.id, label=each.label) for each in body.options)
        return Menu(text=body.text, options=options)
    if not body.media:
        return Text(text=body.text)
    try:
        row = await asked.deps.store.read(uploads.media_row, MediaId(body.media))
    except NotFound as error:
        raise Invalid("media: post the file first, then name it here") from error
    link = uploads.look_address(asked.deps, row.id)
    return uploads.as_content(row, caption=body.text, link=link)


@operations.add("POST", "/media", answer=FileShape, query=FileQuery, upload=True, status=201)
async def post_file(asked: Asked) -> FileShape:
    """Post a file for a later reply; the body is the file itself."""
    row = await uploads.keep_file(
        asked.deps,
        asked.request.content.iter_chunked(256 * 1024),
        media=MediaId(asked.deps.ids.new()),
        account=asked.query.account,
        name=asked.query.name,
        declared=asked.request.content_length,
    )
    return FileShape(media=row.id, mime=row.mime, size=row.size, name=row.name)


@operations.add(
    "POST",
    "/conversations/{conversation}/notes",
    answer=InteractionShape,
    body=TextBody,
    status=201,
)
async def add_note(asked: Asked) -> InteractionShape:
    """Add a note that only colleagues see."""
    said = await asked.deps.store.transact(
        note,
        conversation=_id(asked),
        by=asked.agent.id,
        text=asked.body.text,
        at=asked.at,
    )
    return InteractionShape.of(said)


@operations.add("POST", "/conversations/{conversation}/typing")
async def tell_typing(asked: Asked) -> None:
    """Tell a web-chat visitor that one is writing; other channels are not told."""
    conversation = _id(asked)
    found = await asked.deps.store.read(look_up, (conversation,), ())
    place = found.places.get(conversation)
    if place is not None and place.agent == asked.agent.id:
        asked.request.app[SOCKETS].typing(place.account, place.external_id, name=asked.agent.name)


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
