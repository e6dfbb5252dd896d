"""What an event of Feishu says, in our words.

https://open.feishu.cn/document/server-docs/im-v1/message/events/receive
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from adapters._common.calls import raw_json
from adapters._common.fields import inside, many, moment_of, word
from adapters._common.rich import parts_of
from adapters._common.wordin import leaves
from adapters.feishu.messages import contents_of
from router.channel.contract import (
    Event,
    Followed,
    Following,
    Ignored,
    Malformed,
    Recalled,
    Receipt,
    ReceiptState,
    Received,
)
from router.domain.content import Pressed, Unsupported
from router.domain.identity import Claim, ClaimKind

_APPS = frozenset({"app", "bot"})


def events_of(  # noqa: PLR0911  one arm for each kind of event
    fields: Mapping[str, Any], now: datetime
) -> tuple[Event, ...]:
    """Return what an event of version 2 or 1 says; ``now`` stands in for a time that it lacks."""
    header, event = inside(fields, "header"), inside(fields, "event")
    if not header:
        return (_first_version(fields, event, now),)
    at = moment_of(word(header, "create_time")) or now
    key = word(header, "event_id") or f"hash:{sha256(repr(event).encode()).hexdigest()[:32]}"
    match word(header, "event_type"):
        case "im.message.receive_v1":
            return _received(event, at)
        case "im.message.recalled_v1" if word(event, "message_id"):
            recalled_at = moment_of(word(event, "recall_time")) or at
            target = word(event, "message_id")
            return (Recalled(external_id=key, target=target, sender="", at=recalled_at),)
        case "im.message.message_read_v1":
            return _read(event, key, at)
        case "im.chat.access_event.bot_p2p_chat_entered_v1" if _person(event, "operator_id"):
            return (_entered(event, key, at),)
        case "card.action.trigger":
            return (pressed(inside(event, "operator"), event, key, at),)
        case other:
            return (Ignored(kind=other or "unnamed"),)


def _person(event: Mapping[str, Any], name: str) -> str:
    return word(inside(event, name), "open_id")


def _claims(person: Mapping[str, Any]) -> tuple[Claim, ...]:
    union = word(person, "union_id")
    claim = Claim(kind=ClaimKind.UNION, value=union, verified=True, source="platform")
    return (claim,) if union else ()


# ----- messages ----------------------------------------------------------------------------------


def _received(event: Mapping[str, Any], at: datetime) -> tuple[Event, ...]:
    sender, message = inside(event, "sender"), inside(event, "message")
    if word(sender, "sender_type") in _APPS:
        return (Ignored(kind="im.message.receive_v1.from_app"),)
    person = inside(sender, "sender_id")
    message_id = word(message, "message_id")
    name = word(person, "open_id", "union_id", "user_id")
    if not (message_id and name):
        raise Malformed("a message without message_id or without a sender")
    first, *more = contents_of(message)
    said = Received(
        external_id=message_id,
        sender=name,
        at=moment_of(word(message, "create_time")) or at,
        content=first,
        thread="" if word(message, "chat_type") == "p2p" else word(message, "chat_id"),
        reply_to=word(message, "parent_id"),
        claims=_claims(person),
    )
    return parts_of(said, more)


# ----- events ------------------------------------------------------------------------------------


def _read(event: Mapping[str, Any], key: str, at: datetime) -> tuple[Event, ...]:
    reader = inside(event, "reader")
    read_at = moment_of(word(reader, "read_time")) or at
    sender = _person(reader, "reader_id")
    listed = [each for each in many(event, "message_id_list") if isinstance(each, str) and each]
    receipts = tuple(
        Receipt(
            external_id=f"{key}:{each}",
            target=each,
            sender=sender,
            at=read_at,
            state=ReceiptState.READ,
        )
        for each in listed
    )
    return receipts or (Ignored(kind="im.message.message_read_v1"),)


def _entered(event: Mapping[str, Any], key: str, at: datetime) -> Followed:
    person = inside(event, "operator_id")
    return Followed(
        external_id=key,
        sender=word(person, "open_id"),
        at=at,
        what=Following.ENTERED,
        claims=_claims(person),
    )


def pressed(person: Mapping[str, Any], event: Mapping[str, Any], key: str, at: datetime) -> Event:
    """Return a press on a card; what was typed into the card's form is kept as words."""
    action = inside(event, "action")
    value = inside(action, "value")
    typed = "\n".join(
        leaves([action.get("input_value"), inside(action, "form_value"), action.get("options")])
    )
    payload = word(value, "id") or (raw_json(value).decode() if value else "")
    payload = payload or word(action, "option", "name", "tag")
    sender = word(person, "open_id")
    if not sender:
        return Ignored(kind="card.action.from_nobody")
    return Received(
        external_id=key,
        sender=sender,
        at=at,
        content=Pressed(payload=payload, label=typed or word(value, "label")),
        reply_to=word(inside(event, "context"), "open_message_id")
        or word(event, "open_message_id"),
        claims=_claims(person),
    )


def _first_version(fields: Mapping[str, Any], event: Mapping[str, Any], now: datetime) -> Event:
    """Return what an event of version 1 says: only a message is looked at, for its words."""
    kind = word(event, "type") or "unnamed"
    sender, message_id = word(event, "open_id"), word(event, "open_message_id")
    if kind != "message" or not (sender and message_id):
        return Ignored(kind=f"v1.{kind}")
    words = word(event, "text", "text_without_at_bot") or "\n".join(leaves(event.get("title")))
    return Received(
        external_id=message_id,
        sender=sender,
        at=moment_of(word(fields, "ts").partition(".")[0]) or now,
        content=Unsupported(kind=f"v1.{word(event, 'msg_type') or kind}", text=words),
    )
