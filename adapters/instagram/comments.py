"""What comments on media, comments in a live broadcast and mentions say, in our words.

https://developers.facebook.com/docs/instagram-platform/webhooks
"""

from collections.abc import Mapping
from typing import Any

from adapters._common.fields import inside, moment_of, word
from adapters._common.meta import Entry
from adapters._common.metasend import COMMENT
from router.channel.contract import Audience, Event, Ignored, Malformed, Received
from router.domain.content import Text, Unsupported


def event_of(entry: Entry, field: str, value: Mapping[str, Any]) -> Event:
    """Return what one change of the field ``comments``, ``live_comments`` or ``mentions`` says.

    Our own words are only counted: whom they answer is not said. A mention may hold nothing but
    ids; it is passed on all the same, for somebody to look at.
    """
    writer = inside(value, "from")
    sender, media = (
        word(writer, "id"),
        word(inside(value, "media"), "id") or word(value, "media_id"),
    )
    key, at = word(value, "id", "comment_id") or media, moment_of(entry.time)
    if not key or at is None:
        raise Malformed(f"a change of {field} without id, or sent at no time")
    if sender and sender in (entry.id, word(writer, "self_ig_scoped_id")):
        return Ignored(kind=f"{field}.ours")
    words = word(value, "text")
    return Received(
        external_id=key,
        sender=sender or f"anonymous:{key}",
        at=at,
        content=Text(text=words) if words else Unsupported(kind=field),
        sender_name=word(writer, "username"),
        audience=Audience.PUBLIC,
        thread=media,
        reply_handle=f"{COMMENT}{key}",
        reply_to=word(value, "parent_id"),
        opens_window="comment",
    )
