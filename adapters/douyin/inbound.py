"""What a webhook of Douyin and a live room's push say, in our words.

https://developer.open-douyin.com/docs/resource/zh-CN/mini-app/develop/server/instant-message/private-message/private-msg-webhook
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from adapters._common.fields import inside, many, moment_of, opened, word
from adapters._common.phone import e164
from adapters._common.wordin import leaves
from router.channel.contract import (
    Audience,
    Event,
    Followed,
    Following,
    Ignored,
    Malformed,
    Recalled,
    Receipt,
    ReceiptState,
    Received,
    ShopEvent,
    Speaker,
)
from router.domain.content import Content, Media, MediaKind, Text, Unsupported
from router.domain.identity import Claim, ClaimKind

_LOCAL = {"user_local_image": MediaKind.IMAGE, "user_local_video": MediaKind.VIDEO}
_SHOWN = {"image": MediaKind.IMAGE, "emoji": MediaKind.IMAGE, "video": MediaKind.VIDEO}
_PHONES = ("电话", "手机", "phone", "mobile")
#: Names that frame a message and say nothing of their own.
_FRAME = frozenset(
    {
        *("conversation_short_id", "server_message_id", "conversation_type", "create_time"),
        *("message_type", "source", "user_infos", "index", "card_id", "card_status"),
    }
)


def event_of(fields: Mapping[str, Any], *, key: str, own: str, now: datetime) -> Event:
    """Return what a webhook says.

    ``key`` is its Msg-Id, ``own`` our open id, and ``now`` stands in for a time that it lacks.
    """
    name, content = word(fields, "event"), inside(fields, "content")
    at = moment_of(word(content, "create_time")) or now
    message = word(content, "server_message_id")
    match name:
        case "im_receive_msg" | "im_send_msg" | "im_group_receive_msg":
            return _received(fields, content, name, at)
        case "im_recall_msg" if message:
            return Recalled(
                external_id=f"recall:{message}",
                target=message,
                sender=word(fields, "from_user_id"),
                at=at,
            )
        case "im_message_read" if word(content, "read_open_id", "index"):
            return _read(fields, content, own, now)
        case "im_enter_direct_msg" if word(fields, "from_user_id"):
            return _entered(fields, content, message or key, at)
        case _ if name.startswith("life_trade_"):
            return _order(fields, content, key, at)
        case _:
            return Ignored(kind=name or "unnamed")


# ----- messages ----------------------------------------------------------------------------------


def _received(
    fields: Mapping[str, Any], content: Mapping[str, Any], name: str, at: datetime
) -> Event:
    ours = name == "im_send_msg"
    customer = word(fields, "to_user_id" if ours else "from_user_id")
    if not customer:
        raise Malformed(f"{name} without a customer")
    group = name == "im_group_receive_msg"
    conversation = word(content, "conversation_short_id")
    message = word(content, "server_message_id")
    private = not (ours or group)
    return Received(
        external_id=message or _fallback(fields),
        sender=customer,
        at=at,
        content=_content(content, fields),
        by=Speaker.AGENT if ours else Speaker.CONTACT,
        sender_name="" if ours else _name(content, customer),
        thread=conversation if group else "",
        reply_handle=_handle(message, conversation) if private else "",
        opens_window="message" if private else "",
        claims=() if ours else _claims(content),
    )


def _fallback(fields: Mapping[str, Any]) -> str:
    """Return a key for a message without an id, which no page describes, so that none is lost."""
    said = json.dumps(fields, ensure_ascii=False, sort_keys=True, default=str)
    return f"hash:{hashlib.sha256(said.encode('utf-8', 'replace')).hexdigest()[:32]}"


def _name(content: Mapping[str, Any], customer: str) -> str:
    listed = (each for each in many(content, "user_infos") if word(each, "open_id") == customer)
    return word(next(listed, {}), "nick_name")


def _handle(message: str, conversation: str) -> str:
    if not (message and conversation):
        return ""
    return json.dumps({"message": message, "conversation": conversation}, ensure_ascii=False)


def _content(content: Mapping[str, Any], fields: Mapping[str, Any]) -> Content:
    kind = word(content, "message_type")
    message, conversation = (
        word(content, "server_message_id"),
        word(content, "conversation_short_id"),
    )
    body = {name: value for name, value in content.items() if name not in _FRAME}
    link = next(_links(body), "")
    match kind:
        case "text" if "text" in content:
            return Text(text=word(content, "text") or word(inside(content, "text"), "text"))
        case "user_local_image" | "user_local_video" if message and conversation:
            return Media(kind=_LOCAL[kind], ref=f"{conversation}|{message}", link=link)
        case "image" | "emoji" | "video" if link:
            return Media(kind=_SHOWN[kind], link=link)
        case "retain_consult_card":
            return Unsupported(kind=kind, text="\n".join(_card_lines(content)))
        case _:
            raw = body if content else {"content": fields.get("content")}
            return Unsupported(kind=kind or "message", text="\n".join(leaves(raw)))


def _links(body: Mapping[str, Any]) -> Iterator[str]:
    return (each for each in leaves(body) if each.startswith("https://"))


# ----- lead cards --------------------------------------------------------------------------------


def _card(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each label of a lead card with what the customer filled in."""
    card = inside(content, "retain_consult_card") or content
    rows = many(card, "card_data") or many({"rows": _list(word(card, "card_data"))}, "rows")
    for row in rows:
        yield word(row, "label"), word(row, "value")


def _list(text: str) -> Any:
    return opened(f'{{"rows": {text}}}').get("rows") if text else None


def _card_lines(content: Mapping[str, Any]) -> Iterator[str]:
    told = [": ".join(filter(None, row)) for row in _card(content) if any(row)]
    body = {name: value for name, value in content.items() if name not in _FRAME}
    yield from told or leaves(body)


def _claims(content: Mapping[str, Any]) -> tuple[Claim, ...]:
    """Return the phone that a customer typed into a lead card: noted, and proof of nothing."""
    if word(content, "message_type") != "retain_consult_card":
        return ()
    numbers = (
        e164(value, "CN")
        for label, value in _card(content)
        if any(each in label.lower() for each in _PHONES)
    )
    return tuple(
        Claim(kind=ClaimKind.PHONE, value=number, verified=False, source="customer")
        for number in numbers
        if number
    )


# ----- events ------------------------------------------------------------------------------------


def _read(fields: Mapping[str, Any], content: Mapping[str, Any], own: str, now: datetime) -> Event:
    """Return that all up to ``index``, which looks like microseconds since 1970, was read."""
    reader = word(content, "read_open_id") or word(fields, "from_user_id")
    if reader == own:
        return Ignored(kind="im_message_read.by_us")
    index = word(content, "index")
    read_up_to = moment_of(index)
    return Receipt(
        external_id=f"read:{reader}:{index}",
        target="",
        sender=reader,
        at=read_up_to if read_up_to is not None and read_up_to <= now else now,
        state=ReceiptState.READ,
    )


def _entered(
    fields: Mapping[str, Any], content: Mapping[str, Any], key: str, at: datetime
) -> Followed:
    sender = word(fields, "from_user_id")
    source = ":".join(filter(None, (word(content, "scene_type"), word(content, "objectId"))))
    return Followed(
        external_id=f"enter:{key or _fallback(fields)}",
        sender=sender,
        at=at,
        what=Following.ENTERED,
        source=source,
        sender_name=_name(content, sender),
    )


def _order(fields: Mapping[str, Any], content: Mapping[str, Any], key: str, at: datetime) -> Event:
    """Return an order's news; the names of its fields are unverified, so several are tried."""
    name = word(fields, "event")
    order = word(content, "order_id") or word(inside(content, "order"), "order_id")
    sender = word(fields, "from_user_id") or word(content, "open_id", "user_open_id")
    if not (order and sender):
        return Ignored(kind=name)
    action = word(content, "action")
    return ShopEvent(
        external_id=f"{name}:{key or _fallback(fields)}",
        sender=sender,
        at=at,
        kind=name,
        order=order,
        summary=action,
    )


# ----- live rooms --------------------------------------------------------------------------------


def comments_of(items: Any, *, kind: str, room: str, now: datetime) -> tuple[Event, ...]:
    """Return the comments of one push, each public in the thread of its room."""
    if not isinstance(items, list):
        raise Malformed("a live room's push must be a list")
    if kind != "live_comment":
        return tuple(Ignored(kind=kind) for _ in items) or (Ignored(kind=kind),)
    return tuple(_comment(item, room, now) for item in items)


def _comment(item: Any, room: str, now: datetime) -> Event:
    viewer = word(item, "sec_openid")
    if not viewer:
        return Ignored(kind="live_comment.from_nobody")
    return Received(
        external_id=word(item, "msg_id") or _fallback(item),
        sender=viewer,
        at=moment_of(word(item, "timestamp")) or now,
        content=Text(text=word(item, "content")),
        sender_name=word(item, "nickname"),
        audience=Audience.PUBLIC,
        thread=room,
    )
