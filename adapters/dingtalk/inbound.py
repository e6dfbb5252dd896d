"""What a message to a robot of DingTalk says, in our words.

https://open.dingtalk.com/document/orgapp/the-application-robot-in-the-enterprise-sends-a-single-chat-message
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapters._common.calls import raw_json
from adapters._common.fields import inside, many, moment_of, word
from adapters._common.rich import parts_of, told
from adapters._common.wordin import leaves
from router.channel.contract import Event, Ignored, Malformed, Received
from router.domain.content import Content, Media, MediaKind, Pressed, Text, Unsupported

_GROUP = "2"
_FILES = {
    "picture": MediaKind.IMAGE,
    "audio": MediaKind.VOICE,
    "video": MediaKind.VIDEO,
    "file": MediaKind.FILE,
}


def messages_of(body: Mapping[str, Any], now: datetime) -> tuple[Event, ...]:
    """Return what a robot was told: one event, or several for a text with several pictures."""
    key = word(body, "msgId")
    sender = word(body, "senderStaffId", "senderId")
    if not (key and sender):
        raise Malformed("a message without msgId or without a sender")
    first, *more = _contents(body)
    group = word(body, "conversationType") == _GROUP
    said = Received(
        external_id=key,
        sender=sender,
        at=moment_of(word(body, "createAt")) or now,
        content=first,
        sender_name=word(body, "senderNick"),
        thread=word(body, "conversationId") if group else "",
        reply_handle=_handle(body),
    )
    return parts_of(said, more)


def _handle(body: Mapping[str, Any]) -> str:
    """Return where an answer may go for a while, and until when (milliseconds since 1970)."""
    webhook, until = word(body, "sessionWebhook"), word(body, "sessionWebhookExpiredTime")
    return json.dumps({"webhook": webhook, "until": until}) if webhook and until else ""


def _contents(body: Mapping[str, Any]) -> tuple[Content, ...]:
    kind = word(body, "msgtype")
    content = inside(body, "content")
    match kind:
        case "text" if "content" in inside(body, "text"):
            return (Text(text=word(inside(body, "text"), "content").strip()),)
        case "richText" if many(content, "richText"):
            return _rich(many(content, "richText"))
        case "picture" | "audio" | "video" | "file" if _code(content):
            return (_file(_FILES[kind], content),)
        case _:
            raw = content or inside(body, kind) or body.get("content") or body.get(kind)
            return (Unsupported(kind=kind or "message", text="\n".join(leaves(raw))),)


def _code(content: Any) -> str:
    return word(content, "downloadCode", "pictureDownloadCode")


def _file(kind: MediaKind, content: Any) -> Media:
    return Media(
        kind=kind,
        ref=_code(content),
        name=word(content, "fileName"),
        transcript=word(content, "recognition"),
    )


def _rich(parts: Any) -> tuple[Content, ...]:
    """Return a text with pictures; a part of an unknown kind keeps its words."""
    files = [_file(MediaKind.IMAGE, each) for each in parts if _code(each)]
    words = [word(each, "text") or " ".join(leaves(each)) for each in parts if not _code(each)]
    return told("".join(words).strip(), files)


def pressed(body: Mapping[str, Any], key: str, at: datetime) -> Event:
    """Return a press on a card; what was typed into the card is kept as words.

    https://open.dingtalk.com/document/orgapp/event-callback-card
    """
    sender = word(body, "userId")
    if not sender:
        return Ignored(kind="card.from_nobody")
    private = inside(inside(body, "content"), "cardPrivateData")
    params = inside(private, "params")
    actions = [each for each in many(private, "actionIds") if isinstance(each, str)]
    payload = ",".join(actions) or raw_json(params or inside(body, "content")).decode()
    return Received(
        external_id=f"card:{key}",
        sender=sender,
        at=at,
        content=Pressed(payload=payload, label="\n".join(leaves(params))),
        reply_to=word(body, "outTrackId"),
    )
