"""What a channel over our own WebSocket adds to the contract: who is there, and frames back.

`router.web.chat` owns the sockets and knows no adapter; an adapter owns the words of the protocol
and knows no socket. They meet in `Connects`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, Protocol, runtime_checkable

from router.channel.contract import (
    HttpCall,
    Moment,
    Outcome,
    ReceiptState,
    Refused,
    Reply,
    Request,
    Speaker,
    Trusted,
)
from router.domain.content import Content
from router.domain.identity import Claim


class CloseCode(IntEnum):
    """Why we close a socket: RFC 6455 §7.4.1, and 4000–4999 which are ours."""

    GOING_AWAY = 1001  # the daemon stops; come back
    BINARY = 1003
    BAD_TEXT = 1007  # not UTF-8, or half of a surrogate pair
    POLICY = 1008  # identity or origin refused
    TOO_BIG = 1009
    SLOW = 4008  # the other end does not read what we send
    RATE = 4009  # too many frames


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who is at the other end of a socket: the ``proof`` of every frame on it.

    ``external_id`` stays the same for the life of the connection, also when an anonymous visitor
    signs in on it: then ``verified`` turns true and ``claims`` hold what the shop signed.
    """

    external_id: str
    verified: bool
    name: str = ""
    claims: tuple[Claim, ...] = ()
    locale: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameHead:
    """What the socket's owner must know of a frame to answer it.

    ``id`` is the frame's own, repeated as ``re`` in the answer. ``client_msg_id`` is set on a
    ``send``. ``conversation`` and ``last_seq`` are a hello's wish to resume. ``name``, ``mime`` and
    ``size`` (bytes) describe the file of an ``upload_request``.
    """

    op: str
    id: str = ""
    client_msg_id: str = ""
    conversation: str = ""
    last_seq: int = 0
    name: str = ""
    mime: str = ""
    size: int = 0


class ServerFrames(Protocol):
    """The frames that the server sends, as UTF-8 JSON. Times become milliseconds."""

    def welcome(self, visitor: Visitor, *, re: str, conversation: str, seq: int) -> bytes:
        """Greet after a hello; ``seq`` is the last that the conversation holds."""

    def ack(self, *, re: str, client_msg_id: str, message_id: str, seq: int, at: datetime) -> bytes:
        """Say that a ``send`` is committed."""

    def message(
        self,
        *,
        message_id: str,
        seq: int,
        by: Speaker,
        name: str,
        content: Content,
        at: datetime,
        client_msg_id: str = "",
    ) -> bytes:
        """Show one message; ``client_msg_id`` when it is the visitor's own, replayed."""

    def receipt(self, *, message_id: str, state: ReceiptState, at: datetime) -> bytes:
        """Say how far a message of the visitor has come (read by the agent)."""

    def typing(self, *, by: Speaker, name: str) -> bytes:
        """Say that our side is typing."""

    def recalled(self, *, message_id: str, client_msg_id: str = "") -> bytes:
        """Say that a message was taken back."""

    def assigned(self, *, name: str, by: Speaker) -> bytes:
        """Say who answers from now on."""

    def ended(self, *, conversation: str) -> bytes:
        """Say that the conversation is over; the widget asks for a rating."""

    def upload(self, *, re: str, url: str, max_size: int) -> bytes:
        """Say where one file may be posted; ``max_size`` in bytes."""

    def error(
        self, *, re: str, code: str, message: str = "", retry_after: float | None = None
    ) -> bytes:
        """Say what went wrong; ``retry_after`` in seconds."""


@runtime_checkable
class Connects(Protocol):
    """A channel that proves a whole connection: ``verify`` the first frame, ``frame`` the others.

    For each text frame the socket's owner asks ``fault``, then builds a `Trusted`, then ``decode``,
    and after the commit answers with ``frames``. A `Decoded.response` with a body is a frame to
    send as it is; so is `Malformed.answer`.
    """

    @property
    def frames(self) -> ServerFrames:
        """The builders of the server's frames."""

    def fault(self, body: bytes) -> CloseCode | None:
        """Return why a frame ends the connection before anybody reads it, or None."""

    def frame(self, proof: Any, request: Request) -> Trusted:
        """Return a later frame as `Trusted`; `Unverified` if it is a hello that proves nothing.

        The returned ``proof`` replaces the connection's: a visitor may sign in on an open socket.
        """

    def head(self, request: Trusted) -> FrameHead:
        """Return what is needed to answer the frame; raises `Malformed` as ``decode`` does."""


@runtime_checkable
class SignsVisitors(Protocol):
    """A channel whose identities the shop signs; the demo shop has the channel itself sign them."""

    def issue(self, *, member: str, name: str, phone: str, at: datetime, lasts: timedelta) -> str:
        """Return a signed token for one member of the shop."""


# ----- connections that we open ------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """An MQTT broker and who we are there; ``url`` is ``mqtt://`` or ``mqtts://`` host and port.

    ``subscriptions`` are the topic filters of what people say to us. ``client`` is our stable name
    as the one that listens: under it the broker keeps what comes while nobody does.
    """

    url: str
    client: str
    subscriptions: tuple[str, ...]
    username: str = ""
    password: str = ""


@runtime_checkable
class OverBroker(Protocol):
    """A channel whose deliveries come over an MQTT broker.

    Each publish is a `Request` of the method ``PUBLISH`` whose path is the topic, with the headers
    ``retain`` (0 or 1) and, from MQTT 5, the user properties in lower case.
    """

    @property
    def broker(self) -> Broker:
        """Return where the broker is and what to listen to."""


@runtime_checkable
class Dials(Protocol):
    """A channel that is heard over a WebSocket which we open ourselves.

    Each text frame is a `Request` of the method ``FRAME`` with the socket's address (without its
    query, which holds a ticket); a `Decoded.response` with a body is sent back after the commit.
    """

    @property
    def dials(self) -> bool:
        """Return whether the account wants to be heard so."""

    def dial_call(self) -> HttpCall:
        """Return the call that asks where to connect; it holds credentials, is never stored."""

    def read_dial(self, reply: Reply) -> str | Outcome:
        """Return the address to connect to, or what went wrong."""

    def parts(self, frame: bytes) -> bool:
        """Return whether the platform asks us, by this frame, to leave and dial again."""


@runtime_checkable
class Holds(Protocol):
    """A channel that is heard over a socket whose address the adapter makes, and keeps alive.

    Each frame is a `Request` of the method ``FRAME`` with the socket's origin (its path may hold a
    signature); a `Decoded.response` with a body is sent back after the commit.
    """

    @property
    def holds(self) -> bool:
        """Return whether the account wants to be heard so."""

    @property
    def binary(self) -> bool:
        """Return whether our frames are bytes and not text."""

    @property
    def beats_every(self) -> timedelta:
        """Return how often we must be heard from."""

    def dial(self, moment: Moment) -> str:
        """Return the address to connect to; it may hold a signature and is never stored."""

    def greeting(self, moment: Moment) -> bytes:
        """Return the first frame; empty if the platform wants none."""

    def admitted(self, frame: bytes) -> str | Refused | None:
        """Return the token that a frame lets us in with, or why not; None for another frame."""

    def heartbeat(self, token: str, moment: Moment) -> bytes:
        """Return the frame by which we are heard from."""
