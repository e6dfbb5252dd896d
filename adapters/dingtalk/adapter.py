"""DingTalk: one adapter is one robot of one app."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from adapters._common.answers import in_trouble, said
from adapters._common.calls import post_file, post_json, with_query
from adapters._common.fields import word
from adapters._common.jsonin import read_object
from adapters.dingtalk import stream
from adapters.dingtalk.inbound import messages_of
from adapters.dingtalk.outbound import alive, calls_for, outcome_of, wants_token
from adapters.dingtalk.proof import Way, proven, success
from adapters.dingtalk.settings import Settings
from router.channel.contract import (
    Accepted,
    Decoded,
    Deferred,
    Elsewhere,
    HttpCall,
    Ignored,
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

_NOTHING = Response(body=b"{}", content_type="application/json; charset=utf-8")
_MARGIN = timedelta(minutes=1)
_LONGEST = 86_400
_CHECK = "check_url"
_UPLOAD = "upload"


@dataclass(frozen=True, slots=True)
class DingTalk:
    """One robot, heard by HTTP callback or by stream, and the app's encrypted event pushes."""

    settings: Settings

    # ----- in ------------------------------------------------------------------------------------

    def verify(self, request: Request) -> Trusted:
        return proven(request, self.settings)

    def handshake(self, request: Trusted) -> Response | None:
        """Answer the check of an event push's address; the answer is encrypted like all others."""
        if request.proof is not Way.PUSH:
            return None
        if word(read_object(request.body), "EventType") != _CHECK:
            return None
        return success(request.request.moment, self.settings)

    def decode(self, request: Trusted) -> Decoded:
        """Return what was said; each way has an answer of its own."""
        moment = request.request.moment
        if request.proof is Way.STREAM:
            return stream.decoded(request.body, moment.now)
        body = read_object(request.body)
        if request.proof is Way.PUSH:
            kind = word(body, "EventType") or "unnamed"
            answer = success(moment, self.settings)
            return Decoded(events=(Ignored(kind=f"event.{kind}"),), response=answer)
        return Decoded(events=messages_of(body, moment.now), response=_NOTHING)

    # ----- the stream ----------------------------------------------------------------------------

    @property
    def dials(self) -> bool:
        """Return whether the robot is heard by stream and not by webhook."""
        return self.settings.stream

    def parts(self, frame: bytes) -> bool:
        """Return whether DingTalk asks us to leave and dial again."""
        return stream.parts(frame)

    def dial_call(self) -> HttpCall:
        """Return the call that asks for a stream; it holds credentials and is never stored."""
        return stream.dial_call(self.settings)

    def read_dial(self, reply: Reply) -> str | Outcome:
        """Return the address of the stream to connect to, or what went wrong."""
        return stream.read_dial(reply)

    # ----- out -----------------------------------------------------------------------------------

    def encode(self, message: Outbound) -> tuple[HttpCall, ...]:
        return calls_for(message, self.settings)

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        """Add the access token where one is wanted; a session that has died is left behind."""
        call = alive(call, moment.now)
        if not wants_token(call):
            return call
        if token is None:
            raise ValueError("a call to DingTalk needs an access token")
        if call.note == _UPLOAD:
            return replace(call, url=with_query(call.url, access_token=token.value))
        credential = ("x-acs-dingtalk-access-token", token.value)
        return replace(call, headers=(*call.headers, credential))

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return outcome_of(reply)

    # ----- tokens --------------------------------------------------------------------------------

    def token_call(self) -> HttpCall:
        url = f"{self.settings.api_base}/v1.0/oauth2/accessToken"
        return post_json(
            url, {"appKey": self.settings.app_key, "appSecret": self.settings.app_secret}
        )

    def read_token(self, reply: Reply, *, now: datetime) -> Token | Deferred | Refused:
        trouble = in_trouble(reply)
        if trouble is not None:
            return trouble
        answer = said(reply)
        value, seconds = word(answer, "accessToken"), word(answer, "expireIn")
        if value and seconds.isascii() and seconds.isdigit():
            lasts = timedelta(seconds=min(int(seconds[:6]), _LONGEST))
            return Token(value=value, expires_at=now + max(lasts - _MARGIN, lasts / 2))
        if not answer:
            return Deferred(why="the answer is not DingTalk's")
        why, code = word(answer, "message"), word(answer, "code")
        outcome = outcome_of(reply)
        if isinstance(outcome, Deferred):
            return outcome
        return Refused(reason=Reason.CREDENTIALS, why=why or "no token was given", code=code)

    # ----- media ---------------------------------------------------------------------------------

    def upload_call(self, media: Media, data: bytes, *, moment: Moment) -> HttpCall:
        """Return the upload of a file by the old interface."""
        url = with_query(f"{self.settings.oapi_base}/media/upload", type=media.kind.value)
        call = post_file(url, media, data, part="media", entropy=moment.entropy, fields={})
        return replace(call, note=_UPLOAD)

    def read_upload(self, reply: Reply) -> str | Outcome:
        outcome = outcome_of(reply)
        media_id = word(said(reply), "media_id")
        return media_id if isinstance(outcome, Accepted) and media_id else outcome

    def fetch_call(self, media: Media) -> HttpCall | None:
        """Return the question where a received file is."""
        if not media.ref:
            return None
        url = f"{self.settings.api_base}/v1.0/robot/messageFiles/download"
        return post_json(url, {"downloadCode": media.ref, "robotCode": self.settings.robot})

    def read_fetch(self, reply: Reply) -> Outcome | Elsewhere:
        """Return where the file is, or what went wrong."""
        link = word(said(reply), "downloadUrl")
        if link.startswith(("https://", "http://")):
            return Elsewhere(link=link)
        outcome = outcome_of(reply)
        if isinstance(outcome, Accepted):
            return Refused(reason=Reason.UNKNOWN, why="the platform told no downloadUrl")
        return outcome
