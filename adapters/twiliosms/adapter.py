"""Twilio's messages: one adapter is one Twilio account."""

from dataclasses import dataclass
from urllib.parse import urlencode

from adapters._common.answers import header, in_trouble, said
from adapters._common.fields import word
from adapters._common.twilio import form, prove, with_basic
from adapters.twiliosms.errors import BUSY, reason_of
from adapters.twiliosms.inbound import read_callback
from adapters.twiliosms.settings import CAPABILITIES, Settings
from router.channel.contract import (
    Accepted,
    Decoded,
    Deferred,
    Elsewhere,
    HttpCall,
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
from router.channel.text import as_text, split
from router.domain.content import Media, MediaKind

_TWIML = Response(body=b"<Response/>", content_type="text/xml; charset=utf-8")
_FORM = (("content-type", "application/x-www-form-urlencoded; charset=utf-8"),)
_MEDIA = "media"


@dataclass(frozen=True, slots=True)
class TwilioSms:
    """SMS, MMS and whatever else Twilio carries as a message (``whatsapp:``, ``messenger:``)."""

    settings: Settings

    # ----- in ------------------------------------------------------------------------------------

    def verify(self, request: Request) -> Trusted:
        """Prove Twilio's signature over the public URL and the form."""
        prove(self.settings.keys, request)
        return Trusted(request=request, body=request.body)

    def handshake(self, request: Trusted) -> Response | None:
        return None

    def decode(self, request: Trusted) -> Decoded:
        """Return what a callback says; it comes as a form, or in the query of a GET."""
        fields = dict(request.request.query) | dict(form(request.body))
        events = read_callback(self.settings, fields, request.request.moment.now)
        return Decoded(events=events, response=_TWIML)

    # ----- out -----------------------------------------------------------------------------------

    def encode(self, message: Outbound) -> tuple[HttpCall, ...]:
        match message.content:
            case Media(kind=MediaKind.IMAGE, link=link, caption=caption) if link.startswith(
                "https://"
            ):
                first, *rest = split(caption, CAPABILITIES.max_text) or ("",)
                body = {"Body": first} if first else {}
                shown = self._call(message, {**body, "MediaUrl": link})
                return (shown, *(self._call(message, {"Body": part}) for part in rest))
            case other:
                parts = split(as_text(other), CAPABILITIES.max_text)
                return tuple(self._call(message, {"Body": part}) for part in parts)

    def _call(self, message: Outbound, what: dict[str, str]) -> HttpCall:
        settings = self.settings
        fields = {"To": message.recipient}
        if settings.messaging_service_sid:
            fields["MessagingServiceSid"] = settings.messaging_service_sid
        else:
            fields["From"] = message.reply_handle or settings.from_number
        if settings.status_callback:
            fields["StatusCallback"] = settings.status_callback
        path = f"/2010-04-01/Accounts/{settings.account_sid}/Messages.json"
        body = urlencode({**fields, **what}, errors="replace").encode()
        return HttpCall(method="POST", url=settings.api_base + path, headers=_FORM, body=body)

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        """Put basic authentication on: the API key if there is one, else the account's token."""
        user = self.settings.api_key_sid or self.settings.account_sid
        return with_basic(call, user, self.settings.api_key_secret or self.settings.auth_token)

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        trouble = in_trouble(reply)
        if trouble is not None:
            return trouble
        answer = said(reply)
        if reply.status in (200, 201):
            if not answer:
                return Deferred(why="the answer is not Twilio's", unsure=True)
            return Accepted(external_id=word(answer, "sid"))
        return _refusal(reply.status, word(answer, "code"), word(answer, "message"))

    # ----- media ---------------------------------------------------------------------------------

    def fetch_call(self, media: Media) -> HttpCall | None:
        """Return the download of a file; our credentials go to Twilio's own address only."""
        if not media.ref.startswith(f"{self.settings.api_base}/"):
            return None
        return HttpCall(method="GET", url=media.ref, note=_MEDIA)

    def read_fetch(self, reply: Reply) -> Outcome | Elsewhere:
        """Return the file, or where Twilio keeps it: it answers with a redirection."""
        trouble = in_trouble(reply)
        if trouble is not None:
            return trouble
        link = header(reply, "location")
        match reply.status:
            case 200:
                return Accepted()
            case 301 | 302 | 303 | 307 | 308 if link.startswith("https://"):
                return Elsewhere(link=link)
            case 404:
                return Refused(reason=Reason.CONTENT, why="the file is gone", code="404")
            case status:
                return _refusal(status, word(said(reply), "code"), word(said(reply), "message"))


def _refusal(status: int, code: str, why: str) -> Outcome:
    if code in BUSY:
        return Deferred(why=f"{code}: {why}")
    reason = reason_of(code)
    if reason is Reason.UNKNOWN and status in (401, 403):
        reason = Reason.CREDENTIALS
    return Refused(reason=reason, why=why or f"HTTP {status}", code=code or str(status))
