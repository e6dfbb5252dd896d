"""An agent's or bot's answer is queued: reply window, timeline, outbox, in one transaction."""

from dataclasses import dataclass, replace
from datetime import datetime

from router.channel.contract import Audience, Capabilities, Outbound, Speaker
from router.domain.content import Content, Media, Text, plain_text
from router.domain.conversation import Conversation, WithAgent, WithBot, responsible
from router.domain.errors import Invalid, NotYours, PromotionHeld
from router.domain.events import Happened
from router.domain.ids import (
    AgentId,
    ContactId,
    ConversationId,
    InteractionId,
    OutboxId,
    PublicationId,
)
from router.domain.timeline import Direction, Interaction, Kind, Sending
from router.service.probable import probable_cases
from router.service.records import OutboxRow, OutboxState
from router.service.room import audience_of, use_window
from router.service.scripts import Used, check_use, note_use
from router.service.unit import Unit

#: The longest text that a person may send at once; channels split it to their own limits.
LONGEST = 20_000
_OWN_VOICES = {"system": Speaker.SYSTEM, "bot": Speaker.BOT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A reply as it stands on the timeline."""

    interaction: Interaction
    outbox: OutboxId


def reply(
    unit: Unit,
    *,
    conversation: ConversationId,
    by: AgentId,
    content: Content,
    capabilities: Capabilities,
    at: datetime,
    key: str = "",
    promotional: bool = False,
    audience: Audience | None = None,
    sources: tuple[PublicationId, ...] = (),
    script: Used | None = None,
) -> Said:
    """Queue an agent's answer in the conversation that the agent holds.

    ``audience`` is who may read it, if not the usual of the conversation. ``key`` makes a repeated
    request (a double click, a retry) the same answer. What is ``promotional`` does not go to a
    person with an open complaint. ``sources`` are the publications that it came from, ``script``
    the script. Raises NotYours, CannotReply, WindowClosed, QuotaUsed, PromotionHeld or Invalid.
    """
    held = unit.conversations.get(conversation)
    if not isinstance(held.state, WithAgent) or responsible(held.state) != by:
        raise NotYours("take the conversation before you answer in it")
    unit.contacts.lock(held.contact)
    if script is not None:
        promotional = check_use(unit, script).promotional or promotional
    if promotional:
        check_promotion(unit, held.contact)
    agent = unit.workforce.get(by)
    said = _say(
        unit,
        unit.conversations.get(conversation),
        content,
        author=by,
        author_name=agent.name,
        speaker=Speaker.AGENT,
        capabilities=capabilities,
        at=at,
        key=key,
        audience=audience,
        sources=known_sources(unit, sources),
        promotional=promotional,
    )
    if script is not None:
        note_use(unit, script, said.interaction, conversation=conversation, at=at)
    return said


def known_sources(unit: Unit, given: tuple[PublicationId, ...]) -> tuple[PublicationId, ...]:
    """Return the publications that an answer names, each once; raises NotFound for others."""
    return tuple(unit.knowledge.publication(each).id for each in dict.fromkeys(given))


def check_promotion(unit: Unit, contact: ContactId) -> None:
    """Raise PromotionHeld while the person, or who is probably the person, has an open case."""
    if unit.cases.open_of(unit.contacts.members(contact)) or probable_cases(unit, contact):
        raise PromotionHeld("the contact has an open complaint; nothing promotional goes out")


def announce(
    unit: Unit,
    *,
    conversation: ConversationId,
    content: Content,
    name: str,
    capabilities: Capabilities,
    at: datetime,
    key: str,
    author: str = "system",
) -> Said:
    """Say something of the shop's own in a conversation, wherever it stands.

    It is no answer: a closed conversation stays closed, and who waits goes on waiting. Raises
    CannotReply, WindowClosed, QuotaUsed or Invalid.
    """
    unit.contacts.lock(unit.conversations.get(conversation).contact)
    held = unit.conversations.get(conversation)
    said = _say(
        unit,
        held,
        content,
        author=author,
        author_name=name,
        speaker=_OWN_VOICES.get(author, Speaker.AGENT),
        capabilities=capabilities,
        at=at,
        key=key,
    )
    spoken = unit.conversations.get(conversation)
    if spoken.version != held.version:
        unit.conversations.save(
            replace(spoken, waiting_since=held.waiting_since, first_answer_at=held.first_answer_at)
        )
    return said


def bot_reply(
    unit: Unit,
    *,
    conversation: ConversationId,
    content: Content,
    name: str,
    capabilities: Capabilities,
    at: datetime,
    key: str,
    decision: str = "",
    sources: tuple[PublicationId, ...] = (),
) -> Said:
    """Queue the bot's answer in a conversation that the bot holds."""
    held = unit.conversations.get(conversation)
    if not isinstance(held.state, WithBot):
        raise NotYours("the bot no longer has this conversation")
    return _say(
        unit,
        held,
        content,
        author="bot",
        author_name=name,
        speaker=Speaker.BOT,
        capabilities=capabilities,
        at=at,
        key=key,
        decision=decision,
        sources=sources,
    )


def _say(
    unit: Unit,
    held: Conversation,
    content: Content,
    *,
    author: str,
    author_name: str,
    speaker: Speaker,
    capabilities: Capabilities,
    at: datetime,
    key: str,
    decision: str = "",
    audience: Audience | None = None,
    sources: tuple[PublicationId, ...] = (),
    promotional: bool = False,
) -> Said:
    _check(content)
    external_id = f"out:{key or unit.new_id()}"
    earlier = unit.conversations.by_external(held.account, external_id)
    if earlier is not None:
        return Said(interaction=earlier, outbox=OutboxId(earlier.id))
    readers = audience_of(held, capabilities, audience)
    use_window(unit, held, capabilities=capabilities, at=at, audience=readers)
    public = readers is Audience.PUBLIC
    interaction = Interaction(
        id=InteractionId(unit.new_id()),
        contact=held.contact,
        conversation=held.id,
        channel=held.channel,
        account=held.account,
        external_id=external_id,
        direction=Direction.OUT,
        kind=Kind.COMMENT if public else Kind.MESSAGE,
        author=author,
        author_name=author_name,
        content=content,
        at=at,
        received_at=at,
        seq=held.last_seq + 1,
        public=public,
        final=True,
        sending=Sending.QUEUED,
        why="",
        edited_at=None,
        recalled_at=None,
        reading=None,
        unread=False,
        sources=sources,
    )
    unit.conversations.append(interaction)
    _queue(unit, held, interaction, speaker=speaker, promotional=promotional, at=at)
    answered = held.first_answer_at or at
    unit.conversations.save(
        replace(
            held,
            last_seq=interaction.seq,
            last_out_at=at,
            waiting_since=None,
            first_answer_at=answered,
        )
    )
    unit.record(
        Happened(
            kind="reply_queued",
            contact=held.contact,
            conversation=held.id,
            agent=AgentId(author) if speaker is Speaker.AGENT else None,
            facts={"interaction": interaction.id, "by": speaker.value, "decision": decision},
        ),
        at=at,
    )
    return Said(interaction=interaction, outbox=OutboxId(interaction.id))


def _queue(
    unit: Unit,
    held: Conversation,
    interaction: Interaction,
    *,
    speaker: Speaker,
    promotional: bool,
    at: datetime,
) -> None:
    handle, answers = unit.conversations.last_reply_handle(held.id)
    message = Outbound(
        id=interaction.id,
        recipient=held.external_id,
        content=interaction.content,
        at=at,
        by=speaker,
        speaker_name=interaction.author_name,
        thread=held.thread,
        audience=Audience.PUBLIC if interaction.public else Audience.PRIVATE,
        reply_handle=handle,
        reply_to=answers,
        conversation=held.id,
        seq=interaction.seq,
    )
    unit.outbox.add(
        OutboxRow(
            id=OutboxId(interaction.id),
            interaction=interaction.id,
            conversation=held.id,
            account=held.account,
            message=message,
            calls=(),
            next_call=0,
            state=OutboxState.QUEUED,
            attempts=0,
            created_at=at,
            next_at=at,
            why="",
            reason="",
            settled_at=None,
            promotional=promotional,
        )
    )


def _check(content: Content) -> None:
    words = plain_text(content)
    if not words.strip() and not isinstance(content, Media):
        raise Invalid("text: is empty; write something or attach a file")
    if len(words) > LONGEST:
        raise Invalid(f"text: has {len(words)} characters; the most is {LONGEST}")
    if any("\ud800" <= character <= "\udfff" for character in words):
        raise Invalid("text: holds half of a character (a lone surrogate); send it again")


def note(
    unit: Unit, *, conversation: ConversationId, by: AgentId, text: str, at: datetime
) -> Interaction:
    """Add a note that only colleagues see."""
    if not text.strip():
        raise Invalid("text: is empty; write the note or leave it")
    held = unit.conversations.get(conversation)
    unit.contacts.lock(held.contact)
    held = unit.conversations.get(conversation)
    agent = unit.workforce.get(by)
    return internal(unit, held, text=text, author=by, name=agent.name, kind=Kind.NOTE, at=at)


def internal(
    unit: Unit,
    held: Conversation,
    *,
    text: str,
    author: str,
    name: str,
    kind: Kind,
    at: datetime,
) -> Interaction:
    """Append something that the contact never sees."""
    interaction = Interaction(
        id=InteractionId(unit.new_id()),
        contact=held.contact,
        conversation=held.id,
        channel=held.channel,
        account=held.account,
        external_id=f"note:{unit.new_id()}",
        direction=Direction.INTERNAL,
        kind=kind,
        author=author,
        author_name=name,
        content=Text(text=text),
        at=at,
        received_at=at,
        seq=held.last_seq + 1,
        public=False,
        final=True,
        sending=Sending.NONE,
        why="",
        edited_at=None,
        recalled_at=None,
        reading=None,
        unread=False,
    )
    unit.conversations.append(interaction)
    unit.conversations.save(replace(held, last_seq=interaction.seq))
    unit.record(
        Happened(
            kind="note_added",
            contact=held.contact,
            conversation=held.id,
            facts={"interaction": interaction.id},
        ),
        at=at,
    )
    return interaction
