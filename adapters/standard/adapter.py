"""Our generic webhook: one adapter is one gateway of the shop, signed both ways."""

from dataclasses import dataclass

from adapters._common.calls import raw_json
from adapters._common.jsonin import read_object
from adapters.standard.inbound import delivered, events_of
from adapters.standard.outbound import calls_for, media_call, outcome_of, signed, uploaded
from adapters.standard.proof import proven
from adapters.standard.settings import Settings
from router.channel.contract import (
    Decoded,
    HttpCall,
    Malformed,
    Moment,
    Outbound,
    Outcome,
    Refused,
    Reply,
    Request,
    Response,
    Token,
    Trusted,
)
from router.domain.content import Media

_JSON = "application/json"
_KEPT = 202


@dataclass(frozen=True, slots=True)
class Standard:
    """One gateway; what it sends and what it is sent are Standard Webhooks."""

    settings: Settings

    def verify(self, request: Request) -> Trusted:
        return proven(request, self.settings.keys)

    def handshake(self, request: Trusted) -> Response | None:
        """Return None: the specification knows no check of the address."""
        return None

    def decode(self, request: Trusted) -> Decoded:
        """Return what the event says; one that cannot be read is kept, and the gateway told."""
        try:
            event = delivered(
                read_object(request.body),
                delivery=request.proof,
                now=request.request.moment.now,
                region=self.settings.region,
            )
            events = events_of(event)
        except Malformed as error:
            answer = raw_json({"error": {"message": f"kept, and not understood: {error}"}})
            told = Response(status=_KEPT, body=answer, content_type=_JSON)
            raise Malformed(str(error), answer=told) from error
        return Decoded(events=events, response=Response(body=b'{"ok":true}', content_type=_JSON))

    def encode(self, message: Outbound) -> tuple[HttpCall, ...] | Refused:
        return calls_for(message, self.settings.reply_url)

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        return signed(call, self.settings.reply_key, moment)

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return outcome_of(call, reply)

    def upload_call(self, media: Media, data: bytes, *, moment: Moment) -> HttpCall:
        return media_call(media, data, self.settings.reply_url, moment)

    def read_upload(self, reply: Reply) -> str | Outcome:
        return uploaded(reply)
