"""Slack Events API and Web API: one adapter is one app in one workspace."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from adapters._common.answers import header, in_trouble, said
from adapters._common.calls import with_query
from adapters._common.fields import inside, word
from adapters._common.outgoing import bearer
from adapters.slack.inbound import events_of
from adapters.slack.outbound import calls_for, outcome_of
from adapters.slack.pressing import commanded, pressed
from adapters.slack.settings import Settings
from adapters.slack.wire import read_body, read_envelope
from router.channel.contract import (
    Accepted,
    Decoded,
    HttpCall,
    Identified,
    Malformed,
    Moment,
    Outbound,
    Outcome,
    Reason,
    Refused,
    Reply,
    Request,
    Response,
    Token,
    Trusted,
    Unverified,
)
from router.domain.content import Media
from router.domain.identity import Claim, ClaimKind

_OK = 200
_SECONDS = re.compile(r"[0-9]{1,10}")
#: https://docs.slack.dev/authentication/verifying-requests-from-slack
_WINDOW = timedelta(minutes=5)


def signature(signing_secret: str, timestamp: str, body: bytes) -> str:
    """Return what the header holds for the raw ``body`` at ``timestamp``."""
    signed = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(signing_secret.encode(), signed, hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Slack:
    """One app in one workspace."""

    settings: Settings

    def verify(self, request: Request) -> Trusted:
        """Prove the origin by the signature, made no more than five minutes ago or ahead."""
        timestamp = request.headers.get("x-slack-request-timestamp", "")
        if not _SECONDS.fullmatch(timestamp):
            raise Unverified("x-slack-request-timestamp must be seconds since 1970")
        signed_at = datetime.fromtimestamp(int(timestamp), UTC)
        if abs(request.moment.now - signed_at) > _WINDOW:
            raise Unverified("the request was signed more than five minutes ago or ahead")
        given = request.headers.get("x-slack-signature", "").encode("utf-8", "replace")
        expected = signature(self.settings.signing_secret, timestamp, request.body).encode()
        if not hmac.compare_digest(given, expected):
            raise Unverified("x-slack-signature does not match")
        return Trusted(request=request, body=request.body)

    def handshake(self, request: Trusted) -> Response | None:
        """Answer the check of the address with its challenge."""
        fields = read_body(request.body)
        if word(fields, "type") != "url_verification":
            return None
        return Response(body=word(fields, "challenge").encode("utf-8", "replace"))

    def decode(self, request: Trusted) -> Decoded:
        """Return what the event, the press or the command says.

        A header that tells of a retry is not looked at: the first copy may never have come.
        """
        fields = read_body(request.body)
        team = word(fields, "team_id") or word(inside(fields, "team"), "id")
        if self.settings.team_id and team not in ("", self.settings.team_id):
            raise Malformed("the delivery is for another workspace")
        if word(fields, "type") == "event_callback":
            return Decoded(events=tuple(events_of(read_envelope(fields))))
        if "type" in fields:
            return Decoded(events=tuple(pressed(fields)))
        return Decoded(events=(commanded(fields, request.request.moment.now),))

    def encode(self, message: Outbound) -> tuple[HttpCall, ...]:
        return calls_for(message, api_base=self.settings.api_base)

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        """Add the bot's token; it goes to Slack's own addresses and nowhere else."""
        bases = (f"{self.settings.api_base}/", f"{self.settings.files_base}/")
        return bearer(call, self.settings.bot_token) if call.url.startswith(bases) else call

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return outcome_of(reply)

    def fetch_call(self, media: Media) -> HttpCall | None:
        """Return the download; None for a file that does not live with Slack."""
        if not media.ref.startswith(f"{self.settings.files_base}/"):
            return None
        return HttpCall(method="GET", url=media.ref, note="fetch")

    def read_fetch(self, reply: Reply) -> Outcome:
        """Say whether the file came: without the permission Slack answers with a sign-in page."""
        trouble = in_trouble(reply)
        if trouble is not None:
            return trouble
        if reply.status != _OK:
            return Refused(
                reason=Reason.UNKNOWN, why=f"HTTP {reply.status}", code=str(reply.status)
            )
        page = header(reply, "content-type").startswith("text/html")
        if page and b"<html" in reply.body[:1000].lower():
            why = "Slack answered with a page: the scope files:read is missing"
            return Refused(reason=Reason.ACCOUNT, why=why)
        return Accepted()

    def profile_call(self, external_id: str) -> HttpCall | None:
        """Return the question for a name and an e-mail address."""
        user = external_id.rpartition(":")[2]
        url = with_query(f"{self.settings.api_base}/users.info", user=user)
        return HttpCall(method="GET", url=url, note="profile")

    def read_profile(
        self, external_id: str, reply: Reply, *, now: datetime
    ) -> Identified | Outcome:
        """Return the name, and the address as a claim that nobody has proven to us."""
        outcome = outcome_of(reply)
        user = inside(said(reply), "user")
        if not isinstance(outcome, Accepted) or not user:
            return outcome
        profile = inside(user, "profile")
        email = word(profile, "email").lower()
        claim = Claim(kind=ClaimKind.EMAIL, value=email, verified=False, source="platform")
        return Identified(
            external_id=f"profile:{external_id}:{int(now.timestamp())}",
            sender=external_id,
            at=now,
            claims=(claim,) if email else (),
            sender_name=word(profile, "display_name", "real_name") or word(user, "real_name"),
        )
