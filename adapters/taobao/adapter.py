"""Taobao: one adapter is one application with the shop that it serves."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from hmac import compare_digest

from adapters._common.shops import local_text, signed_form
from adapters.taobao import pulling
from adapters.taobao.frames import FrameType, connect_frame, frame_of, pull_frame
from adapters.taobao.inbound import news_of
from adapters.taobao.proof import connect_sign, service_sign
from adapters.taobao.settings import Settings
from router.channel.contract import (
    Bell,
    Decoded,
    HttpCall,
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
    Trusted,
    Unverified,
)

_BINARY = "application/octet-stream"
_SDK = "mainstem"
_BEATS = timedelta(seconds=15)


class Way(StrEnum):
    """What a delivery is; what `Trusted` carries as its proof."""

    FRAME = "frame"
    SERVICE = "service"
    RING = "ring"


@dataclass(frozen=True, slots=True)
class Taobao:
    """One application: frames of its message socket, and what is pulled when somebody rings."""

    settings: Settings

    # ----- the socket ----------------------------------------------------------------------------

    @property
    def holds(self) -> bool:
        """Return whether the news is heard over the socket and not pulled."""
        return self.settings.socket

    @property
    def binary(self) -> bool:
        return True

    @property
    def beats_every(self) -> timedelta:
        """Return how often messages are asked for (the platform's page says every few seconds)."""
        return _BEATS

    def dial(self, moment: Moment) -> str:
        """Return the address to connect to."""
        return self.settings.socket_base

    def greeting(self, moment: Moment) -> bytes:
        """Return the first frame, signed; the answer to it brings the token of the others."""
        given, at = self.settings, str(int(moment.now.timestamp() * 1000))
        return connect_frame(
            {
                "app_key": given.app_key,
                "group_name": given.group_name,
                "timestamp": at,
                "sign": connect_sign(given, at),
                "sdk": _SDK,
            }
        )

    def admitted(self, frame: bytes) -> str | Refused | None:
        """Return the token of the answer to the greeting, or why we are not let in."""
        try:
            answer = frame_of(frame)
        except Malformed:
            return None
        if answer.type != FrameType.CONNECTED:
            return None
        if answer.status or not answer.token:
            why = f"{answer.status} {answer.phrase}".strip()
            return Refused(reason=Reason.CREDENTIALS, why=why, code=str(answer.status))
        return answer.token

    def heartbeat(self, token: str, moment: Moment) -> bytes:
        """Return the frame that asks for messages every few seconds."""
        return pull_frame(token)

    # ----- in ------------------------------------------------------------------------------------

    def verify(self, request: Request) -> Trusted:
        """Trust a frame for its connection, and a ring or a frame passed on for the secret path.

        A call of the platform's own (SPI) is signed, and that is looked at.
        """
        if request.method not in ("FRAME", "POST"):
            raise Unverified("expected a frame of the socket, posted to the secret path")
        if any(name == "sign" for name, _ in request.query):
            given = request.one("sign").encode("utf-8", "replace")
            if not compare_digest(given, service_sign(request, self.settings.app_secret).encode()):
                raise Unverified("sign does not match")
            return Trusted(request=request, body=request.body, proof=Way.SERVICE)
        way = Way.FRAME if request.body else Way.RING
        return Trusted(request=request, body=request.body, proof=way)

    def handshake(self, request: Trusted) -> Response | None:
        """Return None: the platform checks no address."""
        return None

    def decode(self, request: Trusted) -> Decoded:
        """Return what a frame says, with the frame that confirms it; or what is to be pulled."""
        now = request.request.moment.now
        if request.proof is Way.RING:
            rung = pulling.bells(self.settings, now)
            heard = rung or self.settings.socket  # over the socket there may be nothing to pull
            return Decoded(events=rung if heard else (Ignored(kind="ring.without_session"),))
        if request.proof is Way.SERVICE:
            method = next((v for name, v in request.request.query if name == "method"), "")
            return Decoded(events=(Ignored(kind=f"spi.{method or 'unnamed'}"),))
        frame = frame_of(request.body)
        if not frame.is_news:
            return Decoded(events=(Ignored(kind=frame.name),))
        answer = Response(body=frame.confirmation, content_type=_BINARY)
        return Decoded(events=(news_of(frame.fields, now),), response=answer)

    def pull_call(self, bell: Bell, *, cursor: str) -> HttpCall:
        return pulling.pull_call(bell, cursor=cursor, settings=self.settings)

    def read_pull(self, bell: Bell, reply: Reply) -> Pulled | Outcome:
        return pulling.read_pull(bell, reply)

    # ----- out -----------------------------------------------------------------------------------

    def encode(self, message: Outbound) -> tuple[HttpCall, ...]:
        """Return nothing: buyers are answered in 千牛 only."""
        return ()

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        """Add the application, the seller's session, the time and the signature over all."""
        system = {
            "app_key": self.settings.app_key,
            "session": self.settings.session,
            "timestamp": local_text(moment.now),
            "format": "json",
            "v": "2.0",
            "sign_method": "md5",
        }
        return signed_form(call, self.settings.app_secret, system)

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return pulling.outcome_of(reply)
