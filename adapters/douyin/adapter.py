"""Douyin: one adapter is one enterprise account with its live rooms."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from adapters._common.answers import in_trouble, said
from adapters._common.calls import with_query
from adapters._common.fields import inside, word
from adapters._common.jsonin import read_json, read_object
from adapters.douyin.inbound import comments_of, event_of
from adapters.douyin.outbound import calls_for, outcome_of, sent
from adapters.douyin.proof import PROBE, Way, challenge_of, proven
from adapters.douyin.settings import Settings
from router.channel.contract import (
    Accepted,
    Decoded,
    Deferred,
    Elsewhere,
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
    TokenExpired,
    Trusted,
)
from router.domain.content import Media

_JSON = "application/json; charset=utf-8"
_FORM = (("content-type", "application/x-www-form-urlencoded"),)
_MARGIN = timedelta(hours=1)
_LONGEST = 60 * 86_400


@dataclass(frozen=True, slots=True)
class Douyin:
    """One enterprise account: its private messages, and the comments of its live rooms."""

    settings: Settings

    # ----- in ------------------------------------------------------------------------------------

    def verify(self, request: Request) -> Trusted:
        return proven(request, self.settings)

    def handshake(self, request: Trusted) -> Response | None:
        """Answer the probe of the address with its challenge: a number stays a number."""
        if request.proof is Way.LIVE:
            return None
        if word(read_object(request.body), "event") != PROBE:
            return None
        answer = b'{"challenge":' + challenge_of(request.body) + b"}"
        return Response(body=answer, content_type=_JSON)

    def decode(self, request: Trusted) -> Decoded:
        """Return what was said; Douyin wants nothing but a 200."""
        headers, now = request.request.headers, request.request.moment.now
        if request.proof is Way.LIVE:
            items = read_json(request.body)
            kind, room = headers.get("x-msg-type", ""), headers.get("x-roomid", "")
            return Decoded(events=comments_of(items, kind=kind, room=room, now=now))
        fields = read_object(request.body)
        if request.proof is Way.PROBE:
            raise Malformed("a probe says nothing that could be kept")
        app = word(fields, "client_key")
        if app and self.settings.client_key and app != self.settings.client_key:
            raise Malformed("the event is addressed to another app")
        key = headers.get("msg-id", "")
        event = event_of(fields, key=key, own=self.settings.open_id, now=now)
        return Decoded(events=(event,))

    # ----- out -----------------------------------------------------------------------------------

    def encode(self, message: Outbound) -> tuple[HttpCall, ...] | Refused:
        return calls_for(message, self.settings)

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        """Add the merchant's token; a file is served only to the one whom it was granted to."""
        if token is None:
            raise ValueError("a call to Douyin needs the merchant's access token")
        owner = (("openid", self.settings.open_id),) if call.method == "GET" else ()
        credential = ("access-token", token.value)
        return replace(call, headers=(*call.headers, credential, *owner))

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return sent(reply)

    # ----- tokens --------------------------------------------------------------------------------

    def token_call(self) -> HttpCall:
        """Return the refresh of the token that the account's owner granted (unverified shape)."""
        form = {
            "client_key": self.settings.client_key,
            "grant_type": "refresh_token",
            "refresh_token": self.settings.refresh_token,
        }
        url = f"{self.settings.api_base}/oauth/refresh_token/"
        return HttpCall(method="POST", url=url, headers=_FORM, body=urlencode(form).encode())

    def read_token(self, reply: Reply, *, now: datetime) -> Token | Deferred | Refused:
        trouble = in_trouble(reply)
        if trouble is not None:
            return trouble
        data = inside(said(reply), "data")
        value, seconds = word(data, "access_token"), word(data, "expires_in")
        if value and seconds.isascii() and seconds.isdigit():
            lasts = timedelta(seconds=min(int(seconds[:8]), _LONGEST))
            return Token(value=value, expires_at=now + max(lasts - _MARGIN, lasts / 2))
        outcome = outcome_of(reply)
        match outcome:
            case Deferred():
                return outcome
            case Refused(why=why, code=code):
                return Refused(reason=Reason.CREDENTIALS, why=why, code=code)
            case TokenExpired(why=why):
                return Refused(reason=Reason.CREDENTIALS, why=why)
            case Accepted():
                return Refused(reason=Reason.CREDENTIALS, why="the answer holds no token")

    # ----- media ---------------------------------------------------------------------------------

    def fetch_call(self, media: Media) -> HttpCall | None:
        """Return the question where a picture or film from the customer's own device is.

        https://developer.open-douyin.com/docs/resource/zh-CN/dop/develop/openapi/search-management/business-tool/get-message-resources
        """
        conversation, _, message = media.ref.partition("|")
        if not (conversation and message):
            return None
        url = with_query(
            f"{self.settings.api_base}/api/im/message/resources/",
            open_id=self.settings.open_id,
            conversation_id=conversation,
            message_id=message,
        )
        return HttpCall(method="GET", url=url, note="fetch")

    def read_fetch(self, reply: Reply) -> Outcome | Elsewhere:
        """Return where the file is; it is fetched with the same token."""
        link = word(inside(said(reply), "data"), "url")
        if link.startswith("https://"):
            return Elsewhere(link=link, signed=True)
        outcome = outcome_of(reply)
        if isinstance(outcome, Accepted):
            return Refused(reason=Reason.CONTENT, why="the platform told no address of the file")
        return outcome
