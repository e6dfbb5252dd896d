"""What a push of Weibo says, in our words."""

import hashlib
import math

from adapters._common.wordin import leaves
from adapters.weibo.wire import Push
from router.channel.contract import Audience, Event, Followed, Following, Ignored, Received
from router.domain.content import (
    Content,
    Media,
    MediaKind,
    Place,
    Pressed,
    Text,
    Unsupported,
)

#: What Weibo itself writes beside a picture or a recording; nobody said it.
_WRITTEN_BY_WEIBO = frozenset({"发了一张图片", "发了一个语音消息"})
_FOLLOWING = {
    "follow": (Following.FOLLOWED, "follow"),
    "subscribe": (Following.FOLLOWED, "follow"),
    "scan_follow": (Following.FOLLOWED, "follow"),
    "unfollow": (Following.LEFT, ""),
    "unsubscribe": (Following.LEFT, ""),
    "scan": (Following.ENTERED, "scan"),
}


def event_of(push: Push) -> Event:
    """Return what ``push`` says."""
    kind = push.type.lower()
    if kind == "event":
        return _event(push)
    content = _content(push, kind)
    if isinstance(content, Unsupported) and not content.text:
        return Ignored(kind=f"type.{kind or 'unnamed'}")
    public = kind == "mention"
    return Received(
        external_id=external_id(push),
        sender=push.sender_id,
        at=push.at,
        content=content,
        audience=Audience.PUBLIC if public else Audience.PRIVATE,
        thread=_post(push) if public else "",
        opens_window="mention" if public else "message",
    )


def external_id(push: Push) -> str:
    """Return sender, second, type and a hash of what was said: Weibo gives no message id."""
    digest = hashlib.sha256(push.canonical.encode()).hexdigest()[:16]
    return f"{push.sender_id}-{int(push.at.timestamp())}-{push.type.lower()}-{digest}"


def _content(push: Push, kind: str) -> Content:
    match kind:
        case "text" | "mention":
            return Text(text=push.text)
        case "image" | "voice" if _file(push):
            own = push.text.strip() not in _WRITTEN_BY_WEIBO
            caption = push.text if own else ""
            return Media(kind=MediaKind(kind), ref=_file(push), caption=caption)
        case "position":
            return _place(push)
        case _:
            words = [each for each in (push.text, *leaves(push.data)) if each.strip()]
            return Unsupported(kind=push.type, text="\n".join(words))


def _file(push: Push) -> str:
    """Return the receiver's copy, which we may download; the sender's copy only without one."""
    return push.datum("tovfid") or push.datum("vfid")


def _place(push: Push) -> Content:
    try:
        latitude, longitude = float(push.datum("latitude")), float(push.datum("longitude"))
    except ValueError:
        return Unsupported(kind="position", text=push.text)
    if not (math.isfinite(latitude) and math.isfinite(longitude)):
        return Unsupported(kind="position", text=push.text)
    return Place(latitude=latitude, longitude=longitude, label=push.text)


def _post(push: Push) -> str:
    """Return the post that mentions us; the names are unverified, so several are tried."""
    names = ("status_id", "comment_id", "key")
    return next((push.datum(name) for name in names if push.datum(name)), "")


def _event(push: Push) -> Event:
    subtype = push.datum("subtype").lower()
    if subtype in _FOLLOWING:
        what, window = _FOLLOWING[subtype]
        return Followed(
            external_id=external_id(push),
            sender=push.sender_id,
            at=push.at,
            what=what,
            source=push.datum("key") or subtype,
            opens_window=window,
        )
    if subtype == "click":
        return Received(
            external_id=external_id(push),
            sender=push.sender_id,
            at=push.at,
            content=Pressed(payload=push.datum("key")),
            opens_window="click",
        )
    return Ignored(kind=f"event.{subtype or 'unnamed'}")
