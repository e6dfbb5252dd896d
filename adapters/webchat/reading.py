"""What a browser's frames say, op by op, as events of the contract."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import TypeVar

from msgspec import Struct

from adapters.webchat import frames as server_frames
from adapters.webchat.wire import Head, Hello, Rate, Read, Recall, Send, UploadRequest, read
from router.channel.connection import Visitor
from router.channel.contract import (
    Event,
    Identified,
    Ignored,
    Malformed,
    Presence,
    Rated,
    Recalled,
    Receipt,
    ReceiptState,
    Received,
    Response,
    Trusted,
)
from router.domain.content import Content, Media, MediaKind, Pressed, Text, Unsupported

F = TypeVar("F", bound=Struct)
_MEDIA = {kind.value: kind for kind in MediaKind}


def _hello(request: Trusted, frame: Head, visitor: Visitor) -> tuple[Event, ...]:
    typed(request, frame, Hello)
    now = request.request.moment.now
    said = repr(sorted((claim.kind.value, claim.value) for claim in visitor.claims))
    identified = Identified(
        external_id=f"{visitor.external_id}:hello:{sha256(said.encode()).hexdigest()[:16]}",
        sender=visitor.external_id,
        at=now,
        claims=visitor.claims,
        sender_name=visitor.name,
    )
    online = Presence(sender=visitor.external_id, at=now, what="online")
    return (identified, online) if visitor.claims else (online,)


def _send(request: Trusted, frame: Head, visitor: Visitor) -> tuple[Event, ...]:
    sent = typed(request, frame, Send)
    return (
        Received(
            external_id=f"{visitor.external_id}:{sent.client_msg_id}",
            sender=visitor.external_id,
            at=request.request.moment.now,
            content=_content(sent, frame),
            sender_name=visitor.name,
            reply_to=sent.reply_to,
        ),
    )


def _content(sent: Send, frame: Head) -> Content:
    match sent:
        case Send(type="text", text=text) if text:
            return Text(text=text)
        case Send(type=kind, attachment=file) if file is not None and kind in _MEDIA:
            return Media(
                kind=_MEDIA[kind],
                ref=file.ref,
                caption=sent.text,
                name=file.name,
                mime=file.mime,
                size=file.size,
            )
        case Send(type="press", press=press) if press is not None:
            return Pressed(payload=press.payload, label=press.label)
        case Send(type=kind) if kind in _MEDIA or kind in ("text", "press"):
            raise refused(frame, "empty", f"a {kind} needs its content")
        case _:
            return Unsupported(kind=sent.type, text=sent.text)


def _typing(request: Trusted, _frame: Head, visitor: Visitor) -> tuple[Event, ...]:
    at = request.request.moment.now
    return (Presence(sender=visitor.external_id, at=at, what="typing"),)


def _read(request: Trusted, frame: Head, visitor: Visitor) -> tuple[Event, ...]:
    """Read up to the message's own time, so that one sent meanwhile does not count as read."""
    seen, now = typed(request, frame, Read), request.request.moment.now
    at = now
    if seen.ts is not None and seen.ts < now.timestamp() * 1000:
        at = datetime.fromtimestamp(seen.ts / 1000, UTC) + timedelta(microseconds=999)
    return (
        Receipt(
            external_id=f"{visitor.external_id}:read:{seen.seq}:{int(at.timestamp() * 1000)}",
            target="",
            sender=visitor.external_id,
            at=min(at, now),
            state=ReceiptState.READ,
        ),
    )


def _recall(request: Trusted, frame: Head, visitor: Visitor) -> tuple[Event, ...]:
    taken = typed(request, frame, Recall)
    own = f"{visitor.external_id}:{taken.client_msg_id}" if taken.client_msg_id else ""
    if not (own or taken.message_id):
        raise refused(frame, "empty", "a recall needs client_msg_id or message_id")
    return (
        Recalled(
            external_id=f"{visitor.external_id}:recall:{taken.client_msg_id or taken.message_id}",
            target=own or taken.message_id,
            sender=visitor.external_id,
            at=request.request.moment.now,
        ),
    )


def _rate(request: Trusted, frame: Head, visitor: Visitor) -> tuple[Event, ...]:
    given, now = typed(request, frame, Rate), request.request.moment.now
    about = given.conversation_id or f"{frame.id}:{int(now.timestamp() * 1000)}"
    return (
        Rated(
            external_id=f"{visitor.external_id}:rate:{about}",
            sender=visitor.external_id,
            at=now,
            score=given.score,
            comment=given.comment,
        ),
    )


def _upload(request: Trusted, frame: Head, _visitor: Visitor) -> tuple[Event, ...]:
    typed(request, frame, UploadRequest)
    return (Ignored(kind="upload_request"),)


READERS: Mapping[str, Callable[[Trusted, Head, Visitor], tuple[Event, ...]]] = MappingProxyType(
    {
        "hello": _hello,
        "send": _send,
        "typing": _typing,
        "read": _read,
        "recall": _recall,
        "rate": _rate,
        "upload_request": _upload,
    }
)


def head_of(body: bytes) -> Head:
    """Return op and id of any frame, or raise `Malformed`."""
    try:
        return read(body, Head)
    except Malformed as error:
        raise refused(Head(op=""), "bad_frame", str(error)) from error


def typed(request: Trusted, frame: Head, kind: type[F]) -> F:
    """Return the frame as ``kind``, or raise `Malformed` with the error frame for it."""
    try:
        return read(request.body, kind)
    except Malformed as error:
        raise refused(frame, "bad_frame", str(error)) from error


def refused(frame: Head, code: str, message: str) -> Malformed:
    """Return the error to raise, which carries the frame that says so."""
    said = server_frames.error(re=frame.id, code=code, message=message)
    return Malformed(message, answer=answer(said))


def answer(frame: bytes) -> Response:
    """Return ``frame`` as what a frame is answered."""
    return Response(body=frame, content_type="application/json")
