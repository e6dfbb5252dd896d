"""Transcripts of phone calls that any phone system can upload: WebVTT, SubRip or JSON."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from urllib.parse import quote

import msgspec

from adapters._common.phone import e164
from adapters.transcript import srt, vtt
from adapters.transcript.settings import Settings
from adapters.transcript.speakers import labelled, role_of, speakers
from adapters.transcript.upload import File, is_json, read_upload, refused, strangers, struct
from adapters.transcript.wire import SCHEMA, About, Cue, Cues, Document, TurnIn
from router.channel.contract import (
    CallEnded,
    Decoded,
    Event,
    HttpCall,
    Ignored,
    Moment,
    Outbound,
    Outcome,
    Reason,
    Refused,
    Reply,
    Request,
    Response,
    Speaker,
    Token,
    Trusted,
    Turn,
    Unverified,
)
from router.domain.identity import Claim, ClaimKind


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """One turn with its speaker, whatever it was uploaded as."""

    id: str
    begin: int
    end: int
    by: Speaker
    name: str
    text: str
    final: bool = True


@dataclass(frozen=True, slots=True)
class Transcript:
    """One phone system. Calls are read, never answered."""

    settings: Settings

    def verify(self, request: Request) -> Trusted:
        """Prove the API key in ``Authorization: Bearer``."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        given = key.strip().encode("utf-8", "surrogatepass")
        if scheme.lower() != "bearer" or not compare_digest(given, self.settings.api_key.encode()):
            raise Unverified("api key does not match")
        return Trusted(request=request, body=request.body)

    def handshake(self, request: Trusted) -> Response | None:
        return None

    def decode(self, request: Trusted) -> Decoded:
        """Return the turns in time order, and the end of the call if this completes it."""
        file, about = read_upload(request)
        call, said, warnings = self._understood(file, about)
        if not said and not call.complete:
            raise refused(400, "file", "holds no turn", "send at least one turn or cue")
        sender, claims, doubt = self._customer(call)
        warnings = (*warnings, *doubt)
        start, late = _start(call, said, request.request.moment.now)
        key = quote(call.call_id or "", safe="")
        turns = tuple(_turn(one, key, call, sender, claims, start) for one in said)
        ended = (_ended(key, call, sender, claims, start + _length(said)),)
        passed = tuple(Ignored(kind=f"field {name}") for name in strangers(file))
        answer = {
            "call_id": call.call_id,
            "turns": len(turns),
            "warnings": [*warnings, *late],
        }
        response = Response(body=msgspec.json.encode(answer), content_type="application/json")
        events: tuple[Event, ...] = (*turns, *(ended if call.complete else ()), *passed)
        return Decoded(events=events, response=response)

    def encode(self, message: Outbound) -> tuple[HttpCall, ...]:
        """Return nothing: a transcript cannot be answered, as the capabilities say."""
        return ()

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        return call

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return Refused(reason=Reason.CONTENT, why="a transcript cannot be answered")

    def _understood(
        self, file: File, about: About
    ) -> tuple[About, tuple[_Said, ...], tuple[str, ...]]:
        if is_json(file):
            return _from_json(file, about)
        cues = _cues(file)
        names = speakers(self.settings, about.participants)
        voiced = labelled(cues.cues, names)
        made = [
            _Said(
                id=_own_id(cue) or _hashed(cue.voice, cue.begin, cue.text),
                begin=cue.begin,
                end=cue.end,
                by=names.role(cue.voice),
                name=cue.voice,
                text=cue.text,
            )
            for cue in voiced
        ]
        said, warnings = _in_order(_distinct(made, voiced))
        digest = sha256(file.data).hexdigest()
        call = msgspec.structs.replace(
            about,
            call_id=about.call_id or cues.call_id or f"file-{digest[:32]}",
            complete=about.complete is not False,
        )
        return call, said, (*cues.warnings, *warnings)

    def _customer(self, call: About) -> tuple[str, tuple[Claim, ...], tuple[str, ...]]:
        """Return the customer's id on this account, claims, and what is doubtful."""
        given = next((one.phone for one in call.participants if one.role == "customer"), "")
        given = given or (call.caller if call.direction == "inbound" else call.callee)
        number = e164(given, self.settings.region) if given else ""
        if not number:
            doubt = (
                ("the customer's number cannot be read; the call stands alone",) if given else ()
            )
            return f"call:{call.call_id}", (), doubt
        claim = Claim(
            kind=ClaimKind.PHONE,
            value=number,
            verified=self.settings.trust_caller_id,
            source="caller_id",
        )
        return number, (claim,), ()


def _from_json(file: File, about: About) -> tuple[About, tuple[_Said, ...], tuple[str, ...]]:
    found = struct(file.text.removeprefix("\ufeff").encode(), Document, where="file")
    if found.schema != SCHEMA:
        raise refused(400, "schema", f"{found.schema[:40]!r} is unknown", f"send {SCHEMA}")
    found.call_id = found.call_id or about.call_id
    if not found.call_id:
        fix = "send the phone system's id of the call, 1 to 128 characters"
        raise refused(400, "call_id", "missing", fix)
    found.started_at = found.started_at or about.started_at
    found.caller, found.callee = found.caller or about.caller, found.callee or about.callee
    roles = {one.id: (role_of(one.role), one.name) for one in found.participants}
    strange = sorted({turn.participant for turn in found.turns} - roles.keys())
    notes = [
        f"participant {one[:40]!r} is not listed; its turns have no speaker" for one in strange
    ]
    said, warnings = _in_order([_said(turn, roles) for turn in found.turns])
    return found, said, (*notes, *warnings)


def _said(turn: TurnIn, roles: dict[str, tuple[Speaker, str]]) -> _Said:
    by, name = roles.get(turn.participant, (Speaker.UNKNOWN, turn.participant))
    return _Said(
        id=turn.id or _hashed(turn.participant, turn.begin_ms, turn.text),
        begin=turn.begin_ms,
        end=turn.begin_ms if turn.end_ms is None else turn.end_ms,
        by=by,
        name=name,
        text=turn.text,
        final=turn.final,
    )


def _cues(file: File) -> Cues:
    fix = "send WebVTT, SubRip or pam.transcript/1 JSON"
    if file.kind == "vtt" or vtt.is_vtt(file.text):
        parse = vtt.parse
    elif file.kind == "srt" or srt.is_srt(file.text):
        parse = srt.parse
    else:
        raise refused(415, "file", "neither WebVTT, SubRip nor JSON", fix)
    try:
        return parse(file.text)
    except ValueError as error:
        raise refused(400, "file", str(error), fix) from error


def _own_id(cue: Cue) -> str:
    """Return the cue's id if it is more than a count, which the next file begins again."""
    return "" if cue.id.partition("/")[0].isdecimal() else cue.id


def _hashed(who: str, begin: int, text: str) -> str:
    return sha256(f"{who}\n{begin}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _distinct(said: Sequence[_Said], cues: Sequence[Cue]) -> list[_Said]:
    """Return the turns with ids that differ: one that a file uses twice gives way to a hash."""
    times = Counter(one.id for one in said)
    return [
        one
        if times[one.id] == 1
        else replace(one, id=_hashed(f"{one.id}\n{cue.voice}", cue.begin, cue.text))
        for one, cue in zip(said, cues, strict=True)
    ]


def _in_order(said: Sequence[_Said]) -> tuple[tuple[_Said, ...], tuple[str, ...]]:
    backwards = sum(one.end < one.begin for one in said)
    warnings = (f"{backwards} turns end before they begin",) if backwards else ()
    mended = (replace(one, end=max(one.begin, one.end)) for one in said)
    return tuple(sorted(mended, key=lambda one: one.begin)), warnings


def _length(said: Sequence[_Said]) -> timedelta:
    return timedelta(milliseconds=max((one.end for one in said), default=0))


def _start(call: About, said: Sequence[_Said], now: datetime) -> tuple[datetime, tuple[str, ...]]:
    """Return when the call began: as told, or so that it ended now."""
    length = _length(said)
    if call.started_at is None:
        return now - length, ("started_at is missing; the call is taken to have just ended",)
    try:
        start = call.started_at.astimezone(UTC)
        ahead = start - now > timedelta(minutes=5)
    except OverflowError as error:
        fix = "send RFC 3339 with a time zone, such as 2025-10-09T09:00:00Z"
        raise refused(400, "started_at", "out of range", fix) from error
    if ahead:
        return now - length, (
            "started_at lies in the future; the call is taken to have just ended",
        )
    return start, ()


def _turn(  # noqa: PLR0917 - the six facts that make a turn
    one: _Said,
    key: str,
    call: About,
    sender: str,
    claims: tuple[Claim, ...],
    start: datetime,
) -> Turn:
    offset = timedelta(milliseconds=one.begin)
    return Turn(
        external_id=f"{key}:{one.id}",
        call=call.call_id or "",
        sender=sender,
        at=start + offset,
        offset=offset,
        by=one.by,
        text=one.text,
        final=one.final,
        speaker_name=one.name,
        claims=claims,
        language=call.language,
    )


def _ended(
    key: str, call: About, sender: str, claims: tuple[Claim, ...], at: datetime
) -> CallEnded:
    return CallEnded(
        external_id=f"{key}/ended", call=call.call_id or "", sender=sender, at=at, claims=claims
    )
