"""Form callbacks as events: live transcription, the states of a call, a stray text message.

A final segment has an id of its own. Words that are still being recognised share one id for each
track, because nothing in a partial result says which final result it will become; the final result
empties that one. With intake's rule (a turn that is not final is replaced by whatever comes) the
line on the desk grows, and then stands as the final turn.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from adapters._common.phone import e164
from adapters._common.wordin import fit
from adapters.twilio.settings import Settings
from adapters.twilio.wire import Callback, Words, read_time, struct
from router.channel.contract import (
    CallEnded,
    Event,
    Identified,
    Ignored,
    Received,
    Speaker,
    Turn,
)
from router.domain.content import Text
from router.domain.identity import Claim, ClaimKind

CALL = "call:"
_UNANSWERED = frozenset({"busy", "no-answer", "canceled", "failed"})
_TRACKS = frozenset({"inbound_track", "outbound_track"})


def read_callback(
    settings: Settings, fields: Mapping[str, str], now: datetime
) -> tuple[Event, ...]:
    """Return what a form callback says."""
    told = struct({name: fit(value) for name, value in fields.items()}, Callback)
    if told.transcription_event and told.call_sid:
        return _transcription(settings, told, now)
    if told.call_sid and (told.call_status or told.dial_call_status):
        return _call(settings, told, now)
    if told.message_sid and told.from_ and told.body and not told.message_status:
        return (_message(settings, told, now),)
    return (Ignored(kind=told.transcription_event or "form"),)


def phone_claims(settings: Settings, number: str) -> tuple[Claim, ...]:
    """Return what a number of the network proves; nothing if it is hidden or no number."""
    found = e164(number, settings.region)
    if not found:
        return ()
    verified = settings.trust_caller_id
    claim = Claim(kind=ClaimKind.PHONE, value=found, verified=verified, source="caller_id")
    return (claim,)


def customer_number(direction: str, caller: str, called: str) -> str:
    """Return the customer's side of a call: we are the other."""
    return called if direction.startswith("outbound") else caller


def _transcription(settings: Settings, told: Callback, now: datetime) -> tuple[Event, ...]:
    match told.transcription_event:
        case "transcription-content":
            return _words(settings, told, now)
        case "transcription-stopped":
            return (_ended(told, now, missed=False, claims=()),)
        case "transcription-error":
            code = told.transcription_error_code[:20]
            return (Ignored(kind=f"transcription-error {code}".strip()),)
        case other if told.transcription_data:
            return (*_words(settings, told, now), Ignored(kind=other[:64]))
        case other:
            return (Ignored(kind=other[:64]),)


def _words(settings: Settings, told: Callback, now: datetime) -> tuple[Event, ...]:
    text, final = _transcript(told.transcription_data), told.final.lower() != "false"
    if not text:
        return (Ignored(kind="transcription-content empty"),)
    if not final and not settings.partial_results:
        return (Ignored(kind="transcription-content partial"),)
    segment = f"{told.transcription_sid}:{told.track}"
    running = f"{segment}:partial"
    turn = _turn(settings, told, now, f"{segment}:{told.sequence_id}" if final else running, text)
    if not (final and settings.partial_results):
        return (turn,)
    return (turn, _turn(settings, told, now, running, ""))


def _turn(settings: Settings, told: Callback, now: datetime, key: str, text: str) -> Turn:
    by = Speaker.UNKNOWN
    if told.track in _TRACKS:
        by = Speaker.CONTACT if told.track == settings.customer_track else Speaker.AGENT
    return Turn(
        external_id=key,
        call=told.call_sid,
        sender=CALL + told.call_sid,
        at=read_time(told.timestamp, now),
        offset=timedelta(0),  # Twilio does not say when the call began
        by=by,
        text=text,
        final=bool(text) and not key.endswith(":partial"),
        language=told.language_code,
    )


def _transcript(data: str) -> str:
    """Return the words; data in a shape that we do not know is kept as it is."""
    try:
        return msgspec.json.decode(data, type=Words).transcript.strip()
    except (msgspec.DecodeError, RecursionError):
        return data.strip()


def _call(settings: Settings, told: Callback, now: datetime) -> tuple[Event, ...]:
    if told.parent_call_sid:
        return (Ignored(kind="child leg"),)  # our own side of a call that we know by its parent
    number = customer_number(told.direction, told.from_, told.to)
    claims = phone_claims(settings, number)
    known = Identified(
        external_id=f"{told.call_sid}:known",
        sender=CALL + told.call_sid,
        at=read_time(told.timestamp, now),
        claims=claims,
        sender_name=told.caller_name,
    )
    learnt: tuple[Event, ...] = (known,) if claims else ()
    if told.call_status in _UNANSWERED or told.dial_call_status in _UNANSWERED:
        return (*learnt, _ended(told, now, missed=True, claims=claims))
    if told.call_status == "completed":
        return (*learnt, _ended(told, now, missed=False, claims=claims))
    return learnt or (Ignored(kind=f"call {told.call_status[:20]}"),)


def _ended(told: Callback, now: datetime, *, missed: bool, claims: tuple[Claim, ...]) -> CallEnded:
    return CallEnded(
        external_id=f"{told.call_sid}:ended",
        call=told.call_sid,
        sender=CALL + told.call_sid,
        at=read_time(told.timestamp, now),
        missed=missed,
        claims=claims,
    )


def _message(settings: Settings, told: Callback, now: datetime) -> Received:
    """Keep the words of a text message that came to the address of calls."""
    return Received(
        external_id=told.message_sid,
        sender=told.from_,
        at=now,
        content=Text(text=told.body),
        claims=phone_claims(settings, told.from_),
    )
