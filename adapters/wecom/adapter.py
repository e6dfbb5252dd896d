"""WeCom customer service: one adapter is the customer service of one company."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from adapters._common.answers import in_trouble, said
from adapters._common.calls import post_file, post_json, with_query
from adapters._common.fields import many, word
from adapters._common.wecrypt import check_sorted_sha1
from adapters._common.xmlin import read_xml
from adapters.wecom import pulling
from adapters.wecom.outbound import calls_for, failure, outcome_of, sent
from adapters.wecom.settings import Settings
from router.channel.contract import (
    Accepted,
    Bell,
    Decoded,
    Deferred,
    Elsewhere,
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
    Token,
    TokenExpired,
    Trusted,
    Unverified,
)
from router.domain.content import Media
from router.domain.identity import Claim, ClaimKind

_OK = 200
_MARGIN = timedelta(minutes=1)
_LONGEST = 86_400


@dataclass(frozen=True, slots=True)
class WeCom:
    """The customer service of one company; callbacks are always encrypted."""

    settings: Settings

    # ----- in ------------------------------------------------------------------------------------

    def verify(self, request: Request) -> Trusted:
        """Prove the origin and open the ciphertext: of the query on a GET, else of the body."""
        sealed = _in_query(request) if request.method == "GET" else _in_body(request)
        check_sorted_sha1(request, "msg_signature", self.settings.token, sealed)
        return Trusted(request=request, body=self.settings.envelope.open(sealed))

    def handshake(self, request: Trusted) -> Response | None:
        """Answer the check of the address with what its ``echostr`` says: no quotes, no newline."""
        return Response(body=request.body) if request.request.method == "GET" else None

    def decode(self, request: Trusted) -> Decoded:
        """Return the bell; WeCom wants an empty answer."""
        push = read_xml(request.body)
        if word(push, "MsgType") != "event":
            return Decoded(events=(Ignored(kind=f"type.{word(push, 'MsgType') or 'unnamed'}"),))
        name = word(push, "Event")
        if name != "kf_msg_or_event":
            return Decoded(events=(Ignored(kind=f"event.{name or 'unnamed'}"),))
        nonce = request.request.one("nonce")
        hint = pulling.hint_of(word(push, "Token"), word(push, "CreateTime"), nonce)
        return Decoded(events=(Bell(cursor_key=word(push, "OpenKfId"), hint=hint),))

    # ----- pulls ---------------------------------------------------------------------------------

    def pull_call(self, bell: Bell, *, cursor: str) -> HttpCall:
        return pulling.pull_call(bell, cursor=cursor, settings=self.settings)

    def read_pull(self, bell: Bell, reply: Reply) -> Pulled | Outcome:
        return pulling.read_pull(bell, reply, self.settings)

    # ----- out -----------------------------------------------------------------------------------

    def encode(self, message: Outbound) -> tuple[HttpCall, ...]:
        return calls_for(message, self.settings)

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        """Add the access token; a pull loses the token of its bell once that is too old."""
        if token is None:
            raise ValueError("a call to WeCom needs an access token")
        if call.note.startswith(pulling.PULL):
            call = pulling.fresh(call, moment.now)
        return replace(call, url=with_query(call.url, access_token=token.value))

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return sent(call, reply)

    # ----- tokens --------------------------------------------------------------------------------

    def token_call(self) -> HttpCall:
        url = with_query(
            f"{self.settings.api_base}/cgi-bin/gettoken",
            corpid=self.settings.corpid,
            corpsecret=self.settings.secret,
        )
        return HttpCall(method="GET", url=url)

    def read_token(self, reply: Reply, *, now: datetime) -> Token | Deferred | Refused:
        trouble = in_trouble(reply)
        if trouble is not None:
            return trouble
        answer = said(reply)
        value, seconds = word(answer, "access_token"), word(answer, "expires_in")
        if value and seconds.isascii() and seconds.isdigit():
            lasts = timedelta(seconds=min(int(seconds[:6]), _LONGEST))
            return Token(value=value, expires_at=now + max(lasts - _MARGIN, lasts / 2))
        if not answer:
            return Deferred(why="the answer is not WeCom's")
        outcome = failure(word(answer, "errcode"), word(answer, "errmsg"))
        if isinstance(outcome, TokenExpired):
            return Refused(reason=Reason.CREDENTIALS, why=outcome.why)
        return outcome

    # ----- media ---------------------------------------------------------------------------------

    def upload_call(self, media: Media, data: bytes, *, moment: Moment) -> HttpCall:
        """Return the upload of a temporary file, which WeCom keeps for three days."""
        url = with_query(f"{self.settings.api_base}/cgi-bin/media/upload", type=media.kind.value)
        return post_file(url, media, data, part="media", entropy=moment.entropy, fields={})

    def read_upload(self, reply: Reply) -> str | Outcome:
        return word(said(reply), "media_id") or outcome_of(reply)

    def fetch_call(self, media: Media) -> HttpCall | None:
        if not media.ref:
            return None
        url = with_query(f"{self.settings.api_base}/cgi-bin/media/get", media_id=media.ref)
        return HttpCall(method="GET", url=url, note="fetch")

    def read_fetch(self, reply: Reply) -> Outcome | Elsewhere:
        """Say whether the file itself came, or an error as JSON."""
        trouble = in_trouble(reply)
        if trouble is not None:
            return trouble
        if reply.body.lstrip()[:1] == b"{" and word(said(reply), "errcode"):
            return outcome_of(reply)
        if reply.status != _OK:
            return Refused(reason=Reason.UNKNOWN, why=f"HTTP {reply.status}")
        return Accepted()

    # ----- people --------------------------------------------------------------------------------

    def profile_call(self, external_id: str) -> HttpCall | None:
        """Return the look-up of a customer's nickname and unionid."""
        url = f"{self.settings.api_base}/cgi-bin/kf/customer/batchget"
        return post_json(url, {"external_userid_list": [external_id]}, note="profile")

    def read_profile(
        self, external_id: str, reply: Reply, *, now: datetime
    ) -> Identified | Outcome:
        """Return the name, and the unionid as a verified claim where the platform gives it."""
        outcome = outcome_of(reply)
        if not isinstance(outcome, Accepted):
            return outcome
        person = _person(said(reply), external_id)
        if person is None:
            return Refused(reason=Reason.RECIPIENT, why="the platform knows no such customer")
        union = word(person, "unionid")
        claim = Claim(kind=ClaimKind.UNION, value=union, verified=True, source="platform")
        return Identified(
            external_id=f"profile:{external_id}:{int(now.timestamp())}",
            sender=external_id,
            at=now,
            claims=(claim,) if union else (),
            sender_name=word(person, "nickname"),
        )


def _in_query(request: Request) -> str:
    """Return the ``echostr``; a plus that nobody escaped has become a space on its way."""
    return request.one("echostr").replace(" ", "+")


def _in_body(request: Request) -> str:
    try:
        sealed = word(read_xml(request.body), "Encrypt")
    except Malformed as error:
        raise Unverified(f"the body holds no ciphertext: {error}") from error
    if not sealed:
        raise Unverified("a body without ciphertext")
    return sealed


def _person(answer: Mapping[str, Any], external_id: str) -> Mapping[str, Any] | None:
    listed = (each for each in many(answer, "customer_list") if isinstance(each, Mapping))
    return next((each for each in listed if word(each, "external_userid") == external_id), None)
