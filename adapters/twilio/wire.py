"""What Twilio sends, as structs: values are text; unknown fields are passed over."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, field

from router.channel.contract import Malformed

S = TypeVar("S", bound=Struct)
_AHEAD = timedelta(minutes=5)


class Callback(Struct, rename="pascal"):
    """A form callback of a call, or of its live transcription.

    https://www.twilio.com/docs/voice/twiml/transcription and
    https://www.twilio.com/docs/voice/api/call-resource#statuscallback (read 2025-10)
    """

    call_sid: str = ""
    parent_call_sid: str = ""
    call_status: str = ""
    dial_call_status: str = ""
    direction: str = ""
    from_: str = field(default="", name="From")
    to: str = ""
    caller_name: str = ""
    timestamp: str = ""
    sequence_number: str = ""
    transcription_event: str = ""
    transcription_sid: str = ""
    transcription_data: str = ""
    transcription_error_code: str = ""
    sequence_id: str = ""
    language_code: str = ""
    track: str = ""
    final: str = "true"
    message_sid: str = ""
    message_status: str = ""
    body: str = ""


class Words(Struct):
    """``TranscriptionData``."""

    transcript: str


class Available(Struct):
    """The webhook of Voice Intelligence; new kinds of event have other fields."""

    event_type: str = ""
    transcript_sid: str = ""
    customer_key: str = ""


class Sentence(Struct):
    """One thing said.

    https://www.twilio.com/docs/voice/intelligence/api/transcript-sentence-subresource
    """

    transcript: str
    sid: str
    media_channel: str = ""
    sentence_index: str = ""
    start_time: str = "0"
    end_time: str = "0"


class Page(Struct):
    """Where a list goes on."""

    next_page_url: str = ""
    url: str = ""


class Sentences(Struct):
    """One page of what was said."""

    sentences: list[Sentence]
    meta: Page = field(default_factory=Page)


class Participant(Struct):
    """Who is on a channel; Twilio fills this only if the recording's owner told it."""

    channel_participant: str = ""
    role: str = ""
    full_name: str = ""
    media_participant_id: str = ""


class MediaChannel(Struct):
    """Where the sound came from."""

    participants: list[Participant] = field(default_factory=list)
    media_properties: Any = None


class Transcript(Struct):
    """A recording and who is on it.

    https://www.twilio.com/docs/voice/intelligence/api/transcript-resource
    """

    sid: str
    status: str
    channel: MediaChannel = field(default_factory=MediaChannel)
    customer_key: str = ""
    media_start_time: str = ""
    date_created: str = ""
    language_code: str = ""


class Call(Struct):
    """Who rang whom: https://www.twilio.com/docs/voice/api/call-resource ."""

    direction: str = ""
    from_: str = field(default="", name="from")
    to: str = ""
    caller_name: str = ""


def struct(value: Mapping[str, Any], kind: type[S]) -> S:
    """Return plain data as ``kind``, or raise `Malformed` with the path of the fault."""
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Malformed(str(error)) from error


def read_time(given: str, now: datetime) -> datetime:
    """Return a time in RFC 3339 or RFC 2822; ``now`` if it cannot be read or lies ahead."""
    found = instant(given)
    return now if found is None or found - now > _AHEAD else found


def instant(given: str) -> datetime | None:
    """Return a time in RFC 3339 or RFC 2822, or None."""
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = parse(given)
            return found.astimezone(UTC) if found.tzinfo is not None else None
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None
