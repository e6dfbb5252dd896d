"""Pinduoduo's message socket (PMC): each frame is news of an order, acknowledged after the commit.

https://open.pinduoduo.com (the page of the socket was not seen; the shapes are those of clients)
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from adapters._common.calls import raw_json
from adapters._common.fields import inside, moment_of, word
from adapters._common.jsonin import read_object
from adapters._common.shops import kind_of, news, told, written
from adapters.pinduoduo.settings import Settings
from router.channel.contract import (
    Decoded,
    Event,
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
    Unverified,
)

_JSON = "application/json"
_LABELS = {
    "status": "",
    "order_status": "",
    "refund_status": "",
    "operation": "",
    "refund_id": "退款/refund",
    "refund_fee": "退款额/amount",
    "tracking_number": "运单/parcel",
    "reason": "原因/reason",
    "remark": "备注/note",
}
_PARTS = ("refund_id", "status", "operation", "modified")
_LONGEST_NUMBER = 18
_BEATS = timedelta(seconds=7)


def socket_sign(client_id: str, milliseconds: str, client_secret: str) -> str:
    """Return the signature in the socket's path: Base64 of the hex text, not of the digest."""
    said = f"{client_id}{milliseconds}{client_secret}".encode("utf-8", "replace")
    return base64.b64encode(hashlib.md5(said, usedforsecurity=False).hexdigest().encode()).decode()


@dataclass(frozen=True, slots=True)
class Pinduoduo:
    """One application: frames of its socket, as they are or passed on to the account's address."""

    settings: Settings

    # ----- the socket ----------------------------------------------------------------------------

    def dial(self, moment: Moment) -> str:
        """Return the address to connect to; it holds a signature and is never stored."""
        milliseconds = str(int(moment.now.timestamp() * 1000))
        given = self.settings
        sign = quote(socket_sign(given.client_id, milliseconds, given.client_secret), safe="")
        return f"{given.socket_base}/message/{given.client_id}/{milliseconds}/{sign}"

    @property
    def holds(self) -> bool:
        """Return whether we open the socket ourselves; else a relay posts its frames."""
        return self.settings.socket

    @property
    def binary(self) -> bool:
        return False

    @property
    def beats_every(self) -> timedelta:
        return _BEATS

    def greeting(self, moment: Moment) -> bytes:
        """Return nothing: the address proves us."""
        return b""

    def admitted(self, frame: bytes) -> str | Refused | None:
        return ""

    def heartbeat(self, token: str, moment: Moment) -> bytes:
        """Return the frame that is to be sent every five to ten seconds."""
        return raw_json({"commandType": "HeartBeat", "time": _milliseconds(moment.now)})

    # ----- in ------------------------------------------------------------------------------------

    def verify(self, request: Request) -> Trusted:
        """Trust a frame for its connection, and one that is passed on for the secret in the path.

        Nothing in a frame is signed.
        """
        if request.method not in ("FRAME", "POST"):
            raise Unverified("expected a frame of the socket, posted to the secret path")
        return Trusted(request=request, body=request.body)

    def handshake(self, request: Trusted) -> Response | None:
        """Return None: the connection is proven by its address."""
        return None

    def decode(self, request: Trusted) -> Decoded:
        """Return what the frame says and, for news, the frame that acknowledges it."""
        frame, now = read_object(request.body), request.request.moment.now
        command = word(frame, "commandType")
        if command != "Common":
            return Decoded(events=(Ignored(kind=f"frame.{command or 'unnamed'}"),))
        message = inside(frame, "message")
        mall = word(message, "mallID")
        ours = self.settings.mall_id in ("", mall)
        event = _event(frame, message, now) if ours else Ignored(kind="another_shop")
        return Decoded(events=(event,), response=_ack(frame, message, now))

    # ----- out -----------------------------------------------------------------------------------

    def encode(self, message: Outbound) -> tuple[HttpCall, ...]:
        """Return nothing: buyers are answered in the platform's workbench only."""
        return ()

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        return call

    def interpret(self, call: HttpCall, reply: Reply) -> Outcome:
        return Refused(reason=Reason.ACCOUNT, why="Pinduoduo has no public API for replies")


def _event(frame: Mapping[str, Any], message: Mapping[str, Any], now: datetime) -> Event:
    topic, content = word(message, "type"), inside(message, "content")
    kind, order = kind_of(topic), word(content, "tid", "order_sn")
    if not (kind and order):
        return Ignored(kind=topic or "unnamed")
    parts = (word(content, name) for name in _PARTS)
    key = word(frame, "id") or ":".join((topic, order, *filter(None, parts)))
    return news(
        external_id=f"pmc:{key}",
        kind=kind,
        order=order,
        at=moment_of(word(frame, "sendTime", "time")) or now,
        summary=told(content, _LABELS),
        words=written(content, "reason"),
    )


def _ack(frame: Mapping[str, Any], message: Mapping[str, Any], now: datetime) -> Response:
    answer = {
        "commandType": "Ack",
        "time": _milliseconds(now),
        "id": _number(word(frame, "id")),
        "sendTime": _number(word(frame, "sendTime")),
        "type": word(message, "type"),
        "mallID": _number(word(message, "mallID")),
    }
    return Response(body=raw_json(answer), content_type=_JSON)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _number(given: str) -> int | str:
    """Return the number that came as one; a text is given back as it was."""
    digits = given.isascii() and given.isdigit() and len(given) <= _LONGEST_NUMBER
    return int(given) if digits else given
