"""X: one adapter is one account, heard by the Account Activity API."""

from dataclasses import dataclass

from adapters._common.answers import in_trouble
from adapters._common.calls import raw_json
from adapters._common.fields import inside, word
from adapters._common.jsonin import read_object
from adapters.x.inbound import events_of
from adapters.x.outbound import calls_for, outcome_of
from adapters.x.proof import authorised, proven, signature
from adapters.x.settings import Settings
from router.channel.contract import (
    Accepted,
    Decoded,
    HttpCall,
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
)
from router.domain.content import Media

_JSON = "application/json; charset=utf-8"
_OK = 200


@dataclass(frozen=True, slots=True)
class X:
    """One account and the app that it has authorised."""

    settings: Settings

    def verify(self, request: Request) -> Trusted:
        return proven(request, self.settings)

    def handshake(self, request: Trusted) -> Response | None:
        """Answer the check of the address: the token, signed."""
        if request.request.method != "GET":
            return None
        token = request.request.one("crc_token").encode("utf-8", "replace")
        answer = {"response_token": signature(self.settings.consumer_secret, token)}
        return Response(body=raw_json(answer), content_type=_JSON)

    def decode(self, request: Trusted) -> Decoded:
        """Return what the delivery says; that access was revoked names no account."""
        fields = read_object(request.body)
        revoked = word(inside(inside(inside(fields, "user_event"), "revoke"), "source"), "user_id")
        own = word(fields, "for_user_id") or revoked
        if self.settings.user_id and own != self.settings.user_id:
            raise Malformed("the delivery is for another account")
        return Decoded(events=tuple(events_of(fields, own)))

    def encode(self, message: Outbound) -> tuple[HttpCall, ...] | Refused:
        return calls_for(message, self.settings)

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        """Add our proof; it goes to X's own addresses and nowhere else."""
        bases = (f"{self.settings.api_base}/", f"{self.settings.media_base}/")
        return authorised(call, self.settings, moment) if call.url.startswith(bases) else call

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return outcome_of(call, reply)

    def fetch_call(self, media: Media) -> HttpCall | None:
        """Return the download of a picture in a direct message, which only we may see."""
        if not media.ref.startswith(f"{self.settings.media_base}/"):
            return None
        return HttpCall(method="GET", url=media.ref, note="fetch")

    def read_fetch(self, reply: Reply) -> Outcome:
        trouble = in_trouble(reply)
        if trouble is not None:
            return trouble
        if reply.status == _OK:
            return Accepted()
        return Refused(reason=Reason.UNKNOWN, why=f"HTTP {reply.status}", code=str(reply.status))
