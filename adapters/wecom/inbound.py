"""What a pulled page of WeCom customer service says, in our words.

https://developer.work.weixin.qq.com/document/path/94670
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapters._common.fields import inside, many, moment_of, place_of, word
from adapters._common.wordin import leaves
from router.channel.contract import (
    Event,
    Followed,
    Following,
    Ignored,
    Malformed,
    Reason,
    Recalled,
    Receipt,
    ReceiptState,
    Received,
    Speaker,
)
from router.domain.content import (
    Content,
    Link,
    Media,
    MediaKind,
    Pressed,
    Text,
    Unsupported,
)
from router.domain.identity import Claim, ClaimKind

_EVENT, _STAFF = "4", "5"
_SPEAKERS = {"3": Speaker.CONTACT, _STAFF: Speaker.AGENT}
_FAILURES: Mapping[str, Reason] = {
    "1": Reason.ACCOUNT,  # the service account was deleted
    "2": Reason.ACCOUNT,  # the app was closed
    "4": Reason.WINDOW,  # more than 48 hours
    "5": Reason.WINDOW,  # the session was closed
    "6": Reason.QUOTA,  # more than five messages
    "7": Reason.ACCOUNT,  # no video account is bound
    "8": Reason.ACCOUNT,  # the company is not verified
    "9": Reason.ACCOUNT,  # both of these
    "10": Reason.RECIPIENT,  # the customer refuses messages
    "11": Reason.ACCOUNT,  # nobody of the company uses the app
    "12": Reason.CONTENT,  # a kind that this account may not send
    "13": Reason.CONTENT,  # judged unsafe
}


def events_of(
    page: Mapping[str, Any], *, usual: str, rung_at: datetime | None
) -> tuple[Event, ...]:
    """Return what a page says, in the order in which it was said.

    ``usual`` is the service account whose conversations have no thread of their own. ``rung_at``
    stands in for the time of a message whose own cannot be read; without it the page is `Malformed`
    and stays unread, because nothing on it may be lost.
    """
    items = many(page, "msg_list")
    timed = [(_time(item, rung_at), item) for item in items if isinstance(item, Mapping)]
    timed.sort(key=lambda pair: pair[0])
    unread = len(items) - len(timed)
    said = (_said(item, at, usual) for at, item in timed)
    return (*said, *(Ignored(kind="item.unreadable") for _ in range(unread)))


def _time(item: Mapping[str, Any], rung_at: datetime | None) -> datetime:
    at = moment_of(word(item, "send_time")) or rung_at
    if at is None:
        raise Malformed("send_time must be seconds since 1970")
    return at


def _said(item: Mapping[str, Any], at: datetime, usual: str) -> Event:
    origin = word(item, "origin")
    if word(item, "msgtype") == "event" or origin == _EVENT:
        return _event(item, at)
    sender = word(item, "external_userid")
    if not sender:
        return Ignored(kind=f"{word(item, 'msgtype') or 'message'}.from_nobody")
    kfid = word(item, "open_kfid")
    by = _SPEAKERS.get(origin, Speaker.UNKNOWN)
    return Received(
        external_id=_id(item),
        sender=sender,
        at=at,
        content=content_of(item),
        by=by,
        thread="" if kfid == usual else kfid,
        opens_window="message" if by is Speaker.CONTACT else "",
        claims=_claims(item),
    )


def _id(item: Mapping[str, Any]) -> str:
    """Return the message's id; without one, a hash, because a page may be read twice."""
    known = word(item, "msgid")
    if known:
        return known
    said = "\x1f".join(f"{key}={'|'.join(leaves(item[key]))}" for key in sorted(item))
    return f"hash:{hashlib.sha256(said.encode()).hexdigest()[:32]}"


# ----- messages ----------------------------------------------------------------------------------


def content_of(item: Mapping[str, Any]) -> Content:
    """Return the words, the file or the card in a message; what is unknown keeps its words."""
    kind = word(item, "msgtype")
    body = inside(item, kind)
    match kind:
        case "text" if "content" in body:
            chosen, words = word(body, "menu_id"), word(body, "content")
            return Pressed(payload=chosen, label=words) if chosen else Text(text=words)
        case "image" | "voice" | "video" | "file" if word(body, "media_id"):
            name = word(body, "filename", "file_name")
            return Media(kind=MediaKind(kind), ref=word(body, "media_id"), name=name)
        case "location":
            label = " ".join(filter(None, (word(body, "name"), word(body, "address"))))
            return place_of(word(body, "latitude"), word(body, "longitude"), label)
        case "link" | "miniprogram" if word(body, "title"):
            return Link(
                title=word(body, "title"),
                url=word(body, "url", "pagepath"),
                description=word(body, "desc", "appid"),
                picture=word(body, "pic_url"),
            )
        case "channels_shop_product" | "channels_shop_order":
            return _goods(kind, body)
        case _:
            return Unsupported(kind=kind or "message", text="\n".join(leaves(body)))


def _goods(kind: str, body: Mapping[str, Any]) -> Unsupported:
    """Return the words of a product or order card, without the addresses of its pictures."""
    words = (each for each in leaves(body) if not each.startswith(("https://", "http://")))
    return Unsupported(kind=kind, text="\n".join(words))


def _claims(item: Mapping[str, Any]) -> tuple[Claim, ...]:
    order = word(inside(item, "channels_shop_order"), "order_id")
    claim = Claim(kind=ClaimKind.ORDER, value=order, verified=False, source="platform")
    return (claim,) if order else ()


# ----- events ------------------------------------------------------------------------------------


def _event(item: Mapping[str, Any], at: datetime) -> Event:
    event = inside(item, "event")
    name = word(event, "event_type")
    sender = word(event, "external_userid")
    match name:
        case "enter_session" if sender:
            source = ":".join(filter(None, (word(event, "scene"), word(event, "scene_param"))))
            return Followed(
                external_id=_id(item),
                sender=sender,
                at=at,
                what=Following.ENTERED,
                source=source,
            )
        case "msg_send_fail" if word(event, "fail_msgid"):
            return Receipt(
                external_id=_id(item),
                target=word(event, "fail_msgid"),
                sender=sender,
                at=at,
                state=ReceiptState.REFUSED,
                why=_FAILURES.get(word(event, "fail_type"), Reason.UNKNOWN).value,
            )
        case "user_recall_msg" | "servicer_recall_msg" if word(event, "recall_msgid"):
            return Recalled(
                external_id=_id(item), target=word(event, "recall_msgid"), sender=sender, at=at
            )
        case _:
            return Ignored(kind=f"event.{name or 'unnamed'}")
