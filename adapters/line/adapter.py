"""LINE Messaging API: one adapter is one official account."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from adapters._common.answers import said
from adapters._common.fields import word
from adapters._common.outgoing import bearer
from adapters.line.inbound import event_of
from adapters.line.outbound import calls_for, outcome_of
from adapters.line.settings import Settings
from adapters.line.wire import read_items
from router.channel.contract import (
    Accepted,
    Decoded,
    Deferred,
    HttpCall,
    Identified,
    Moment,
    Outbound,
    Outcome,
    Reply,
    Request,
    Response,
    Token,
    Trusted,
    Unverified,
)
from router.domain.content import Media

_HEADER = "x-line-signature"
_NOT_READY = 202


def signature(channel_secret: str, body: bytes) -> str:
    """Return what the header holds for the raw ``body``."""
    digest = hmac.new(channel_secret.encode(), body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


@dataclass(frozen=True, slots=True)
class Line:
    """One official account."""

    settings: Settings

    def verify(self, request: Request) -> Trusted:
        """Prove the origin by the signature of the raw body; LINE signs no time."""
        given = request.headers.get(_HEADER, "").encode("utf-8", "replace")
        expected = signature(self.settings.channel_secret, request.body).encode()
        if not hmac.compare_digest(given, expected):
            raise Unverified(f"{_HEADER} does not match")
        return Trusted(request=request, body=request.body)

    def handshake(self, request: Trusted) -> Response | None:
        """Return None: the console tries the address with a delivery of no events."""
        return None

    def decode(self, request: Trusted) -> Decoded:
        """Return every event in order. One delivered again may be new to us, so it is read too."""
        items = read_items(request.body, self.settings.destination)
        return Decoded(events=tuple(event_of(item) for item in items))

    def encode(self, message: Outbound) -> tuple[HttpCall, ...]:
        return calls_for(message, api_base=self.settings.api_base)

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        """Add the long-lived access token of the settings."""
        return bearer(call, self.settings.access_token)

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return outcome_of(reply)

    def fetch_call(self, media: Media) -> HttpCall | None:
        if not media.ref:
            return None
        url = f"{self.settings.data_base}/v2/bot/message/{quote(media.ref, safe='')}/content"
        return HttpCall(method="GET", url=url, note="fetch")

    def read_fetch(self, reply: Reply) -> Outcome:
        """Say whether the file came; a long film is prepared first."""
        if reply.status == _NOT_READY:
            return Deferred(why="LINE still prepares the file")
        outcome = outcome_of(reply)
        return Accepted() if isinstance(outcome, Accepted) else outcome

    def profile_call(self, external_id: str) -> HttpCall | None:
        """Return the question for a name; a group or a room has none."""
        if not external_id.startswith("U"):
            return None
        url = f"{self.settings.api_base}/v2/bot/profile/{quote(external_id, safe='')}"
        return HttpCall(method="GET", url=url, note="profile")

    def read_profile(
        self, external_id: str, reply: Reply, *, now: datetime
    ) -> Identified | Outcome:
        """Return a name; LINE tells neither a number nor an address."""
        answer = said(reply)
        if word(answer, "userId") != external_id:
            return outcome_of(reply)
        return Identified(
            external_id=f"profile:{external_id}:{int(now.timestamp())}",
            sender=external_id,
            at=now,
            claims=(),
            sender_name=word(answer, "displayName"),
        )
