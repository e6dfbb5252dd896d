"""Feishu and Lark: one adapter is one self-built app."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from adapters._common.answers import in_trouble, said
from adapters._common.calls import post_file, post_json, raw_json, with_query
from adapters._common.fields import inside, word
from adapters._common.jsonin import read_object
from adapters._common.outgoing import bearer
from adapters._common.phone import e164
from adapters.feishu.inbound import events_of, pressed
from adapters.feishu.outbound import calls_for, failure, file_type, outcome_of, sent
from adapters.feishu.proof import CHALLENGE, is_old_card, proven
from adapters.feishu.settings import Settings
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
)
from router.domain.content import Media, MediaKind
from router.domain.identity import Claim, ClaimKind

_JSON = "application/json; charset=utf-8"
_SUCCESS = Response(body=b'{"msg":"success"}', content_type=_JSON)
_NOTHING = Response(body=b"{}", content_type=_JSON)
_OK = 200
_MARGIN = timedelta(minutes=1)
_LONGEST = 86_400


@dataclass(frozen=True, slots=True)
class Feishu:
    """One self-built app whose bot people write to."""

    settings: Settings

    # ----- in ------------------------------------------------------------------------------------

    def verify(self, request: Request) -> Trusted:
        return Trusted(request=request, body=proven(request, self.settings))

    def handshake(self, request: Trusted) -> Response | None:
        """Answer the check of the address with its challenge, written as JSON."""
        fields = read_object(request.body)
        if word(fields, "type") != CHALLENGE:
            return None
        if not word(fields, "challenge"):
            raise Malformed("url_verification without a challenge")
        answer = raw_json({"challenge": word(fields, "challenge")})
        return Response(body=answer, content_type=_JSON)

    def decode(self, request: Trusted) -> Decoded:
        """Return what the event says; a press on a card is answered with nothing to show."""
        fields = read_object(request.body)
        now = request.request.moment.now
        if is_old_card(fields):
            key = f"card:{request.request.headers.get('x-lark-signature', '')}"
            return Decoded(events=(pressed(fields, fields, key, now),), response=_NOTHING)
        app = word(inside(fields, "header"), "app_id")
        if app and app != self.settings.app_id:
            raise Malformed("the event is addressed to another app")
        card = word(inside(fields, "header"), "event_type") == "card.action.trigger"
        return Decoded(events=events_of(fields, now), response=_NOTHING if card else _SUCCESS)

    # ----- out -----------------------------------------------------------------------------------

    def encode(self, message: Outbound) -> tuple[HttpCall, ...]:
        return calls_for(message, self.settings)

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        if token is None:
            raise ValueError("a call to Feishu needs a tenant access token")
        return bearer(call, token.value)

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return sent(reply)

    # ----- tokens --------------------------------------------------------------------------------

    def token_call(self) -> HttpCall:
        url = f"{self.settings.api_base}/open-apis/auth/v3/tenant_access_token/internal"
        return post_json(
            url, {"app_id": self.settings.app_id, "app_secret": self.settings.app_secret}
        )

    def read_token(self, reply: Reply, *, now: datetime) -> Token | Deferred | Refused:
        trouble = in_trouble(reply)
        if trouble is not None:
            return trouble
        answer = said(reply)
        value, seconds = word(answer, "tenant_access_token"), word(answer, "expire")
        if value and seconds.isascii() and seconds.isdigit():
            lasts = timedelta(seconds=min(int(seconds[:6]), _LONGEST))
            return Token(value=value, expires_at=now + max(lasts - _MARGIN, lasts / 2))
        if not word(answer, "code"):
            return Deferred(why="the answer is not Feishu's")
        outcome = failure(word(answer, "code"), word(answer, "msg"))
        if isinstance(outcome, TokenExpired):
            return Refused(reason=Reason.CREDENTIALS, why=outcome.why)
        return outcome

    # ----- media ---------------------------------------------------------------------------------

    def upload_call(self, media: Media, data: bytes, *, moment: Moment) -> HttpCall:
        """Return the upload of a picture, or of another file (unverified addresses)."""
        base = f"{self.settings.api_base}/open-apis/im/v1"
        if media.kind is MediaKind.IMAGE:
            url, part, fields = f"{base}/images", "image", {"image_type": "message"}
        else:
            name = media.name.replace("\r", "").replace("\n", "") or media.kind.value
            url, part = f"{base}/files", "file"
            fields = {"file_type": file_type(media), "file_name": name}
        return post_file(url, media, data, part=part, entropy=moment.entropy, fields=fields)

    def read_upload(self, reply: Reply) -> str | Outcome:
        outcome = outcome_of(reply)
        key = word(inside(said(reply), "data"), "image_key", "file_key")
        return key if isinstance(outcome, Accepted) and key else outcome

    def fetch_call(self, media: Media) -> HttpCall | None:
        """Return the download of a file in a message (unverified address)."""
        message, _, key = media.ref.partition("/")
        if not (message and key):
            return None
        kind = "image" if media.kind is MediaKind.IMAGE else "file"
        path = f"{quote(message, safe='')}/resources/{quote(key, safe='')}"
        url = with_query(f"{self.settings.api_base}/open-apis/im/v1/messages/{path}", type=kind)
        return HttpCall(method="GET", url=url, note="fetch")

    def read_fetch(self, reply: Reply) -> Outcome | Elsewhere:
        """Say whether the file itself came, or an error as JSON."""
        code = word(said(reply), "code") if reply.body.lstrip()[:1] == b"{" else ""
        return Accepted() if reply.status == _OK and code in ("", "0") else outcome_of(reply)

    # ----- people --------------------------------------------------------------------------------

    def profile_call(self, external_id: str) -> HttpCall | None:
        """Return the look-up of a person in the address book, which needs a scope (unverified)."""
        path = f"/open-apis/contact/v3/users/{quote(external_id, safe='')}"
        url = f"{self.settings.api_base}{path}"
        return HttpCall(method="GET", url=with_query(url, user_id_type="open_id"), note="profile")

    def read_profile(
        self, external_id: str, reply: Reply, *, now: datetime
    ) -> Identified | Outcome:
        """Return the name; phone and e-mail are only noted, because who proved them is unknown."""
        outcome = outcome_of(reply)
        if not isinstance(outcome, Accepted):
            return outcome
        person = inside(inside(said(reply), "data"), "user")
        if not person:
            return Refused(reason=Reason.RECIPIENT, why="the platform shows no such person")
        found = (
            (ClaimKind.UNION, word(person, "union_id"), True),
            (ClaimKind.PHONE, e164(word(person, "mobile"), "CN"), False),
            (ClaimKind.EMAIL, word(person, "email").lower(), False),
        )
        return Identified(
            external_id=f"profile:{external_id}:{int(now.timestamp())}",
            sender=external_id,
            at=now,
            claims=tuple(
                Claim(kind=kind, value=value, verified=proven, source="platform")
                for kind, value, proven in found
                if value
            ),
            sender_name=word(person, "name", "nickname", "en_name"),
        )
