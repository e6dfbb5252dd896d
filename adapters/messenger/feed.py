"""What comments and visitors' posts on a page say, in our words.

https://developers.facebook.com/docs/graph-api/webhooks/reference/page/#feed
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapters._common.fields import inside, moment_of, word
from adapters._common.meta import Entry
from adapters._common.metasend import COMMENT, POST
from router.channel.contract import (
    Audience,
    Edited,
    Event,
    Ignored,
    Malformed,
    Recalled,
    Received,
)
from router.domain.content import Content, Media, MediaKind, Text, Unsupported

_POSTS = frozenset({"post", "status", "photo", "video", "share", "link", "album", "note"})


def event_of(entry: Entry, value: Mapping[str, Any]) -> Event:
    """Return what one change of the field ``feed`` says.

    Our page's own words are only counted: whom they answer is not said, and a word of ours needs
    the customer whom it is for.
    """
    item, verb = word(value, "item"), word(value, "verb")
    comment = item == "comment"
    key = word(value, "comment_id") if comment else word(value, "post_id")
    if not (comment or item in _POSTS) or verb not in ("add", "edited", "edit", "remove"):
        return Ignored(kind=f"feed.{item or 'unnamed'}.{verb or 'unnamed'}")
    if not key:
        raise Malformed(f"a {item} without its id")
    writer = word(inside(value, "from"), "id")
    if writer and writer == entry.id:
        return Ignored(kind=f"feed.{item}.ours")
    sender = writer or f"anonymous:{key}"  # the page may hide who wrote; the words still count
    match verb:
        case "add":
            return _received(entry, value, key, sender)
        case "remove":
            at = _sent(entry)
            return Recalled(external_id=f"{key}:remove", target=key, sender=sender, at=at)
        case _:
            return Edited(
                external_id=f"{key}:edited:{entry.time}",
                target=key,
                sender=sender,
                at=_sent(entry),
                content=_content(value),
            )


def _received(entry: Entry, value: Mapping[str, Any], key: str, sender: str) -> Received:
    comment, post = word(value, "item") == "comment", word(value, "post_id")
    above = word(value, "parent_id")
    return Received(
        external_id=key,
        sender=sender,
        at=moment_of(word(value, "created_time")) or _sent(entry),
        content=_content(value),
        sender_name=word(inside(value, "from"), "name"),
        audience=Audience.PUBLIC,
        thread=post or key,
        reply_handle=f"{COMMENT if comment else POST}{key}",
        reply_to="" if above == post else above,
        opens_window="comment",
    )


def _content(value: Mapping[str, Any]) -> Content:
    """Return the words, or the picture or film with the words under it."""
    words = word(value, "message")
    for name, kind in (("video", MediaKind.VIDEO), ("photo", MediaKind.IMAGE)):
        if word(value, name):
            return Media(kind=kind, link=word(value, name), caption=words)
    link = word(value, "link")
    if words:
        return Text(text=words)
    return Unsupported(kind=word(value, "item"), text=link)


def _sent(entry: Entry) -> datetime:
    """Return when the platform sent the delivery, or raise `Malformed`."""
    at = moment_of(entry.time)
    if at is None:
        raise Malformed("entry.time must be seconds since 1970")
    return at
