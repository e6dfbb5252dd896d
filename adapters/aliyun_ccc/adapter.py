"""Alibaba Cloud call centre: a push rings, the call's record and its words are fetched.

https://help.aliyun.com/zh/ccs/developer-reference/api-ccc-2020-07-01-getconversationdetail
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from adapters._common.answers import in_trouble
from adapters._common.callers import CALL, caller_claims
from adapters._common.fields import inside, many, moment_of, word
from adapters._common.jsonin import read_json, read_object
from adapters._common.rpcsign import rpc_call, signed_rpc
from adapters.aliyun_ccc.settings import Settings
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

RECORD, WORDS = "record:", "words:"
_VERSION = "2020-07-01"
_TAKEN = Response(body=b'{"code":200,"success":true}', content_type="application/json")
_CONTACT = re.compile(r"[A-Za-z0-9_-]{1,128}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATER = timedelta(seconds=30)
_LONGEST_MS = 7 * 24 * 3600 * 1000
# Names of errors are unverified.
_BUSY = ("Throttling", "ServiceUnavailable", "InternalError", "SystemError")
_DENIED = ("Forbidden", "InvalidAccessKey", "SignatureDoesNotMatch", "NoPermission")


class Facts(msgspec.Struct, frozen=True):
    """What the words of a call do not say: when it began and ended."""

    start: datetime = _EPOCH
    end: datetime = _EPOCH


@dataclass(frozen=True, slots=True)
class AliyunCcc:
    """One instance. Calls are read, never answered."""

    settings: Settings

    # ----- in ------------------------------------------------------------------------------------

    def verify(self, request: Request) -> Trusted:
        """Take a POST: no signature is known, the secret in the path has been checked before."""
        if request.method != "POST":
            raise Unverified("a push is a POST")
        return Trusted(request=request, body=request.body)

    def handshake(self, request: Trusted) -> Response | None:
        return None

    def decode(self, request: Trusted) -> Decoded:
        """Ring for every call that a push names, whatever its shape, which is unverified."""
        try:
            found = read_json(request.body)
        except Malformed as error:
            raise Malformed(str(error), answer=_TAKEN) from error
        named = dict.fromkeys(each for each in _contacts(found) if _CONTACT.fullmatch(each))
        events: tuple[Event, ...] = tuple(Bell(cursor_key=f"{RECORD}{each}") for each in named)
        return Decoded(events=events or (Ignored(kind="push without a call"),), response=_TAKEN)

    # ----- what was said -------------------------------------------------------------------------

    def pull_call(self, bell: Bell, *, cursor: str) -> HttpCall:
        """Return the call for the record of a call, or for its words."""
        kind, _, contact = bell.cursor_key.partition(":")
        action = "GetCallDetailRecord" if kind == "record" else "GetConversationDetail"
        settings = self.settings
        return rpc_call(
            settings.api_base,
            action,
            _VERSION,
            InstanceId=settings.instance_id,
            ContactId=contact,
        )

    def read_pull(self, bell: Bell, reply: Reply) -> Pulled | Outcome:
        """Read a record or words; a call that goes on, or is still transcribed, comes later."""
        trouble = in_trouble(reply)
        if trouble is not None:
            return trouble
        found = read_object(reply.body)
        code = word(found, "Code")
        if reply.status != 200 or code not in ("", "OK"):  # noqa: PLR2004
            return _failed(bell, _refusal(code or str(reply.status), word(found, "Message")))
        if "Phrases" in found or bell.cursor_key.startswith(WORDS):
            return self._words(bell, many(found, "Phrases"))
        return self._record(bell, inside(found, "Data"))

    def _record(self, bell: Bell, data: Mapping[str, Any]) -> Pulled | Outcome:
        contact = bell.cursor_key.partition(":")[2] or word(data, "ContactId")
        start, end = _time(data, "StartTime"), _time(data, "ReleaseTime")
        if end is None:
            return Deferred(why="the call goes on", retry_after=_LATER)
        ours = "CalledNumber" if "OUT" in word(data, "ContactType").upper() else "CallingNumber"
        settings = self.settings
        claims = caller_claims(word(data, ours), settings.region, trusted=settings.trust_caller_id)
        known = Identified(
            external_id=f"{contact}:known",
            sender=CALL + contact,
            at=start or end,
            claims=claims,
        )
        learnt: tuple[Event, ...] = (known,) if claims else ()
        if _time(data, "EstablishedTime") is None:
            ended = _ended(contact, end, missed=True)
            return Pulled(events=(*learnt, ended), cursor="read", more=False)
        hint = msgspec.json.encode(Facts(start=start or end, end=end)).decode()
        bells = (Bell(cursor_key=f"{WORDS}{contact}", hint=hint),)
        return Pulled(events=(*learnt, *bells), cursor="read", more=False)

    def _words(self, bell: Bell, phrases: Any) -> Pulled | Outcome:
        contact = bell.cursor_key.partition(":")[2] or bell.hint or "unknown"
        if any(each.get("Finished") is False for each in phrases if isinstance(each, Mapping)):
            return Deferred(why="the words still change", retry_after=_LATER)
        facts = _facts(bell.hint)
        turns = tuple(self._turn(contact, each, facts) for each in phrases if word(each, "Words"))
        ended = _ended(contact, max((facts.end, *(turn.at for turn in turns))), missed=False)
        return Pulled(events=(*turns, ended), cursor="read", more=False)

    def _turn(self, contact: str, phrase: Any, facts: Facts) -> Turn:
        role, begin = word(phrase, "Role"), _milliseconds(word(phrase, "Begin"))
        return Turn(
            external_id=f"{contact}:{begin // timedelta(milliseconds=1)}:{role}",
            call=contact,
            sender=CALL + contact,
            at=facts.start + begin,
            offset=begin,
            by=self._by(role),
            text=word(phrase, "Words"),
        )

    def _by(self, role: str) -> Speaker:
        key = role.strip().casefold()
        if key in {each.casefold() for each in self.settings.agent_roles}:
            return Speaker.AGENT
        if key in {each.casefold() for each in self.settings.customer_roles}:
            return Speaker.CONTACT
        return Speaker.UNKNOWN

    # ----- out -----------------------------------------------------------------------------------

    def encode(self, message: Outbound) -> tuple[HttpCall, ...]:
        """Return nothing: a call cannot be answered in writing, as the capabilities say."""
        return ()

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        return signed_rpc(
            call,
            key_id=self.settings.access_key_id,
            secret=self.settings.access_key_secret,
            now=moment.now,
            entropy=moment.entropy,
        )

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return Refused(reason=Reason.CONTENT, why="a call cannot be answered in writing")


def _contacts(value: Any) -> Iterator[str]:
    """Yield every call's id in a push, also where an object stands as a text."""
    if isinstance(value, list):
        for each in value:
            yield from _contacts(each)
    elif isinstance(value, Mapping):
        for name, each in value.items():
            if name.replace("_", "").lower() == "contactid" and isinstance(each, str):
                yield each
            yield from _contacts(inside(value, name) if isinstance(each, str) else each)


def _time(data: Mapping[str, Any], name: str) -> datetime | None:
    given = word(data, name)
    return moment_of(given) if given.strip("0") else None


def _milliseconds(given: str) -> timedelta:
    fine = given.isascii() and given.isdigit() and len(given) <= len(str(_LONGEST_MS))
    return timedelta(milliseconds=min(int(given), _LONGEST_MS) if fine else 0)


def _facts(hint: str) -> Facts:
    try:
        return msgspec.json.decode(hint, type=Facts)
    except msgspec.DecodeError:
        return Facts()


def _ended(contact: str, at: datetime, *, missed: bool) -> CallEnded:
    return CallEnded(
        external_id=f"{contact}:ended",
        call=contact,
        sender=CALL + contact,
        at=at,
        missed=missed,
    )


def _refusal(code: str, why: str) -> Deferred | Refused:
    if code.startswith(_BUSY):
        return Deferred(why=f"{code}: {why}")
    reason = Reason.CREDENTIALS if code.startswith(_DENIED) else Reason.UNKNOWN
    return Refused(reason=reason, why=why or code, code=code)


def _failed(bell: Bell, refusal: Deferred | Refused) -> Pulled | Deferred | Refused:
    """Return the end of a call whose words will never come; other troubles keep ringing."""
    lasting = isinstance(refusal, Refused) and refusal.reason is not Reason.CREDENTIALS
    if not (lasting and bell.cursor_key.startswith(WORDS)):
        return refusal
    contact = bell.cursor_key.removeprefix(WORDS)
    ended = _ended(contact, _facts(bell.hint).end, missed=False)
    return Pulled(events=(Ignored(kind="words refused"), ended), cursor="none", more=False)
