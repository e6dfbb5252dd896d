"""In-app messages: topics and payloads of our own, documented in this folder's README."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from adapters._common.answers import said
from adapters._common.calls import raw_json
from adapters._common.fields import moment_of, place_of
from adapters._common.wordin import fit
from adapters.inapp.settings import CAPABILITIES, Settings
from adapters.inapp.wire import State, Up, read
from router.channel.connection import Broker
from router.channel.contract import (
    Accepted,
    Decoded,
    Deferred,
    Event,
    Ignored,
    Malformed,
    Moment,
    Outbound,
    Outcome,
    Presence,
    Publish,
    Reason,
    Recalled,
    Receipt,
    ReceiptState,
    Received,
    Refused,
    Reply,
    Request,
    Response,
    Token,
    Trusted,
    Unverified,
)
from router.channel.text import as_text, split
from router.domain.content import Content, Media, MediaKind, Pressed, Text, Unsupported
from router.domain.identity import Claim, ClaimKind

_MEDIA = {kind.value: kind for kind in MediaKind}
_LONGEST_USER = 256
_LONGEST_AGO = timedelta(days=8)
# Reason codes of MQTT 5, section 2.4.
_NOT_ALLOWED, _BAD_TOPIC = 0x87, 0x90
_TOO_MUCH = frozenset({0x95, 0x99})
_FAILED = 0x80


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spoken:
    """Who speaks, and on which of the user's topics."""

    user: str
    topic: str


@dataclass(frozen=True, slots=True)
class InApp:
    """One app on one broker."""

    settings: Settings

    @property
    def broker(self) -> Broker:
        """Return where the broker is; what several routers share comes to one of them."""
        settings = self.settings
        return Broker(
            url=settings.broker_url,
            client=f"mainstem-inapp-{settings.root}-{settings.tenant}",
            subscriptions=(
                f"$share/router/{settings.users}/+/up",
                f"{settings.users}/+/presence",
            ),
            username=settings.username,
            password=settings.password,
        )

    # ----- in ------------------------------------------------------------------------------------

    def verify(self, request: Request) -> Trusted:
        """Take the user from the topic: the broker lets nobody publish to another's.

        If the broker adds the name that the user logged in with, it must be the same.
        """
        spoken = self._spoken(request)
        given = request.headers.get("username", "")
        if (given or self.settings.require_username) and given != spoken.user:
            raise Unverified("the authenticated user is not the topic's")
        return Trusted(request=request, body=request.body, proof=spoken)

    def _spoken(self, request: Request) -> _Spoken:
        if request.method != "PUBLISH":
            raise Unverified("nothing but a publish on our broker is taken")
        topic = urlsplit(request.url).path.removeprefix("/")
        rest = topic.removeprefix(f"{self.settings.users}/")
        encoded, _, last = rest.partition("/")
        user = unquote(encoded)
        if rest == topic or last not in ("up", "presence") or not user:
            raise Unverified("the topic is none of ours")
        if len(user) > _LONGEST_USER or not user.isprintable():
            raise Unverified("the topic names no user")
        return _Spoken(user=user, topic=last)

    def handshake(self, request: Trusted) -> Response | None:
        return None

    def decode(self, request: Trusted) -> Decoded:
        """Return what was published. A message is acknowledged on the user's down topic."""
        spoken = request.proof if isinstance(request.proof, _Spoken) else None
        spoken = spoken or self._spoken(request.request)
        now = request.request.moment.now
        if spoken.topic == "presence":
            return Decoded(events=(_presence(spoken.user, request.body, now),))
        if request.request.headers.get("retain", "0") == "1":
            return Decoded(events=(Ignored(kind="retained"),))
        up = read(request.body, Up)
        if up.op:
            return Decoded(events=(_control(spoken.user, up, now),))
        event = self._message(spoken.user, up, request.body, now)
        calls = (self._ack(spoken.user, up),) if up.client_msg_id else ()
        return Decoded(events=(event,), calls=calls)

    def _message(self, user: str, up: Up, body: bytes, now: datetime) -> Event:
        claim = Claim(
            kind=ClaimKind.MEMBER,
            value=user,
            verified=self.settings.trust_user,
            source="signed_identity",
        )
        return Received(
            external_id=f"{user}:{up.client_msg_id or sha256(body).hexdigest()[:32]}",
            sender=user,
            at=_at(up.ts, now),
            content=_content(up),
            reply_to=up.reply_to,
            claims=(claim,),
        )

    def _ack(self, user: str, up: Up) -> Publish:
        """Return the word that a message is kept: until it comes, the app sends it again."""
        ack = {"v": 1, "op": "ack", "client_msg_id": up.client_msg_id}
        return Publish(topic=self._down(user), payload=raw_json(ack))

    # ----- out -----------------------------------------------------------------------------------

    def encode(self, message: Outbound) -> tuple[Publish, ...]:
        shapes = _shapes(message.content)
        return tuple(
            Publish(
                topic=self._down(message.recipient),
                payload=raw_json(_down(message, shape, number)),
            )
            for number, shape in enumerate(shapes, 1)
        )

    def _down(self, user: str) -> str:
        return f"{self.settings.users}/{quote(user, safe='')}/down"

    def sign(self, call: Publish, *, token: Token | None, moment: Moment) -> Publish:
        return call

    def interpret(self, call: Publish, reply: Reply) -> Outcome:
        """Read the broker's reason code; nobody listening is no fault: the broker keeps it."""
        code = f"0x{reply.status:02x}"
        if reply.status < _FAILED:
            sent = said(Reply(status=200, body=call.payload))
            return Accepted(external_id=str(sent.get("message_id", "")))
        if reply.status == _NOT_ALLOWED:
            return Refused(reason=Reason.CREDENTIALS, why="the broker forbids it", code=code)
        if reply.status == _BAD_TOPIC:
            return Refused(reason=Reason.RECIPIENT, why="no topic for this user", code=code)
        if reply.status in _TOO_MUCH:
            return Refused(reason=Reason.CONTENT, why="the broker takes it not", code=code)
        return Deferred(why=f"the broker says {code}")


def _at(given: str, now: datetime) -> datetime:
    """Return the app's time; that of arrival if it lies ahead or too long ago."""
    found = moment_of(given) or now
    return found if now - _LONGEST_AGO <= found <= now else now


def _content(up: Up) -> Content:
    match up:
        case Up(type="text", text=text) if text:
            return Text(text=text)
        case Up(type=kind, url=url) if kind in _MEDIA and url.startswith(("https://", "http://")):
            return Media(kind=_MEDIA[kind], link=url, caption=up.text, name=up.name, mime=up.mime)
        case Up(type="location", latitude=latitude, longitude=longitude) if latitude:
            return place_of(latitude, longitude, up.text)
        case Up(type="event", payload=payload) if payload:
            return Pressed(payload=payload, label=up.text)
        case _:
            words = " ".join(part for part in (up.text, up.name, up.url, up.payload) if part)
            return Unsupported(kind=up.type or "unnamed", text=words)


def _control(user: str, up: Up, now: datetime) -> Event:
    at = _at(up.ts, now)
    match up.op:
        case "typing":
            return Presence(sender=user, at=now, what="typing")
        case "recall" if up.client_msg_id:
            return Recalled(
                external_id=f"{user}:recall:{up.client_msg_id}",
                target=f"{user}:{up.client_msg_id}",
                sender=user,
                at=at,
            )
        case "read" | "ack" if up.message_id or up.op == "read":
            state = ReceiptState.READ if up.op == "read" else ReceiptState.DELIVERED
            return Receipt(
                external_id=f"{user}:{up.op}:{up.message_id or at.isoformat()}",
                target=up.message_id,
                sender=user,
                at=at,
                state=state,
            )
        case other:
            return Ignored(kind=f"op {other}"[:64])


def _presence(user: str, body: bytes, now: datetime) -> Event:
    """Return whether the app is there: as JSON, or as the bare word of a last will."""
    try:
        state, at = (told := read(body, State)).state, moment_of(told.ts) or now
    except Malformed:
        state, at = body[:16].decode("utf-8", "replace").strip(), now
    match state:
        case "online":
            return Presence(sender=user, at=min(at, now), what="online")
        case "offline":
            return Presence(sender=user, at=min(at, now), what="offline")
        case other:
            return Ignored(kind=f"presence {fit(other)}"[:64].strip())


def _shapes(content: Content) -> tuple[dict[str, Any], ...]:
    match content:
        case Media(kind=kind, link=link) if link.startswith(("https://", "http://")):
            more = {"text": content.caption, "name": content.name, "mime": content.mime}
            return ({"type": kind.value, "url": link, **{k: v for k, v in more.items() if v}},)
        case other:
            parts = split(as_text(other), CAPABILITIES.max_text)
            return tuple({"type": "text", "text": part} for part in parts)


def _down(message: Outbound, shape: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a payload of ``…/down``; the parts of a long answer have ids of their own."""
    own = {
        "v": 1,
        "message_id": message.id if number == 1 else f"{message.id}.{number}",
        "seq": message.seq,
        **shape,
        "ts": int(message.at.timestamp() * 1000),
        "from": {"role": message.by.value, "name": message.speaker_name},
    }
    more = {"conversation_id": message.conversation, "reply_to": message.reply_to}
    return {**own, **{name: value for name, value in more.items() if value}}
