"""The frames of ``pam.v1`` that the server sends; fulfils `router.channel.connection.ServerFrames`.

Pure: ids, sequence numbers and times come from the caller, because they are known only after the
commit.
"""

from datetime import datetime
from typing import Any

from adapters.webchat.wire import write
from router.channel.connection import Visitor
from router.channel.contract import ReceiptState, Speaker
from router.channel.text import as_text
from router.domain.content import Content, Link, Media, Menu, Place, Text

_ROLES = {
    Speaker.CONTACT: "customer",
    Speaker.AGENT: "agent",
    Speaker.BOT: "bot",
    Speaker.SYSTEM: "system",
    Speaker.UNKNOWN: "system",
}


def welcome(visitor: Visitor, *, re: str, conversation: str, seq: int) -> bytes:
    """Greet after a hello; ``seq`` is the last that the conversation holds."""
    return _frame(
        "welcome",
        re=re,
        visitor_id=visitor.external_id,
        conversation_id=conversation,
        verified=visitor.verified,
        name=visitor.name,
        seq=seq,
    )


def ack(*, re: str, client_msg_id: str, message_id: str, seq: int, at: datetime) -> bytes:
    """Say that a ``send`` is committed."""
    return _frame(
        "ack",
        re=re,
        client_msg_id=client_msg_id,
        message_id=message_id,
        seq=seq,
        ts=_milliseconds(at),
    )


def message(
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
    return _frame(
        "message",
        message_id=message_id,
        seq=seq,
        **{"from": {"role": _ROLES[by], "name": name}},
        **_said(content),
        ts=_milliseconds(at),
        **({"client_msg_id": client_msg_id} if client_msg_id else {}),
    )


def receipt(*, message_id: str, state: ReceiptState, at: datetime) -> bytes:
    """Say how far a message of the visitor has come."""
    return _frame("receipt", message_id=message_id, state=state.value, ts=_milliseconds(at))


def typing(*, by: Speaker, name: str) -> bytes:
    """Say that our side is typing."""
    return _frame("typing", **{"from": {"role": _ROLES[by], "name": name}})


def recalled(*, message_id: str, client_msg_id: str = "") -> bytes:
    """Say that a message was taken back."""
    return _frame("recalled", message_id=message_id, client_msg_id=client_msg_id)


def assigned(*, name: str, by: Speaker) -> bytes:
    """Say who answers from now on."""
    return _frame("assigned", **{"from": {"role": _ROLES[by], "name": name}})


def ended(*, conversation: str) -> bytes:
    """Say that the conversation is over."""
    return _frame("ended", conversation_id=conversation)


def upload(*, re: str, url: str, max_size: int) -> bytes:
    """Say where one file may be posted; ``max_size`` in bytes."""
    return _frame("upload", re=re, url=url, max_size=max_size)


def error(*, re: str, code: str, message: str = "", retry_after: float | None = None) -> bytes:
    """Say what went wrong; ``retry_after`` in seconds."""
    later = {} if retry_after is None else {"retry_after": retry_after}
    return _frame("error", re=re, code=code, message=message, **later)


def _said(content: Content) -> dict[str, Any]:
    match content:
        case Text(text=text):
            return {"type": "text", "text": text}
        case Media():
            file = {"name": content.name, "mime": content.mime, "size": content.size}
            given = {"link": content.link or content.stored, "ref": content.ref}
            return {
                "type": content.kind.value,
                "text": content.caption or content.transcript,
                "attachment": {key: value for key, value in (given | file).items() if value},
            }
        case Menu(text=text, options=options):
            choices = [{"id": option.id, "label": option.label} for option in options]
            return {"type": "menu", "text": text, "options": choices}
        case Link(title=title, url=url, description=description, picture=picture):
            card = {"title": title, "url": url, "description": description, "picture": picture}
            return {"type": "link", "text": title, "link": card}
        case Place(latitude=latitude, longitude=longitude, label=label):
            spot = {"latitude": latitude, "longitude": longitude, "label": label}
            return {"type": "place", "text": as_text(content), "place": spot}
        case other:
            return {"type": "text", "text": as_text(other)}


def _frame(op: str, **fields: Any) -> bytes:
    return write({"v": 1, "op": op, **fields})


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
