"""What an event of LINE says, in our words."""

from collections.abc import Mapping
from typing import Any

from adapters._common.fields import inside, many, place_of, word
from adapters._common.wordin import leaves
from adapters.line.wire import Item
from router.channel.contract import (
    Audience,
    Edited,
    Event,
    Followed,
    Following,
    Ignored,
    Malformed,
    Recalled,
    Received,
)
from router.domain.content import Content, Media, MediaKind, Pressed, Text, Unsupported

_MEDIA: Mapping[str, MediaKind] = {
    "image": MediaKind.IMAGE,
    "audio": MediaKind.VOICE,
    "video": MediaKind.VIDEO,
    "file": MediaKind.FILE,
}
#: What frames a message and says nothing of its own.
_FRAME = frozenset({"type", "id", "quoteToken", "quotedMessageId", "markAsReadToken"})


def event_of(item: Item) -> Event:
    """Return what ``item`` says."""
    match item.type:
        case "message":
            return _message(item)
        case "messageEdited":
            return _edited(item)
        case "unsend":
            return _unsent(item)
        case "postback":
            return _pressed(item)
        case "follow" | "unfollow":
            return _followed(item)
        case _:
            return Ignored(kind=item.type)


def _message(item: Item) -> Received:
    message = inside(item.fields, "message")
    message_id = word(message, "id")
    if not message_id:
        raise Malformed("a message without id")
    return _received(item, message_id, _content(message), reply_to=word(message, "quotedMessageId"))


def _received(item: Item, external_id: str, content: Content, *, reply_to: str = "") -> Received:
    return Received(
        external_id=external_id,
        sender=item.sender,
        at=item.at,
        content=content,
        audience=Audience.PUBLIC if item.room else Audience.PRIVATE,
        thread=item.room,
        reply_handle=item.reply_token,
        reply_to=reply_to,
        standby=item.standby,
    )


def _edited(item: Item) -> Edited:
    message = inside(item.fields, "message")
    if not word(message, "id"):
        raise Malformed("an edit without the message's id")
    return Edited(
        external_id=item.event_id,
        target=word(message, "id"),
        sender=item.sender,
        at=item.at,
        content=_content(message),
    )


def _unsent(item: Item) -> Recalled:
    target = word(inside(item.fields, "unsend"), "messageId")
    if not target:
        raise Malformed("an unsend without messageId")
    return Recalled(external_id=item.event_id, target=target, sender=item.sender, at=item.at)


def _pressed(item: Item) -> Received:
    """Return the press of a button; a picked date or another choice is its label."""
    press = inside(item.fields, "postback")
    label = " ".join(leaves(inside(press, "params")))
    return _received(item, item.event_id, Pressed(payload=word(press, "data"), label=label))


def _followed(item: Item) -> Followed:
    """Return that the account was added, let in again, or blocked: LINE calls that unfollow."""
    came = item.type == "follow"
    again = inside(item.fields, "follow").get("isUnblocked") is True
    return Followed(
        external_id=item.event_id,
        sender=item.sender,
        at=item.at,
        what=Following.FOLLOWED if came else Following.BLOCKED,
        source="unblocked" if again else "",
    )


# ----- what a message says -----------------------------------------------------------------------


def _content(message: Mapping[str, Any]) -> Content:
    kind = word(message, "type")
    match kind:
        case "text" if word(message, "text"):
            return Text(text=word(message, "text"))
        case _ if kind in _MEDIA:
            return _media(message, _MEDIA[kind])
        case "location":
            label = " ".join(
                each for each in (word(message, "title"), word(message, "address")) if each
            )
            return place_of(word(message, "latitude"), word(message, "longitude"), label)
        case "sticker":
            meant = (word(message, "text"), *leaves(many(message, "keywords")))
            return Unsupported(kind=kind, text=", ".join(each for each in meant if each))
        case _:
            own = {name: held for name, held in message.items() if name not in _FRAME}
            return Unsupported(kind=kind or "unnamed", text="\n".join(leaves(own)))


def _media(message: Mapping[str, Any], kind: MediaKind) -> Media:
    """Return a file that LINE keeps, or the address where the sending service keeps it."""
    provider = inside(message, "contentProvider")
    link = word(provider, "originalContentUrl") if word(provider, "type") == "external" else ""
    size = word(message, "fileSize")
    return Media(
        kind=kind,
        ref="" if link else word(message, "id"),
        link=link,
        name=word(message, "fileName"),
        size=int(size) if size.isascii() and size.isdigit() and len(size) < len("1" * 16) else 0,
    )
