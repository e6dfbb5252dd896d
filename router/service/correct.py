"""A colleague says how a message is to be read; what follows is as if it had been read so."""

from dataclasses import replace
from datetime import datetime

from router.domain.content import plain_text
from router.domain.conversation import Conversation, WithBot
from router.domain.errors import Invalid
from router.domain.events import Happened
from router.domain.ids import AgentId, InteractionId
from router.domain.policy import ShopPolicy
from router.domain.reading import Alarm, Labels, Reading, corrected
from router.domain.timeline import Direction, Interaction
from router.domain.triage import triage
from router.service.awareness import alert_holders, from_bot, recompute
from router.service.cases import note_complaint
from router.service.records import Correction
from router.service.unit import Unit

_LANGUAGES = ("zh", "en")
_WORST = 3
#: How much of a conversation is looked at for what else in it complains or wants a person.
_LOOKED_AT = 500


def correct_reading(
    unit: Unit,
    *,
    interaction: InteractionId,
    labels: Labels,
    by: AgentId,
    policy: ShopPolicy,
    at: datetime,
) -> Interaction:
    """Read a message anew as ``labels`` say, keep it as an example, and do what follows from it.

    A complaint opens or joins a case. One that is none after all closes nothing: a case closes only
    when it is acknowledged and resolved. Raises NotFound and `Invalid`.
    """
    _checked(labels)
    unit.contacts.lock(unit.conversations.interaction(interaction).contact)
    said = unit.conversations.interaction(interaction)
    if said.direction is not Direction.IN or said.reading is None or said.unread:
        raise Invalid("interaction: only what a customer said and a reader has read is corrected")

    before = said.reading
    now = corrected(before, labels, by=by, at=at)

    unit.conversations.mark_read(said.id, now)
    unit.corrections.add(
        Correction(
            id=unit.new_id(),
            interaction=said.id,
            contact=said.contact,
            at=at,
            by=by,
            text=plain_text(said.content),
            labels=labels,
            before=before,
        )
    )
    unit.record(
        Happened(
            kind="reading_corrected",
            contact=said.contact,
            conversation=said.conversation,
            agent=by,
            facts={"interaction": said.id, "complaint": labels.complaint},
        ),
        at=at,
    )
    _follow(unit, said, before, now, policy=policy, at=at)
    return unit.conversations.interaction(said.id)


def _checked(labels: Labels) -> None:
    if labels.complaint and not 1 <= labels.severity <= _WORST:
        raise Invalid("severity: must be 1 (mild), 2 (clear) or 3 (serious) for a complaint")
    if not labels.complaint and labels.severity:
        raise Invalid("severity: must be 0 where nobody complains")
    if labels.language not in _LANGUAGES:
        raise Invalid("language: must be zh or en")


def _follow(
    unit: Unit,
    said: Interaction,
    before: Reading,
    now: Reading,
    *,
    policy: ShopPolicy,
    at: datetime,
) -> None:
    worse = now.complaint is Alarm.ALERT and (
        before.complaint is not Alarm.ALERT or now.severity > before.severity
    )
    complaint = (
        note_complaint(unit, said, now, policy=policy, at=at)
        if worse and said.recalled_at is None
        else None
    )
    held = unit.conversations.save(_told_anew(unit, said, now, policy=policy))
    unit.record(
        Happened(kind="conversation_triaged", contact=held.contact, conversation=held.id), at=at
    )
    if complaint is not None:
        alert_holders(unit, said.contact, kind="complaint", at=at, case=complaint.case.id)
        recompute(unit, said.contact, policy=policy, at=at)
    elif isinstance(held.state, WithBot) and not held.bot_ok:
        from_bot(unit, held, why="bot_cannot", at=at)


def _told_anew(unit: Unit, said: Interaction, now: Reading, *, policy: ShopPolicy) -> Conversation:
    """Return the conversation as all that was said in it, read as it is now, makes it."""
    held = unit.conversations.get(said.conversation)
    heard = [
        each
        for each in unit.conversations.said_in(held.id, limit=_LOOKED_AT)
        if each.direction is Direction.IN and each.reading is not None
    ]
    readings = [each.reading for each in heard if each.reading is not None]
    flagged = any(each.complaint is not Alarm.NONE for each in readings)
    wants_human = any(each.wants_human for each in readings)
    bot_ok = held.bot_ok and not (flagged or wants_human)
    held = replace(held, flagged=flagged, wants_human=wants_human, bot_ok=bot_ok)
    if not heard or heard[-1].id != said.id or held.closed_at is not None:
        return held
    result = triage(
        now,
        queue=held.queue,
        policy=policy,
        open_cases=unit.cases.open_of(unit.contacts.members(held.contact)),
        before=held.needs,
        wanted_human=wants_human,
        was_flagged=flagged,
        answerable=bot_ok,
    )
    return replace(
        held, needs=result.needs, language=result.language or held.language, bot_ok=result.bot_ok
    )
