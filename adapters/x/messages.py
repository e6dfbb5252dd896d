"""What direct messages say, in our words.

https://developer.x.com/en/docs/x-api/enterprise/account-activity-api (data objects, v1.1)
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from adapters._common.fields import inside, many, moment_of, place_of, word
from adapters._common.rich import parts_of
from adapters._common.wordin import leaves
from router.channel.contract import (
    Event,
    Ignored,
    Malformed,
    Presence,
    Receipt,
    ReceiptState,
    Received,
    Speaker,
)
from router.domain.content import Content, Media, MediaKind, Pressed, Text, Unsupported

_KINDS = {
    "photo": MediaKind.IMAGE,
    "animated_gif": MediaKind.VIDEO,
    "video": MediaKind.VIDEO,
}
_DIGITS = 9
#: Where files lie that anybody can open; others are fetched with our key.
_OPEN = re.compile(r"https://[a-z0-9-]+\.twimg\.com/")


def message_of(event: Mapping[str, Any], users: Mapping[str, Any], own: str) -> Iterator[Event]:
    """Yield a direct message, and each further part of it; ``own`` is whose account it is."""
    kind, told = word(event, "type"), inside(event, "message_create")
    if kind != "message_create":
        yield Ignored(kind=f"direct_message.{kind or 'unnamed'}")
        return
    author, other = word(told, "sender_id"), word(inside(told, "target"), "recipient_id")
    ours = author == own != ""
    customer = other if ours else author
    key, at = word(event, "id"), moment_of(word(event, "created_timestamp"))
    if not (customer and key) or at is None:
        raise Malformed("a direct message without id, time or people")
    first, *more = contents_of(inside(told, "message_data"))
    yield from parts_of(
        Received(
            external_id=key,
            sender=customer,
            at=at,
            content=first,
            by=Speaker.AGENT if ours else Speaker.CONTACT,
            sender_name="" if ours else word(inside(users, customer), "name", "screen_name"),
        ),
        more,
    )


def contents_of(data: Mapping[str, Any]) -> tuple[Content, ...]:
    """Return the words, a press of a quick reply, a file with the words under it."""
    words, pressed = word(data, "text"), inside(data, "quick_reply_response")
    if pressed:
        return (Pressed(payload=word(pressed, "metadata"), label=words),)
    attachment = inside(data, "attachment")
    match word(attachment, "type"):
        case "":
            return (Text(text=words),) if words else (Unsupported(kind="message"),)
        case "media":
            return (media_of(inside(attachment, "media"), words),)
        case "location":
            return (*_said(words), _place(inside(attachment, "location")))
        case kind:
            text = "\n".join(leaves(attachment))
            return (*_said(words), Unsupported(kind=kind, text=text))


def _said(words: str) -> tuple[Content, ...]:
    return (Text(text=words),) if words else ()


def media_of(media: Mapping[str, Any], words: str) -> Content:
    """Return a picture or film; a picture in a direct message is fetched with our key."""
    kind, picture = word(media, "type"), word(media, "media_url_https")
    film = max(
        (each for each in many(inside(media, "video_info"), "variants") if _is_film(each)),
        key=_bitrate,
        default=None,
    )
    if kind not in _KINDS or not (film or picture):
        return Unsupported(kind=kind or "media", text=words)
    if film is not None:
        return Media(kind=_KINDS[kind], link=word(film, "url"), mime="video/mp4", caption=words)
    if _OPEN.match(picture):
        return Media(kind=MediaKind.IMAGE, link=picture, caption=words)
    return Media(kind=MediaKind.IMAGE, ref=picture, caption=words)


def _is_film(variant: Any) -> bool:
    is_film = word(variant, "content_type") == "video/mp4"
    return is_film and word(variant, "url").startswith("https://")


def _bitrate(variant: Any) -> int:
    given = word(variant, "bitrate")
    return int(given) if given.isascii() and given.isdigit() and len(given) <= _DIGITS else 0


def _place(location: Mapping[str, Any]) -> Content:
    shared = inside(location, "shared_coordinate")
    pair = many(inside(shared, "coordinates"), "coordinates")
    if [type(each) for each in pair] == [str, str]:
        return place_of(pair[1], pair[0], "")
    return Unsupported(kind="location", text="\n".join(leaves(location)))


# ----- around them -------------------------------------------------------------------------------


def typing_of(event: Mapping[str, Any], own: str) -> Event:
    """Return that a customer is typing."""
    author, at = word(event, "sender_id"), moment_of(word(event, "created_timestamp"))
    if author in ("", own) or at is None:
        return Ignored(kind="direct_message_indicate_typing.by_us")
    return Presence(sender=author, at=at, what="typing")


def read_of(event: Mapping[str, Any], own: str) -> Event:
    """Return that a customer has read everything up to then."""
    author, at = word(event, "sender_id"), moment_of(word(event, "created_timestamp"))
    if author in ("", own) or at is None:
        return Ignored(kind="direct_message_mark_read.by_us")
    return Receipt(
        external_id=f"read:{author}:{word(event, 'last_read_event_id') or int(at.timestamp())}",
        target="",
        sender=author,
        at=at,
        state=ReceiptState.READ,
    )
