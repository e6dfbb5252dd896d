"""WeChat Official Account, or a mini program's customer service: one adapter is one account."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from adapters._common.answers import in_trouble, said
from adapters._common.calls import post_file, post_json, with_query
from adapters._common.wecrypt import check_sorted_sha1
from adapters.wechat.inbound import event_of
from adapters.wechat.outbound import calls_for, failure, outcome_of
from adapters.wechat.settings import Settings
from adapters.wechat.wire import read_body, read_push
from router.channel.contract import (
    Accepted,
    Decoded,
    Deferred,
    Elsewhere,
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
    TokenExpired,
    Trusted,
    Unverified,
)
from router.domain.content import Media, MediaKind
from router.domain.identity import Claim, ClaimKind

_SUCCESS = Response(body=b"success")
_OK = 200
_MARGIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class WeChat:
    """One official account or mini program, in plain, compatible or safe mode."""

    settings: Settings

    # ----- in ------------------------------------------------------------------------------------

    def verify(self, request: Request) -> Trusted:
        """Prove the origin; the body of a GET is nobody's word and is left behind."""
        if request.method == "GET":
            check_sorted_sha1(request, "signature", self.settings.token)
            return Trusted(request=request, body=b"")
        signed = any(name == "msg_signature" for name, _ in request.query)
        if self.settings.is_encrypted or (signed and self.settings.encoding_aes_key):
            return Trusted(request=request, body=self._opened(request))
        check_sorted_sha1(request, "signature", self.settings.token)
        return Trusted(request=request, body=request.body)

    def _opened(self, request: Request) -> bytes:
        """Return the plain body; whatever stands beside the ciphertext is not looked at."""
        try:
            sealed = read_body(request.body).get("Encrypt")
        except Malformed as error:
            raise Unverified(f"the body holds no ciphertext: {error}") from error
        if not isinstance(sealed, str) or not sealed:
            raise Unverified("a body without ciphertext, where the account's mode wants one")
        check_sorted_sha1(request, "msg_signature", self.settings.token, sealed)
        return self.settings.envelope.open(sealed)

    def handshake(self, request: Trusted) -> Response | None:
        """Answer the check of the address with its ``echostr``."""
        if request.request.method != "GET":
            return None
        return Response(body=request.request.one("echostr").encode("utf-8", "replace"))

    def decode(self, request: Trusted) -> Decoded:
        """Return the one event of the push; WeChat wants the word ``success``."""
        fields = read_body(request.body)
        push = read_push(fields)
        if self.settings.raw_id and push.to_user_name != self.settings.raw_id:
            raise Malformed("the push is addressed to another account")
        return Decoded(events=(event_of(push, fields),), response=_SUCCESS)

    # ----- out -----------------------------------------------------------------------------------

    def encode(self, message: Outbound) -> tuple[HttpCall, ...]:
        return calls_for(message, api_base=self.settings.api_base, kind=self.settings.kind)

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        if token is None:
            raise ValueError("a call to WeChat needs an access token")
        return replace(call, url=with_query(call.url, access_token=token.value))

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return outcome_of(reply)

    # ----- tokens --------------------------------------------------------------------------------

    def token_call(self) -> HttpCall:
        """Return the call for a stable token, which does not end the one in use."""
        body = {
            "grant_type": "client_credential",
            "appid": self.settings.appid,
            "secret": self.settings.app_secret,
        }
        return post_json(f"{self.settings.api_base}/cgi-bin/stable_token", body)

    def read_token(self, reply: Reply, *, now: datetime) -> Token | Deferred | Refused:
        trouble = in_trouble(reply)
        if trouble is not None:
            return trouble
        answer = said(reply)
        value, seconds = answer.get("access_token"), str(answer.get("expires_in", ""))
        if isinstance(value, str) and value and seconds.isascii() and seconds.isdigit():
            lasts = timedelta(seconds=min(int(seconds[:6]), 86_400))
            return Token(value=value, expires_at=now + max(lasts - _MARGIN, lasts / 2))
        outcome = failure(str(answer.get("errcode", "")), str(answer.get("errmsg", "")), reply)
        if isinstance(outcome, TokenExpired):
            return Refused(reason=Reason.CREDENTIALS, why=outcome.why, code=outcome.why[:5])
        return outcome if answer else Deferred(why="the answer is not WeChat's")

    # ----- media ---------------------------------------------------------------------------------

    def upload_call(self, media: Media, data: bytes, *, moment: Moment) -> HttpCall:
        """Return the upload of a temporary file, which WeChat keeps for three days."""
        kind = media.kind.value
        if media.kind is MediaKind.FILE:
            raise ValueError("WeChat takes pictures, recordings and films, but no files")
        url = with_query(f"{self.settings.api_base}/cgi-bin/media/upload", type=kind)
        return post_file(url, media, data, part="media", entropy=moment.entropy, fields={})

    def read_upload(self, reply: Reply) -> str | Outcome:
        media_id = said(reply).get("media_id")
        return media_id if isinstance(media_id, str) and media_id else outcome_of(reply)

    def fetch_call(self, media: Media) -> HttpCall | None:
        if not media.ref:
            return None
        url = with_query(f"{self.settings.api_base}/cgi-bin/media/get", media_id=media.ref)
        return HttpCall(method="GET", url=url, note="fetch")

    def read_fetch(self, reply: Reply) -> Outcome | Elsewhere:
        """Say what came: the file itself, for a film its address, or an error as JSON."""
        trouble = in_trouble(reply)
        if trouble is not None:
            return trouble
        answer = said(reply) if reply.body.lstrip()[:1] == b"{" else {}
        link = answer.get("video_url")
        if isinstance(link, str) and link.startswith(("https://", "http://")):
            return Elsewhere(link=link)
        if "errcode" in answer:
            return outcome_of(reply)
        if reply.status != _OK:
            return Refused(reason=Reason.UNKNOWN, why=f"HTTP {reply.status}")
        return Accepted()

    # ----- people --------------------------------------------------------------------------------

    def profile_call(self, external_id: str) -> HttpCall | None:
        """Return the look-up of a follower; people in a mini program have no such page."""
        if self.settings.kind == "mini_program":
            return None
        url = f"{self.settings.api_base}/cgi-bin/user/info"
        return HttpCall(
            method="GET", url=with_query(url, openid=external_id, lang="zh_CN"), note="profile"
        )

    def read_profile(
        self, external_id: str, reply: Reply, *, now: datetime
    ) -> Identified | Outcome:
        """Return the unionid as a verified claim, and a name: the shop's own note comes first."""
        answer = said(reply)
        if "openid" not in answer:
            return outcome_of(reply)
        union = str(answer.get("unionid", ""))
        claim = Claim(kind=ClaimKind.UNION, value=union, verified=True, source="platform")
        return Identified(
            external_id=f"profile:{external_id}:{int(now.timestamp())}",
            sender=external_id,
            at=now,
            claims=(claim,) if union else (),
            sender_name=str(answer.get("remark") or answer.get("nickname") or ""),
        )
