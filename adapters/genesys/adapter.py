"""Genesys Cloud: notifications of the transcription topic, and who rang.

https://developer.genesys.cloud/notificationsalerts/notifications/available-topics
"""

import math
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Any
from urllib.parse import urlencode

from adapters._common.answers import in_trouble, said
from adapters._common.callers import CALL, caller_claims
from adapters._common.fields import inside, many, moment_of, word
from adapters._common.jsonin import read_json
from adapters._common.outgoing import bearer
from adapters.genesys.settings import Settings
from router.channel.contract import (
    CallEnded,
    Decoded,
    Deferred,
    Event,
    HttpCall,
    Identified,
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
    TokenExpired,
    Trusted,
    Turn,
    Unverified,
)

_TOPIC = re.compile(r"v2\.conversations\.[^.]{1,64}\.transcription")
_ID = re.compile(r"[0-9a-fA-F-]{36}")
_SPEAKERS = {"INTERNAL": Speaker.AGENT, "EXTERNAL": Speaker.CONTACT}
_LONGEST_MS = 7 * 24 * 3600 * 1000
_LONGEST_TOKEN = 7 * 86_400
_CUSTOMERS = frozenset({"customer", "external"})


@dataclass(frozen=True, slots=True)
class Genesys:
    """One organisation. Calls are read, never answered."""

    settings: Settings

    # ----- in ------------------------------------------------------------------------------------

    def verify(self, request: Request) -> Trusted:
        """Prove the key that EventBridge gives: Genesys itself signs nothing.

        Without a key the secret in the path, which was checked before, is all.
        """
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        key = request.headers.get("x-api-key") or (
            given.strip() if scheme.lower() == "bearer" else ""
        )
        wanted = self.settings.api_key.encode()
        fits = not wanted or compare_digest(key.encode("utf-8", "replace"), wanted)
        if request.method != "POST" or not fits:
            raise Unverified("api key does not match")
        return Trusted(request=request, body=request.body)

    def handshake(self, request: Trusted) -> Response | None:
        return None

    def decode(self, request: Trusted) -> Decoded:
        """Return what notifications say, bare, in EventBridge's envelope, or several."""
        found = read_json(request.body)
        now = request.request.moment.now
        notices = found if isinstance(found, list) else [found]
        events = (event for notice in notices for event in self._notice(notice, now))
        return Decoded(events=tuple(events))

    def _notice(self, notice: Any, now: datetime) -> Iterator[Event]:
        told = inside(notice, "detail") or notice
        topic, body = word(told, "topicName"), inside(told, "eventBody")
        if not _TOPIC.fullmatch(topic) and "transcripts" not in body:
            yield Ignored(kind=f"topic {topic or 'unnamed'}"[:64])
            return
        call, organisation = word(body, "conversationId"), word(body, "organizationId")
        ours = self.settings.organization_id
        if not call or (ours and organisation != ours):
            yield Ignored(kind="another organisation" if call else "no conversation")
            return
        start = moment_of(word(body, "transcriptionStartTimeMs")) or moment_of(
            word(body, "sessionStartTimeMs")
        )
        for each in many(body, "transcripts"):
            yield self._turn(each, body, call, start, now)
        status = word(inside(body, "status"), "status")
        if status == "SESSION_ENDED":
            yield CallEnded(
                external_id=f"{call}:{word(body, 'communicationId')}:ended",
                call=call,
                sender=CALL + call,
                at=_bounded(word(body, "eventTime"), now),
            )
        elif not many(body, "transcripts"):
            yield Ignored(kind=f"status {status or 'unnamed'}"[:64])

    def _turn(
        self,
        heard: Any,
        body: Mapping[str, Any],
        call: str,
        start: datetime | None,
        now: datetime,
    ) -> Event:
        final = not (isinstance(heard, Mapping) and heard.get("isFinal") is False)
        best: Any = max(many(heard, "alternatives"), key=_confidence, default={})
        words = word(best, "decoratedTranscript", "transcript")
        if not words or not (final or self.settings.partial_results):
            return Ignored(kind="transcript partial" if words else "transcript empty")
        offset = _milliseconds(word(best, "offsetMs"))
        key = word(heard, "utteranceId") or f"at-{offset // timedelta(milliseconds=1)}"
        return Turn(
            external_id=f"{call}:{word(body, 'communicationId')}:{key}",
            call=call,
            sender=CALL + call,
            at=min(start + offset, now) if start else now,
            offset=offset,
            by=_SPEAKERS.get(word(heard, "channel"), Speaker.UNKNOWN),
            text=words,
            final=final,
            language=word(heard, "dialect"),
        )

    # ----- who rang ------------------------------------------------------------------------------

    def profile_call(self, external_id: str) -> HttpCall | None:
        """Return the call that tells who takes part in a conversation."""
        call = external_id.removeprefix(CALL)
        if not (self.settings.client_id and _ID.fullmatch(call)):
            return None
        url = f"{self.settings.api_base}/api/v2/conversations/{call}"
        return HttpCall(method="GET", url=url)

    def read_profile(
        self, external_id: str, reply: Reply, *, now: datetime
    ) -> Identified | Outcome:
        """Return the customer's number as a claim."""
        trouble = in_trouble(reply)
        if trouble is not None:
            return trouble
        if reply.status == 401:  # noqa: PLR2004
            return TokenExpired(why="HTTP 401")
        settings = self.settings
        for each in many(said(reply), "participants"):
            number = word(each, "ani", "address").removeprefix("tel:").removeprefix("sip:")
            claims = caller_claims(number, settings.region, trusted=settings.trust_caller_id)
            if word(each, "purpose").lower() in _CUSTOMERS and claims:
                return Identified(
                    external_id=f"{external_id.removeprefix(CALL)}:known",
                    sender=external_id,
                    at=now,
                    claims=claims,
                    sender_name=word(each, "name"),
                )
        reason = Reason.CREDENTIALS if reply.status == 403 else Reason.RECIPIENT  # noqa: PLR2004
        return Refused(reason=reason, why="Genesys tells no number", code=str(reply.status))

    def token_call(self) -> HttpCall:
        settings = self.settings
        given = b64encode(f"{settings.client_id}:{settings.client_secret}".encode()).decode()
        return HttpCall(
            method="POST",
            url=f"{settings.login_base}/oauth/token",
            headers=(
                ("content-type", "application/x-www-form-urlencoded"),
                ("authorization", f"Basic {given}"),
            ),
            body=urlencode({"grant_type": "client_credentials"}).encode(),
        )

    def read_token(self, reply: Reply, *, now: datetime) -> Token | Deferred | Refused:
        trouble = in_trouble(reply)
        if trouble is not None:
            return trouble
        answer = said(reply)
        value, seconds = word(answer, "access_token"), word(answer, "expires_in")
        if value and seconds.isascii() and seconds.isdigit():
            lasts = timedelta(seconds=min(int(seconds[:7]), _LONGEST_TOKEN))
            return Token(value=value, expires_at=now + lasts)
        why = word(answer, "description", "error_description", "error") or "no token was given"
        return Refused(reason=Reason.CREDENTIALS, why=why, code=str(reply.status))

    # ----- out -----------------------------------------------------------------------------------

    def encode(self, message: Outbound) -> tuple[HttpCall, ...]:
        """Return nothing: a call cannot be answered in writing, as the capabilities say."""
        return ()

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        if token is None:
            raise ValueError("a call to Genesys needs an access token")
        return bearer(call, token.value)

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return Refused(reason=Reason.CONTENT, why="a call cannot be answered in writing")


def _confidence(alternative: Any) -> float:
    try:
        found = float(word(alternative, "confidence") or 0)
    except ValueError:
        return 0.0
    return found if math.isfinite(found) else 0.0


def _milliseconds(given: str) -> timedelta:
    fine = given.isascii() and given.isdigit() and len(given) <= len(str(_LONGEST_MS))
    return timedelta(milliseconds=min(int(given), _LONGEST_MS) if fine else 0)


def _bounded(given: str, now: datetime) -> datetime:
    try:
        return min(datetime.fromisoformat(given).astimezone(UTC), now)
    except (ValueError, OverflowError):
        return now
