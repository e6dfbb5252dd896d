"""History is understood: what is unread is read, cases are opened, conversations re-triaged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from router.domain.content import Pressed, plain_text
from router.domain.conversation import Conversation, WithBot
from router.domain.events import Happened
from router.domain.ids import ConversationId
from router.domain.policy import ShopPolicy
from router.domain.reading import Reading
from router.domain.timeline import Interaction
from router.domain.triage import triage
from router.service import confirm
from router.service.awareness import alert_holders, from_bot, recompute
from router.service.cases import note_complaint
from router.service.ports import Reader
from router.service.suspect import learn_from_words, probable_cases
from router.service.unit import Unit


class Answerable(Protocol):
    """Says whether the bot knows a sure answer."""

    def __call__(self, text: str, *, language: str, channel: str) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """One interaction with what it means."""

    interaction: Interaction
    reading: Reading
    answerable: bool


def understand(
    said: Sequence[Interaction],
    *,
    reader: Reader,
    answerable: Answerable,
    languages: Callable[[ConversationId], str],
) -> tuple[Understood, ...]:
    """Read each interaction. Costs CPU and touches nothing: run it outside a transaction."""
    understood = []
    for each in said:
        words = plain_text(each.content)
        reading = reader.read(words, language=languages(each.conversation) or None)
        knows = bool(words) and answerable(words, language=reading.language, channel=each.channel)
        if isinstance(each.content, Pressed) and each.content.payload.startswith("human"):
            reading = replace(reading, wants_human=True)
        understood.append(Understood(interaction=each, reading=reading, answerable=knows))
    return tuple(understood)


def unread(unit: Unit, *, limit: int) -> tuple[tuple[Interaction, ...], dict[ConversationId, str]]:
    """Return what is to be read, oldest first, with the language of each conversation."""
    said = unit.conversations.unread(limit=limit)
    ids = {each.conversation for each in said}
    return said, {each: unit.conversations.get(each).language for each in ids}


def take_note(
    unit: Unit, understood: Sequence[Understood], *, policy: ShopPolicy, at: datetime
) -> tuple[ConversationId, ...]:
    """Write what was understood: readings, cases, and what each conversation needs now.

    Returns the conversations that a bot has in hand and that wait for its answer.
    """
    for_bot: dict[ConversationId, None] = {}
    for each in understood:
        unit.contacts.lock(each.interaction.contact)
        said = unit.conversations.interaction(each.interaction.id)
        if not said.unread or said.content != each.interaction.content:
            continue  # read already, or changed while it was being read: read again
        unit.conversations.mark_read(said.id, each.reading)
        conversation = unit.conversations.get(said.conversation)
        conversation = replace(conversation, unread=max(0, conversation.unread - 1))
        complaint = (
            note_complaint(unit, said, each.reading, policy=policy, at=at)
            if said.recalled_at is None
            else None
        )
        conversation = _triaged(unit, conversation, each, policy=policy)
        conversation = unit.conversations.save(conversation)
        if complaint is not None:
            alert_holders(unit, said.contact, kind="complaint", at=at, case=complaint.case.id)
            recompute(unit, said.contact, policy=policy, at=at)
        elif isinstance(conversation.state, WithBot):
            if conversation.bot_ok:
                for_bot[conversation.id] = None
            else:
                from_bot(unit, conversation, why="bot_cannot", at=at)
        learn_from_words(
            unit,
            said,
            each.reading,
            external_id=conversation.external_id,
            policy=policy,
            at=at,
        )
        confirm.hear(unit, said, policy=policy, at=at)
        _log_read(unit, said, at=at)
    return tuple(for_bot)


def _log_read(unit: Unit, said: Interaction, *, at: datetime) -> None:
    unit.record(
        Happened(
            kind="interactions_read",
            contact=said.contact,
            conversation=said.conversation,
            facts={"interaction": said.id},
        ),
        at=at,
    )


def _triaged(
    unit: Unit, held: Conversation, each: Understood, *, policy: ShopPolicy
) -> Conversation:
    cases = unit.cases.open_of(unit.contacts.members(held.contact))
    result = triage(
        each.reading,
        queue=held.queue,
        policy=policy,
        open_cases=cases,
        before=held.needs,
        wanted_human=held.wants_human,
        was_flagged=held.flagged,
        answerable=each.answerable and not probable_cases(unit, held.contact),
    )
    return replace(
        held,
        queue=result.queue,
        needs=result.needs,
        language=result.language or held.language,
        bot_ok=result.bot_ok,
        wants_human=result.wants_human,
        flagged=result.flagged,
    )
