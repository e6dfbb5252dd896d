"""History is understood: what is unread is read, cases are opened, conversations re-triaged."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from router.domain.content import Pressed, plain_text
from router.domain.conversation import Conversation, WithBot
from router.domain.events import Happened
from router.domain.ids import ContactId, ConversationId
from router.domain.policy import ShopPolicy
from router.domain.reading import Alarm, Mood, Reading, raised
from router.domain.timeline import Direction, Interaction
from router.domain.triage import triage
from router.service import confirm, questions, rating
from router.service.awareness import alert_holders, from_bot, recompute
from router.service.cases import note_complaint
from router.service.hearing import Earlier, Heard, Run, Words
from router.service.probable import probable_cases, warn_probable
from router.service.repository.mentioned import Mentioned
from router.service.suspect import learn_from_words
from router.service.unit import Unit

#: Earlier turns of a conversation that are shown to a reader, and how much of each.
_TURNS = 20
_MOST_OF_A_TURN = 1000
#: How far back on a person's timeline an earlier complaint is looked for.
_ELSEWHERE = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """What one contact said and no reader has seen; ``run`` is what a reader is given of it."""

    contact: ContactId
    said: tuple[Interaction, ...]
    run: Run
    urgent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """One interaction with what it means and what it does to the mood of its conversation."""

    interaction: Interaction
    reading: Reading
    mood: Mood
    answerable: bool


def unread_runs(
    unit: Unit, *, limit: int, besides: Collection[ContactId] = (), only_urgent: bool = False
) -> tuple[Unread, ...]:
    """Return what is to be read: contacts with something urgent first, then the oldest.

    Each contact stands there once, with their words in order, and none of ``besides`` does. The
    others are left out where ``only_urgent``.
    """
    pressing = unit.conversations.urgent(limit=limit, besides=besides)
    said = unit.conversations.unread_by(pressing, limit=limit) if pressing else ()
    if len(said) < limit and not only_urgent:
        others = frozenset((*besides, *pressing))
        said = (*said, *unit.conversations.unread(limit=limit - len(said), besides=others))
    by_contact: dict[ContactId, list[Interaction]] = {}
    for each in said:
        by_contact.setdefault(each.contact, []).append(each)
    languages = {
        each: unit.conversations.get(each).language for each in {one.conversation for one in said}
    }
    return tuple(
        Unread(
            contact=contact,
            said=tuple(held),
            run=_run(unit, held, languages),
            urgent=contact in pressing,
        )
        for contact, held in by_contact.items()
    )


def _run(unit: Unit, said: Sequence[Interaction], languages: dict[ConversationId, str]) -> Run:
    firsts = {each.conversation: each for each in reversed(said)}
    return Run(
        elsewhere=_elsewhere(unit, said[0].contact, frozenset(firsts)),
        words=tuple(
            Words(
                conversation=each.conversation,
                text=plain_text(each.content),
                language=languages[each.conversation],
            )
            for each in said
        ),
        before={name: _before(unit, first) for name, first in firsts.items() if first.seq > 1},
    )


def _before(unit: Unit, first: Interaction) -> tuple[Earlier, ...]:
    """Return what the contact said in the conversation before ``first``, as it was read."""
    return tuple(
        Earlier(text=plain_text(each.content)[:_MOST_OF_A_TURN], reading=each.reading)
        for each in unit.conversations.said_in(
            first.conversation, before=first.seq, limit=2 * _TURNS
        )
        if each.direction is Direction.IN and each.reading is not None
    )[-_TURNS:]


def _elsewhere(
    unit: Unit, contact: ContactId, here: frozenset[ConversationId]
) -> tuple[Earlier, ...]:
    """Return what may have been complaints of the person in other conversations, oldest first."""
    latest = unit.conversations.timeline(unit.contacts.members(contact), limit=_ELSEWHERE)
    return tuple(
        Earlier(text=plain_text(each.content)[:_MOST_OF_A_TURN], reading=each.reading)
        for each in reversed(latest)
        if each.direction is Direction.IN
        and each.reading is not None
        and each.reading.complaint is not Alarm.NONE
        and each.conversation not in here
        and each.recalled_at is None
    )


def meant(said: Interaction, heard: Heard, *, answerable: bool) -> Understood:
    """Return what ``said`` means: what was heard, and what a pressed button says outright.

    A watch is an alert where severity, repeats or the trend of the conversation say so.
    """
    reading = heard.reading
    if isinstance(said.content, Pressed) and said.content.payload.startswith("human"):
        reading = replace(reading, wants_human=True)
    return Understood(
        interaction=said,
        reading=raised(reading, heard.mood),
        mood=heard.mood,
        answerable=answerable,
    )


def take_note(
    unit: Unit, understood: Sequence[Understood], *, policy: ShopPolicy, at: datetime
) -> tuple[ConversationId, ...]:
    """Write what was understood: readings, cases, and what each conversation needs now.

    Returns the conversations that a bot has in hand and that wait for its answer.
    """
    said = {each.interaction.id: each.interaction.contact for each in understood}
    with unit.gathered(Mentioned(said=said)) as inside:
        return take_note_of_each(inside, understood, policy=policy, at=at)


def take_note_of_each(
    unit: Unit, understood: Sequence[Understood], *, policy: ShopPolicy, at: datetime
) -> tuple[ConversationId, ...]:
    """Write what was understood, one interaction after the other."""
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
            warn_probable(unit, said.contact, at=at)
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
        if policy.bot.first and not each.answerable and questions.is_question(said, each.reading):
            questions.keep(unit, said, language=each.reading.language, at=at)
        rating.hear(unit, said, at=at)
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
        answerable=each.answerable
        and not probable_cases(unit, held.contact)
        and not _given_up(unit, held.id),
    )
    return replace(
        held,
        queue=result.queue,
        needs=result.needs,
        language=result.language or held.language,
        bot_ok=result.bot_ok,
        wants_human=result.wants_human,
        flagged=result.flagged,
        mood=each.mood,
    )


def _given_up(unit: Unit, conversation: ConversationId) -> bool:
    """Say whether a bot gave the conversation to a person: it does not come back to one."""
    return any(
        each.kind == "bot_hands_over" for each in unit.journal.decisions(conversation, limit=20)
    )
