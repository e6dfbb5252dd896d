"""Tencent Cloud contact centre: a pushed record of each call, then what was said, fetched.

https://cloud.tencent.com/document/product/679/60498 and document/product/679/88867
"""

import base64
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from adapters._common.answers import in_trouble, said
from adapters._common.callers import CALL, caller_claims
from adapters._common.fields import inside, many, moment_of, word
from adapters._common.jsonin import read_object
from adapters._common.phone import e164
from adapters._common.tc3 import signed_tc3, tc3_call
from adapters.tencent_ccc.settings import Settings
from router.channel.contract import (
    Bell,
    CallEnded,
    Decoded,
    Deferred,
    Event,
    HttpCall,
    Identified,
    Ignored,
    Malformed,
    Moment,
    Outbound,
    Outcome,
    Pulled,
    Rated,
    Reason,
    Received,
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
from router.domain.content import Media, MediaKind

WORDS = "words:"
_VERSION = "2020-02-10"
_TAKEN = Response(body=b'{"ErrCode":0,"ErrMsg":"ok"}', content_type="application/json")
_SESSION = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATER = timedelta(minutes=1)
_OUT = "1"
# Names of errors are from memory (unverified).
_BUSY = ("FailedOperation", "InternalError", "RequestLimitExceeded", "ResourceUnavailable")
_DENIED = ("UnauthorizedOperation", "AuthFailure")


class Facts(msgspec.Struct, frozen=True):
    """What the words of a call do not say: when it began and ended, and whose number is whose."""

    start: datetime = _EPOCH
    end: datetime = _EPOCH
    customer: str = ""


@dataclass(frozen=True, slots=True)
class TencentCcc:
    """One application. Calls are read, never answered."""

    settings: Settings

    # ----- in ------------------------------------------------------------------------------------

    def verify(self, request: Request) -> Trusted:
        """Prove user and password, where there are some; the path's secret was checked before."""
        if request.method != "POST":
            raise Unverified("a push is a POST")
        settings = self.settings
        if settings.password:
            scheme, _, given = request.headers.get("authorization", "").partition(" ")
            wanted = base64.b64encode(f"{settings.username}:{settings.password}".encode())
            fits = hmac.compare_digest(given.strip().encode("utf-8", "replace"), wanted)
            if scheme.lower() != "basic" or not fits:
                raise Unverified("user and password do not match")
        return Trusted(request=request, body=request.body)

    def handshake(self, request: Trusted) -> Response | None:
        return None

    def decode(self, request: Trusted) -> Decoded:
        """Return what a push says; what it holds tells its kind, since names are unverified."""
        try:
            told = read_object(request.body)
        except Malformed as error:
            raise Malformed(str(error), answer=_TAKEN) from error
        session, now = word(told, "SessionId"), request.request.moment.now
        action = dict(request.request.query).get("action", "")
        if not _SESSION.fullmatch(session):
            return Decoded(events=(Ignored(kind=f"push {action}"[:64].strip()),), response=_TAKEN)
        if "EndedTimestamp" in told or "EndStatusString" in told or "Duration" in told:
            return Decoded(events=tuple(self._record(told, session, now)), response=_TAKEN)
        return Decoded(events=(self._other(told, session, action, now),), response=_TAKEN)

    def _record(self, told: Mapping[str, Any], session: str, now: datetime) -> Iterator[Event]:
        """Yield who rang, the score given, the end, and a bell for the words."""
        number = word(told, "Callee" if word(told, "Direction") == _OUT else "Caller")
        settings = self.settings
        claims = caller_claims(number, settings.region, trusted=settings.trust_caller_id)
        start = _time(told, "StartTimestamp") or _time(told, "Time") or now
        end = max(start, min(_time(told, "EndedTimestamp") or now, now))
        if claims:
            yield Identified(
                external_id=f"{session}:known", sender=CALL + session, at=start, claims=claims
            )
        score = self._score(told)
        if score is not None:
            yield Rated(external_id=f"{session}:rated", sender=CALL + session, at=end, score=score)
        answered = _time(told, "AcceptTimestamp") is not None
        if answered and settings.secret_id:
            facts = Facts(start=start, end=end, customer=e164(number, settings.region) or number)
            yield Bell(cursor_key=f"{WORDS}{session}", hint=msgspec.json.encode(facts).decode())
            return
        yield _ended(session, end, missed=not answered)

    def _score(self, told: Mapping[str, Any]) -> int | None:
        for pressed in many(told, "PostIVRKeyPressedEx"):
            key = word(pressed, "Key", "Value")
            if key in self.settings.rating_keys:
                return self.settings.rating_keys[key]
        return None

    def _other(self, told: Mapping[str, Any], session: str, action: str, now: datetime) -> Event:
        """Keep a voicemail; a recording of a call is only counted: its words come otherwise."""
        link = next(
            (
                each
                for name, each in told.items()
                if name.lower().endswith("url")
                and isinstance(each, str)
                and each.startswith("https://")
            ),
            "",
        )
        if not (link and "voicemail" in f"{action} {' '.join(told)}".lower().replace("_", "")):
            return Ignored(kind=f"push {action}"[:64].strip())
        settings = self.settings
        claims = caller_claims(
            word(told, "Caller"), settings.region, trusted=settings.trust_caller_id
        )
        return Received(
            external_id=f"{session}:voicemail",
            sender=CALL + session,
            at=min(_time(told, "Time") or _time(told, "StartTimestamp") or now, now),
            content=Media(kind=MediaKind.VOICE, link=link),
            thread=session,
            claims=claims,
        )

    # ----- what was said -------------------------------------------------------------------------

    def pull_call(self, bell: Bell, *, cursor: str) -> HttpCall:
        """Return the call for what was said."""
        session = bell.cursor_key.removeprefix(WORDS)
        asked = {"SdkAppId": int(self.settings.sdk_app_id or 0), "SessionId": session}
        return tc3_call(self.settings.api_base, "DescribeTelRecordAsr", _VERSION, asked)

    def read_pull(self, bell: Bell, reply: Reply) -> Pulled | Outcome:
        """Read what was said; words that are not there yet come later."""
        trouble = in_trouble(reply)
        if trouble is not None:
            return trouble
        answer = inside(said(reply), "Response")
        session = bell.cursor_key.removeprefix(WORDS) or bell.hint or "unknown"
        facts = _facts(bell.hint)
        if error := inside(answer, "Error"):
            refusal = _refusal(word(error, "Code"), word(error, "Message"))
            if isinstance(refusal, Deferred) or refusal.reason is Reason.CREDENTIALS:
                return refusal
            lost = Ignored(kind=f"words {refusal.code}"[:64])
            ended = _ended(session, facts.end, missed=False)
            return Pulled(events=(lost, ended), cursor="none", more=False)
        if "AsrDataList" not in answer:
            return Deferred(why="not transcribed yet", retry_after=_LATER)
        rows = [each for each in many(answer, "AsrDataList") if word(each, "Message")]
        rows.sort(key=lambda each: _time(each, "Start") or _time(each, "Timestamp") or _EPOCH)
        first = next(filter(None, (_time(each, "Start") for each in rows)), _EPOCH)
        start = first if facts.start == _EPOCH else facts.start
        turns = tuple(self._turn(session, each, facts, start) for each in rows)
        end = max((facts.end, *(turn.at for turn in turns)))
        ended = _ended(session, end, missed=False)
        return Pulled(events=(*turns, ended), cursor="read", more=False)

    def _turn(self, session: str, row: Any, facts: Facts, start: datetime) -> Turn:
        """Return one turn; who speaks is told by the number, or by an agent's account."""
        user = word(row, "User")
        at = _time(row, "Start") or _time(row, "Timestamp") or start
        number = e164(user, self.settings.region)
        by = Speaker.CONTACT if number and number == facts.customer else Speaker.UNKNOWN
        if by is Speaker.UNKNOWN and user:
            theirs = number and not facts.customer
            by = Speaker.AGENT if "@" in user else Speaker.CONTACT if theirs else Speaker.UNKNOWN
        return Turn(
            external_id=f"{session}:{word(row, 'Start') or word(row, 'Timestamp')}:{user}",
            call=session,
            sender=CALL + session,
            at=at,
            offset=max(at - start, timedelta(0)),
            by=by,
            text=word(row, "Message"),
        )

    # ----- out -----------------------------------------------------------------------------------

    def encode(self, message: Outbound) -> tuple[HttpCall, ...]:
        """Return nothing: a call cannot be answered in writing, as the capabilities say."""
        return ()

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        return signed_tc3(
            call,
            secret_id=self.settings.secret_id,
            secret_key=self.settings.secret_key,
            service="ccc",
            now=moment.now,
        )

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return Refused(reason=Reason.CONTENT, why="a call cannot be answered in writing")


def _time(told: Any, name: str) -> datetime | None:
    given = word(told, name)
    return moment_of(given) if given.strip("0") else None


def _facts(hint: str) -> Facts:
    try:
        return msgspec.json.decode(hint, type=Facts)
    except msgspec.DecodeError:
        return Facts()


def _ended(session: str, at: datetime, *, missed: bool) -> CallEnded:
    return CallEnded(
        external_id=f"{session}:ended",
        call=session,
        sender=CALL + session,
        at=at,
        missed=missed,
    )


def _refusal(code: str, why: str) -> Deferred | Refused:
    if code.startswith(_BUSY):
        return Deferred(why=f"{code}: {why}", retry_after=_LATER)
    reason = Reason.CREDENTIALS if code.startswith(_DENIED) else Reason.UNKNOWN
    return Refused(reason=reason, why=why or code, code=code)
