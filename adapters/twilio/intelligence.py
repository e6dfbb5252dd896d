"""Voice Intelligence, after the call: a bell, then the transcript, then its sentences.

A sentence's page says neither the call nor who is on which channel nor when it was. So the
transcript is pulled first, and rings a second bell whose ``hint`` carries these facts.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from msgspec import Struct

from adapters._common.answers import header
from adapters._common.jsonin import read_object
from adapters._common.wordin import leaves
from adapters.twilio.calls import CALL, phone_claims
from adapters.twilio.settings import Settings
from adapters.twilio.wire import Sentence, Sentences, Transcript, instant, struct
from router.channel.contract import (
    Bell,
    CallEnded,
    Deferred,
    Event,
    HttpCall,
    Identified,
    Ignored,
    Pulled,
    Reply,
    Speaker,
    Turn,
)

TRANSCRIPT, SENTENCES = "transcript:", "sentences:"
_CALL_SID = re.compile(r"^CA[0-9a-fA-F]{32}$")
_SID = re.compile(r"^GT[0-9a-fA-F]{32}$")
_SID_IN = re.compile(r"/Transcripts/(GT[0-9a-fA-F]{32})/")
_SECONDS = re.compile(r"^\d{1,6}(?:\.\d{1,9})?$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAGE_SIZE = 500
_PAGING = frozenset({"Page", "PageToken", "PageSize"})
_UNFINISHED = frozenset({"queued", "in-progress"})


class Facts(Struct, frozen=True, kw_only=True):
    """What a sentence's page does not say; ``agent`` is a channel, 0 if not known."""

    call: str
    start: datetime = _EPOCH
    agent: int = 0
    language: str = ""


def bell_for(transcript_sid: str) -> Bell | Ignored:
    """Return the bell that a finished transcript rings."""
    if not _SID.fullmatch(transcript_sid):
        return Ignored(kind="transcript without sid")
    return Bell(cursor_key=TRANSCRIPT + transcript_sid)


def page_call(settings: Settings, bell: Bell, cursor: str) -> HttpCall:
    """Return the call for the transcript, or for the page of sentences after ``cursor``."""
    kind, _, sid = bell.cursor_key.partition(":")
    if not _SID.fullmatch(sid):
        raise ValueError(f"{bell.cursor_key!r} is no bell of this channel")
    url = f"{settings.intelligence_base}/v2/Transcripts/{sid}"
    if kind == "sentences":
        asked = [(name, value) for name, value in parse_qsl(cursor) if name in _PAGING]
        url += f"/Sentences?{urlencode(asked or [('PageSize', str(_PAGE_SIZE))])}"
    return HttpCall(method="GET", url=url, note=kind)


def read_page(settings: Settings, bell: Bell, reply: Reply) -> Pulled | Deferred:
    """Return what a pulled page says; which of the two it is shows in itself."""
    found = read_object(reply.body)
    if "sentences" in found:
        return _sentences(settings, bell, reply, found)
    return _transcript(settings, struct(found, Transcript), reply)


def _transcript(settings: Settings, found: Transcript, reply: Reply) -> Pulled | Deferred:
    if found.status in _UNFINISHED:
        return Deferred(why=f"transcript is {found.status}")
    if found.status != "completed":
        said = Ignored(kind=f"transcript {found.status[:20]}")
        return Pulled(events=(said,), cursor=found.status, more=False)
    facts = Facts(
        call=_call_of(found),
        start=instant(found.media_start_time) or instant(found.date_created) or _answered(reply),
        agent=_agent_channel(settings, found),
        language=found.language_code,
    )
    bell = Bell(cursor_key=SENTENCES + found.sid, hint=msgspec.json.encode(facts).decode())
    known = tuple(_customers(settings, found, facts))
    return Pulled(events=(*known, bell), cursor=found.status, more=False)


def _call_of(found: Transcript) -> str:
    """Return the call's sid, wherever the transcript tells it; else the key that the shop gave."""
    if _CALL_SID.fullmatch(found.customer_key):
        return found.customer_key
    sids = (each for each in leaves(found.channel.media_properties) if _CALL_SID.fullmatch(each))
    return next(sids, found.customer_key or found.sid)


def _agent_channel(settings: Settings, found: Transcript) -> int:
    """Return the agent's channel: by the participants' roles, else as configured."""
    for one in found.channel.participants:
        if "agent" in one.role.lower() and one.channel_participant.isdecimal():
            return int(one.channel_participant)
    return settings.agent_channel


def _customers(settings: Settings, found: Transcript, facts: Facts) -> Iterator[Identified]:
    for one in found.channel.participants:
        claims = phone_claims(settings, one.media_participant_id)
        if one.role.lower() == "customer" and claims:
            yield Identified(
                external_id=f"{found.sid}:customer",
                sender=CALL + facts.call,
                at=facts.start,
                claims=claims,
                sender_name=one.full_name,
            )


def _sentences(settings: Settings, bell: Bell, reply: Reply, found: Mapping[str, Any]) -> Pulled:
    page = struct(found, Sentences)
    facts = _facts(settings, bell, page, reply)
    turns = tuple(_turn(facts, each) for each in page.sentences if each.transcript.strip())
    following = urlsplit(page.meta.next_page_url).query
    if following:
        return Pulled(events=turns, cursor=following, more=True)
    ends = [facts.start + _seconds(each.end_time) for each in page.sentences]
    ended = CallEnded(
        external_id=f"{facts.call}:ended",
        call=facts.call,
        sender=CALL + facts.call,
        at=max(ends, default=facts.start),
    )
    events: tuple[Event, ...] = (*turns, ended)
    return Pulled(events=events, cursor="done", more=False)


def _facts(settings: Settings, bell: Bell, page: Sentences, reply: Reply) -> Facts:
    """Return the bell's facts; a page read without its bell has only what it says itself."""
    try:
        return msgspec.json.decode(bell.hint, type=Facts)
    except msgspec.DecodeError:
        sid = _SID_IN.search(page.meta.url)
        call = sid[1] if sid else bell.hint or bell.cursor_key.partition(":")[2] or "unknown"
        return Facts(call=call, start=_answered(reply), agent=settings.agent_channel)


def _turn(facts: Facts, said: Sentence) -> Turn:
    by = Speaker.UNKNOWN
    if facts.agent and said.media_channel.isdecimal():
        by = Speaker.AGENT if int(said.media_channel) == facts.agent else Speaker.CONTACT
    offset = _seconds(said.start_time)
    return Turn(
        external_id=said.sid,
        call=facts.call,
        sender=CALL + facts.call,
        at=facts.start + offset,
        offset=offset,
        by=by,
        text=said.transcript,
        language=facts.language,
    )


def _seconds(given: str) -> timedelta:
    return timedelta(seconds=float(given)) if _SECONDS.fullmatch(given) else timedelta(0)


def _answered(reply: Reply) -> datetime:
    """Return when Twilio answered; for a transcript that says no time at all."""
    return instant(header(reply, "date")) or _EPOCH
