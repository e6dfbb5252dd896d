"""What posts around the account say, in our words: mentions, answers, what was deleted.

https://developer.x.com/en/docs/x-api/v1/data-dictionary/object-model/tweet
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from adapters._common.fields import inside, many, moment_of, word
from adapters._common.rich import parts_of
from adapters.x.messages import media_of
from router.channel.contract import (
    Audience,
    Edited,
    Event,
    Ignored,
    Malformed,
    Recalled,
    Received,
    Speaker,
)
from router.domain.content import Content, Media, Text, Unsupported

_CREATED = "%a %b %d %H:%M:%S %z %Y"
#: All that one person writes to us in public is one talk: a post does not tell its conversation.
THREAD = "public"


def post_of(post: Mapping[str, Any], own: str, *, blocked: bool) -> Iterator[Event]:
    """Yield a post, and each further picture of it; ``own`` is whose account it is.

    Our own posts are of interest where they answer a customer. A post is answered with its id.
    """
    author, key = word(inside(post, "user"), "id_str", "id"), word(post, "id_str", "id")
    answered = word(post, "in_reply_to_user_id_str", "in_reply_to_user_id")
    if not (author and key):
        raise Malformed("a post without id or user")
    if inside(post, "retweeted_status"):
        yield Ignored(kind="tweet_create.retweet")
        return
    ours = author == own
    if ours and answered in ("", own):
        yield Ignored(kind="tweet_create.own")
        return
    at = moment_of(word(post, "timestamp_ms")) or _created(word(post, "created_at"))
    if at is None:
        raise Malformed("a post without a time that can be read")
    first, *more = _contents(post)
    before = _edited_from(post, key)
    if before and not ours:
        yield Edited(external_id=key, target=before, sender=author, at=at, content=first)
        return
    said = Received(
        external_id=key,
        sender=answered if ours else author,
        at=at,
        content=first,
        by=Speaker.AGENT if ours else Speaker.CONTACT,
        sender_name="" if ours else word(inside(post, "user"), "name", "screen_name"),
        audience=Audience.PUBLIC,
        thread=THREAD,
        reply_handle="" if ours or blocked else key,
        reply_to=word(post, "in_reply_to_status_id_str"),
        language=word(post, "lang") if word(post, "lang") in ("zh", "en") else "",
    )
    yield from parts_of(said, more)


def _created(given: str) -> datetime | None:
    try:
        return datetime.strptime(given, _CREATED).astimezone(UTC)
    except ValueError:
        return None


def _contents(post: Mapping[str, Any]) -> tuple[Content, ...]:
    whole = inside(post, "extended_tweet")
    words = word(whole, "full_text") or word(post, "full_text", "text")
    held = inside(whole, "extended_entities") or inside(post, "extended_entities")
    files = [_public(media_of(each, "")) for each in many(held, "media") if isinstance(each, dict)]
    if not files:
        return (Text(text=words),) if words else (Unsupported(kind="tweet"),)
    first, *more = files
    captioned = (
        replace(first, caption=words)
        if isinstance(first, Media)
        else Unsupported(kind=first.kind if isinstance(first, Unsupported) else "media", text=words)
    )
    return (captioned, *more)


def _public(content: Content) -> Content:
    """Return a picture of a post, whose address anybody can open."""
    if isinstance(content, Media) and content.ref:
        return replace(content, ref="", link=content.ref)
    return content


def _edited_from(post: Mapping[str, Any], key: str) -> str:
    """Return the first version of a post that was edited (unverified); empty if it was not."""
    history = inside(post, "edit_history")
    versions = [each for each in many(history, "edit_tweet_ids") if isinstance(each, str)]
    first = word(history, "initial_tweet_id") or (versions[0] if versions else "")
    return "" if first == key else first


def deleted_of(event: Mapping[str, Any], own: str) -> Event:
    """Return that a post was taken back."""
    status = inside(event, "status")
    target, author = word(status, "id", "id_str"), word(status, "user_id", "user_id_str")
    at = moment_of(word(event, "timestamp_ms"))
    if not (target and author) or at is None:
        raise Malformed("a deleted post without id, user or time")
    if author == own:
        return Ignored(kind="tweet_delete.own")
    return Recalled(external_id=f"delete:{target}", target=target, sender=author, at=at)
