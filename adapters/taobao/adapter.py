"""Taobao: one adapter is one application with the shop that it serves."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hmac import compare_digest
from typing import Any

from adapters._common.fields import inside, word
from adapters._common.jsonin import read_object
from adapters._common.shops import local_text, signed_form
from adapters.taobao import pulling
from adapters.taobao.frames import (
    Frame,
    FrameType,
    Kind,
    confirm_frame,
    connect_frame,
    pull_frame,
    read_frame,
)
from adapters.taobao.inbound import news_of
from adapters.taobao.settings import Settings
from router.channel.contract import (
    Bell,
    Decoded,
    HttpCall,
    Ignored,
    Moment,
    Outbound,
    Outcome,
    Pulled,
    Reply,
    Request,
    Response,
    Token,
    Trusted,
    Unverified,
)

_BINARY = "application/octet-stream"
_SDK = "mainstem"
_LARGEST_ID = 2**64


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

    def heartbeat(self, token: str) -> bytes:
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
            return Decoded(events=rung or (Ignored(kind="ring.without_session"),))
        if request.proof is Way.SERVICE:
            method = next((v for name, v in request.request.query if name == "method"), "")
            return Decoded(events=(Ignored(kind=f"spi.{method or 'unnamed'}"),))
        frame = _as_frame(request.body)
        if frame.type != FrameType.SEND or word_of(frame, "__kind") != str(int(Kind.DATA)):
            return Decoded(events=(Ignored(kind=_named(frame)),))
        message = {name: word_or_object(value) for name, value in frame.content.items()}
        return Decoded(events=(news_of(message, now),), response=_confirmation(frame))

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


# ----- signatures --------------------------------------------------------------------------------


def connect_sign(settings: Settings, milliseconds: str) -> str:
    """Return the signature of the first frame."""
    secret = settings.app_secret
    said = f"app_key{settings.app_key}group_name{settings.group_name}timestamp{milliseconds}"
    raw = f"{secret}{said}{secret}".encode("utf-8", "replace")
    return hashlib.md5(raw, usedforsecurity=False).hexdigest().upper()


def service_sign(request: Request, secret: str) -> str:
    """Return the signature of a call of the platform's own: query, listed headers and body."""
    listed = request.headers.get("top-sign-list", "").split(",")
    names = [name.strip() for name in listed if name.strip()]
    parameters = {name: request.headers.get(name.lower(), "") for name in names}
    parameters.update({name: value for name, value in request.query if name != "sign"})
    said = "".join(f"{name}{parameters[name]}" for name in sorted(parameters) if parameters[name])
    raw = f"{secret}{said}".encode("utf-8", "replace") + request.body + secret.encode()
    return hashlib.md5(raw, usedforsecurity=False).hexdigest().upper()


# ----- frames ------------------------------------------------------------------------------------


def _as_frame(body: bytes) -> Frame:
    """Return a frame as it is on the wire, or as a relay has read it already (JSON)."""
    if not body.lstrip().startswith(b"{"):
        return read_frame(body)
    read = read_object(body)
    kind = word(read, "messageType")
    return Frame(
        type=int(kind) if kind in {str(int(each)) for each in FrameType} else FrameType.SEND,
        token=word(read, "token"),
        content=inside(read, "content") or read,
    )


def word_of(frame: Frame, name: str) -> str:
    """Return a custom header as text, whatever it came as."""
    value = frame.content.get(name)
    return str(value) if isinstance(value, int | str) else ""


def word_or_object(value: Any) -> str | Mapping[str, Any]:
    """Return a header's value as the readers of JSON know it: numbers are texts."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)


def _named(frame: Frame) -> str:
    names = {FrameType.CONNECT: "connect", FrameType.CONNECTED: "connected", FrameType.SENT: "sent"}
    if frame.type == FrameType.CONNECTED and frame.status:
        return "frame.refused"
    return f"frame.{names.get(FrameType(frame.type), 'send') if frame.type in _TYPES else 'other'}"


_TYPES = frozenset(int(each) for each in FrameType)


def _confirmation(frame: Frame) -> Response:
    """Return the frame that confirms the message; empty if it has no id to confirm."""
    key = word_of(frame, "id")
    if not (key.isascii() and key.isdigit() and int(key) < _LARGEST_ID):
        return Response()
    return Response(body=confirm_frame(frame.token, int(key)), content_type=_BINARY)
