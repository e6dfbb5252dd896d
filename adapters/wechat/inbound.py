"""What a push of WeChat says, in our words."""

import hashlib
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from adapters._common.wordin import leaves
from adapters.wechat.wire import FRAME, Push
from router.channel.contract import (
    Event,
    Followed,
    Following,
    Ignored,
    Malformed,
    Reason,
    Receipt,
    ReceiptState,
    Received,
)
from router.domain.content import (
    Content,
    Link,
    Media,
    MediaKind,
    Place,
    Pressed,
    Text,
    Unsupported,
)

_LONGEST_KEY = 64
_SCANS = ("scancode_push", "scancode_waitmsg")
_PICKS = ("pic_sysphoto", "pic_photo_or_album", "pic_weixin", "location_select")


def event_of(push: Push, fields: Mapping[str, Any]) -> Event:
    """Return what ``push`` says; ``fields`` is the same push as it came."""
    if push.msg_type.lower() == "event":
        return _event(push)
    content = _content(push, fields)
    at = time_of(push)
    return Received(
        external_id=push.msg_id or _fallback_id(push, fields),
        sender=push.from_user_name,
        at=at,
        content=content,
        opens_window="message",
    )


def time_of(push: Push) -> datetime:
    """Return when it happened, or raise `Malformed`."""
    given = push.create_time
    try:
        if given.isascii() and given.isdigit():
            return datetime.fromtimestamp(int(given), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Malformed(f"CreateTime is out of range: {given[:20]}") from error
    raise Malformed("CreateTime must be seconds since 1970")


# ----- messages ----------------------------------------------------------------------------------


def _content(push: Push, fields: Mapping[str, Any]) -> Content:
    match push.msg_type.lower():
        case "text":
            chosen, words = push.menu_choice, push.content
            return Pressed(payload=chosen, label=words) if chosen else Text(text=words)
        case "image" | "voice" | "video" | "shortvideo" if push.media_id or push.pic_url:
            return _media(push)
        case "location":
            return _place(push)
        case "link":
            return Link(title=push.title, url=push.url, description=push.description)
        case "miniprogrampage":
            return Link(
                title=push.title,
                url=push.page_path,
                description=push.app_id,
                picture=push.thumb_url,
            )
        case _:
            return _unsupported(push, fields)


def _media(push: Push) -> Media:
    match push.msg_type.lower():
        case "image":
            return Media(kind=MediaKind.IMAGE, ref=push.media_id, link=push.pic_url)
        case "voice":
            return Media(
                kind=MediaKind.VOICE,
                ref=push.media_id,
                mime=f"audio/{push.format.lower()}" if push.format else "",
                transcript=push.recognition,
            )
        case _:
            return Media(kind=MediaKind.VIDEO, ref=push.media_id)


def _place(push: Push) -> Content:
    try:
        latitude, longitude = float(push.latitude), float(push.longitude)
    except ValueError:
        return Unsupported(kind="location", text=push.label)
    if not (math.isfinite(latitude) and math.isfinite(longitude)):
        return Unsupported(kind="location", text=push.label)
    return Place(latitude=latitude, longitude=longitude, label=push.label)


def _unsupported(push: Push, fields: Mapping[str, Any]) -> Unsupported:
    words = leaves({name: value for name, value in fields.items() if name not in FRAME})
    return Unsupported(kind=push.msg_type, text="\n".join(words))


def _fallback_id(push: Push, fields: Mapping[str, Any]) -> str:
    """Return a key for a message without MsgId, which no page describes, so that none is lost."""
    said = "\x1f".join(leaves(dict(sorted(fields.items()))))
    return _joined(push, push.msg_type, said)


# ----- events ------------------------------------------------------------------------------------


def _event(push: Push) -> Event:
    """Return what an event says; names are compared without regard to case."""
    name = push.event.lower()
    match name:
        case "subscribe" | "unsubscribe" | "scan" | "user_enter_tempsession":
            return _followed(push, name)
        case "templatesendjobfinish":
            return _receipt(push)
        case "click" | "scancode_push" | "scancode_waitmsg":
            return _pressed(push, _scanned(push) if name in _SCANS else "", window="click")
        case _ if name in _PICKS:
            return _pressed(push, _chosen_place(push), window="")
        case _:
            return Ignored(kind=f"event.{name or 'unnamed'}")


def _followed(push: Push, name: str) -> Followed:
    what, window = {
        "subscribe": (Following.FOLLOWED, "follow"),
        "unsubscribe": (Following.LEFT, ""),
        "scan": (Following.ENTERED, "scan"),
        "user_enter_tempsession": (Following.ENTERED, "enter"),
    }[name]
    return Followed(
        external_id=_event_id(push),
        sender=push.from_user_name,
        at=time_of(push),
        what=what,
        source=(push.event_key or push.session_from).removeprefix("qrscene_"),
        opens_window=window,
    )


def _receipt(push: Push) -> Receipt:
    """Return what became of a template message: success, ``failed:user block`` or another."""
    status = push.status.lower()
    delivered = status == "success"
    why = Reason.RECIPIENT if "block" in status else Reason.UNKNOWN
    return Receipt(
        external_id=_joined(push, push.event.lower(), push.job_id),
        target=push.job_id,
        sender=push.from_user_name,
        at=time_of(push),
        state=ReceiptState.DELIVERED if delivered else ReceiptState.REFUSED,
        why="" if delivered else why.value,
    )


def _pressed(push: Push, label: str, *, window: str) -> Received:
    return Received(
        external_id=_event_id(push),
        sender=push.from_user_name,
        at=time_of(push),
        content=Pressed(payload=push.event_key, label=label),
        opens_window=window,
    )


def _scanned(push: Push) -> str:
    info = push.scan_code_info
    result = info.get("ScanResult", "") if isinstance(info, dict) else ""
    return result if isinstance(result, str) else ""


def _chosen_place(push: Push) -> str:
    info = push.send_location_info
    named = (info.get("Poiname"), info.get("Label")) if isinstance(info, dict) else ()
    return " ".join(name for name in named if isinstance(name, str) and name)


def _event_id(push: Push) -> str:
    return _joined(push, push.event.lower(), push.event_key)


def _joined(push: Push, kind: str, key: str) -> str:
    """Return sender, time, kind and key: the platform's advice, so made that two events differ.

    A long key (an address) is hashed, because an id is looked up and not read.
    """
    if len(key) > _LONGEST_KEY:
        key = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:_LONGEST_KEY]
    return f"{push.from_user_name}:{push.create_time}:{kind}:{key}"
