"""Contact Lens' records as events: segments while somebody speaks, and the analysis afterwards.

https://docs.aws.amazon.com/connect/latest/adminguide/real-time-contact-analysis-segment-streams-data-model.html
https://docs.aws.amazon.com/connect/latest/adminguide/contact-lens-example-output-files.html
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from adapters._common.callers import CALL
from adapters._common.fields import inside, many, word
from adapters.connect.settings import Settings
from router.channel.contract import CallEnded, Event, Ignored, Speaker, Turn

_ROLES = {
    "AGENT": Speaker.AGENT,
    "SUPERVISOR": Speaker.AGENT,
    "CUSTOMER": Speaker.CONTACT,
    "CUSTOM_BOT": Speaker.BOT,
    "SYSTEM": Speaker.SYSTEM,
}
_LONGEST_MS = 7 * 24 * 3600 * 1000


def read_record(settings: Settings, record: Any, now: datetime) -> tuple[Event, ...]:
    """Return what one record of the stream, or one analysis, says."""
    if not isinstance(record, Mapping):
        return (Ignored(kind="record"),)
    about = record if "EventType" in record else inside(record, "CustomerMetadata")
    contact, instance = word(about, "ContactId"), word(about, "InstanceId")
    if settings.instance_id and instance and instance != settings.instance_id:
        return (Ignored(kind="another instance"),)
    channel = word(record, "Channel")
    if (version := word(record, "Version")).startswith("EMAIL"):
        return (Ignored(kind=f"version {version}"[:64]),)
    if not contact or channel not in ("", "VOICE"):
        return (Ignored(kind=f"channel {channel or 'unnamed'}"[:64]),)
    if "EventType" in record:
        return tuple(_live(settings, record, contact, now))
    return tuple(_analysed(record, contact, now))


# ----- while somebody speaks ---------------------------------------------------------------------


def _live(
    settings: Settings, record: Mapping[str, Any], contact: str, now: datetime
) -> Iterator[Event]:
    language = word(record, "LanguageCode")
    match word(record, "EventType"):
        case "SEGMENTS":
            for segment in many(record, "Segments"):
                yield _segment(settings, segment, contact, language, now)
        case "COMPLETED":
            yield _ended(contact, now)
        case other:
            yield Ignored(kind=f"event {other}"[:64])


def _segment(settings: Settings, segment: Any, contact: str, language: str, now: datetime) -> Event:
    """Return a turn. Utterances are parts of a later transcript and share its id."""
    heard, final = inside(segment, "Utterance"), inside(segment, "Transcript")
    if final:
        by = _ROLES.get(word(final, "ParticipantRole"), Speaker.UNKNOWN)
        return _turn(final, contact, word(final, "Content"), by, now, language) or Ignored(
            kind="segment Transcript empty"
        )
    if heard and settings.partial_results:
        by = _ROLES.get(word(heard, "ParticipantRole"), Speaker.UNKNOWN)
        partial = {**heard, "Id": word(heard, "TranscriptId", "Id")}
        words = word(heard, "PartialContent")
        turn = _turn(partial, contact, words, by, now, language, final=False)
        return turn or Ignored(kind="segment Utterance empty")
    kinds = [str(kind) for kind in segment] if isinstance(segment, Mapping) else []
    return Ignored(kind=f"segment {' '.join(kinds) or 'unnamed'}"[:64])


def _turn(  # noqa: PLR0917 - the facts that make a turn
    said: Mapping[str, Any],
    contact: str,
    words: str,
    by: Speaker,
    at: datetime,
    language: str,
    *,
    final: bool = True,
) -> Turn | None:
    begin, key = milliseconds(word(said, "BeginOffsetMillis")), word(said, "Id")
    if not words:
        return None
    return Turn(
        external_id=f"{contact}:{key or f'at-{begin // timedelta(milliseconds=1)}-{by}'}",
        call=contact,
        sender=CALL + contact,
        at=at,
        offset=begin,
        by=by,
        text=words,
        final=final,
        language=word(said, "LanguageCode") or language,
    )


def _ended(contact: str, at: datetime) -> CallEnded:
    return CallEnded(external_id=f"{contact}:ended", call=contact, sender=CALL + contact, at=at)


def milliseconds(given: str) -> timedelta:
    """Return an offset; nought if it is no number or too large for a call."""
    fine = given.isascii() and given.isdigit() and len(given) <= len(str(_LONGEST_MS))
    return timedelta(milliseconds=min(int(given), _LONGEST_MS) if fine else 0)


# ----- afterwards --------------------------------------------------------------------------------


def _analysed(record: Mapping[str, Any], contact: str, now: datetime) -> Iterator[Event]:
    """Yield the turns in the order of time, as if the call had ended now, and its end."""
    status = word(record, "JobStatus")
    said: Sequence[Any] = many(record, "Transcript")
    if not said:
        yield Ignored(kind=f"analysis {status or 'empty'}"[:64])
        return
    whole = milliseconds(
        word(inside(record, "ConversationCharacteristics"), "TotalConversationDurationMillis")
    )
    ends = (milliseconds(word(each, "EndOffsetMillis")) for each in said)
    start = now - max(whole, *ends, timedelta(0))
    roles = {
        word(each, "ParticipantId"): word(each, "ParticipantRole")
        for each in many(record, "Participants")
    }
    language = word(record, "LanguageCode")
    ordered = sorted(said, key=lambda each: milliseconds(word(each, "BeginOffsetMillis")))
    for each in ordered:
        role = roles.get(word(each, "ParticipantId"), word(each, "ParticipantId"))
        begin = milliseconds(word(each, "BeginOffsetMillis"))
        by = _ROLES.get(role, Speaker.UNKNOWN)
        turn = _turn(each, contact, word(each, "Content"), by, start + begin, language)
        yield turn or Ignored(kind="analysis turn empty")
    yield _ended(contact, now)
