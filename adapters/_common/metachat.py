"""What a messaging event of Messenger or Instagram says, in our words.

https://developers.facebook.com/docs/messenger-platform/reference/webhook-events
https://developers.facebook.com/docs/instagram-platform/webhooks
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from adapters._common.fields import inside, many, moment_of, place_of, word
from adapters._common.wordin import leaves
from router.channel.contract import (
    Edited,
    Event,
    Followed,
    Following,
    Ignored,
    Malformed,
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

#: What our own sends carry in ``metadata``, so that their echo is known as ours.
OURS = "mainstem:"
_MEDIA: Mapping[str, MediaKind] = {
    "image": MediaKind.IMAGE,
    "audio": MediaKind.VOICE,
    "video": MediaKind.VIDEO,
    "file": MediaKind.FILE,
}
_SHARED = frozenset(
    {"fallback", "share", "story_mention", "ig_reel", "reel", "post", "ig_post", "ig_story"}
)
_KINDS = (
    "message",
    "message_edit",
    "postback",
    "reaction",
    "read",
    "delivery",
    "referral",
    "optin",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """The frame of one messaging event. ``person`` is the customer, whoever spoke."""

    fields: Mapping[str, Any]
    person: str
    at: datetime
    by: Speaker
    standby: bool


def events_in(entry: Mapping[str, Any], *, own: str) -> Iterator[Event]:
    """Yield what is said in an entry; on standby another application holds the thread."""
    for name in ("messaging", "standby"):
        for fields in many(entry, name):
            yield from _events_of(_item(fields, own=own, standby=name == "standby"))


def _item(fields: Any, *, own: str, standby: bool) -> Item:
    sender, recipient = (
        word(inside(fields, "sender"), "id"),
        word(inside(fields, "recipient"), "id"),
    )
    echo = inside(fields, "message").get("is_echo") is True or (bool(own) and sender == own)
    at, person = moment_of(word(fields, "timestamp")), recipient if echo else sender
    if not person:
        person = word(inside(fields, "optin"), "user_ref")
    if at is None or not person:
        raise Malformed("a messaging event without timestamp, or from nobody")
    by = Speaker.AGENT if echo else Speaker.CONTACT
    return Item(fields=fields, person=person, at=at, by=by, standby=standby)


def _events_of(item: Item) -> Iterator[Event]:
    kind = next((name for name in _KINDS if isinstance(item.fields.get(name), dict)), "")
    match kind:
        case "message":
            yield from _message(item, inside(item.fields, kind))
        case "message_edit":
            yield _edited(item, inside(item.fields, kind))
        case "postback":
            yield _pressed(item, inside(item.fields, kind))
        case "reaction":
            yield _reaction(item, inside(item.fields, kind))
        case "read" | "delivery":
            yield from _receipts(item, kind)
        case "referral" | "optin":
            yield _came(item, kind)
        case _:
            frame = {"sender", "recipient", "timestamp"}
            others = [name for name in item.fields if name not in frame]
            yield Ignored(kind=f"messaging.{others[0] if others else 'empty'}")


# ----- messages ----------------------------------------------------------------------------------


def _message(item: Item, message: Mapping[str, Any]) -> Iterator[Event]:
    """Yield the message, and each further attachment on its own.

    A deletion has the name of its message, so it is given one of its own.
    """
    mid = word(message, "mid")
    if not mid:
        raise Malformed("a message without mid")
    if message.get("is_deleted") is True:
        yield Recalled(external_id=f"{mid}:deleted", target=mid, sender=item.person, at=item.at)
        return
    if item.by is Speaker.AGENT and word(message, "metadata").startswith(OURS):
        yield Ignored(kind="echo.ours")
        return
    answered = inside(message, "reply_to")
    story = word(inside(answered, "story"), "id")
    first = _received(item, mid, Text(text=""))
    first = replace(first, reply_to=word(answered, "mid") or (f"story:{story}" if story else ""))
    for number, content in enumerate(_contents(message)):
        external_id = f"{mid}:{number}" if number else mid
        yield replace(first, external_id=external_id, content=content)


def _received(item: Item, external_id: str, content: Content) -> Received:
    ours = item.by is Speaker.AGENT
    return Received(
        external_id=external_id,
        sender=item.person,
        at=item.at,
        content=content,
        by=item.by,
        opens_window="" if ours else "message",
        standby=item.standby,
    )


def _contents(message: Mapping[str, Any]) -> tuple[Content, ...]:
    """Return the words, or one content for each attachment with the words under the first."""
    words, payload = word(message, "text"), word(inside(message, "quick_reply"), "payload")
    if payload:
        return (Pressed(payload=payload, label=words),)
    attached = tuple(_attached(each) for each in many(message, "attachments"))
    if not attached:
        return (Text(text=words),) if words else (Unsupported(kind="unsupported"),)
    first = attached[0]
    match first:
        case Media():
            return (replace(first, caption=words), *attached[1:])
        case Unsupported(kind=kind, text=text) if words:
            return (Unsupported(kind=kind, text=f"{words}\n{text}".strip()), *attached[1:])
        case _:
            return (Text(text=words), *attached) if words else attached


def _attached(attachment: Any) -> Content:
    kind, payload = word(attachment, "type"), inside(attachment, "payload")
    url = word(payload, "url") or word(attachment, "url", "URL")
    if kind in _MEDIA and url:
        return Media(kind=_MEDIA[kind], link=url)
    if kind == "location":
        at = inside(payload, "coordinates")
        return place_of(word(at, "lat"), word(at, "long"), word(attachment, "title"))
    if kind in _SHARED and url:
        title = word(payload, "title") or word(attachment, "title") or kind
        return Link(title=title, url=url)
    said = (word(attachment, "title"), *leaves(payload))
    return Unsupported(kind=kind or "attachment", text="\n".join(each for each in said if each))


def _edited(item: Item, edit: Mapping[str, Any]) -> Event:
    """Return an edit (its shape is unverified: words that are not found are not thrown away)."""
    mid, words = word(edit, "mid"), word(edit, "text")
    if not mid:
        raise Malformed("an edit without mid")
    if item.by is Speaker.AGENT:
        return Ignored(kind="message_edit.ours")
    count = word(edit, "num_edit") or str(int(item.at.timestamp() * 1000))
    unread = {name: held for name, held in edit.items() if name not in ("mid", "num_edit")}
    content = Text(text=words) if words else Unsupported(kind="edit", text=" ".join(leaves(unread)))
    return Edited(
        external_id=f"{mid}:edit:{count}",
        target=mid,
        sender=item.person,
        at=item.at,
        content=content,
    )


def _pressed(item: Item, press: Mapping[str, Any]) -> Received:
    external_id = word(press, "mid") or f"{item.person}:postback:{_milliseconds(item)}"
    content = Pressed(payload=word(press, "payload"), label=word(press, "title"))
    return _received(item, external_id, content)


def _reaction(item: Item, reaction: Mapping[str, Any]) -> Event:
    """Return the emoji under a message; taking it away says nothing."""
    emoji, mid = word(reaction, "emoji", "reaction"), word(reaction, "mid")
    if item.by is Speaker.AGENT or word(reaction, "action") != "react" or not emoji:
        return Ignored(kind=f"reaction.{word(reaction, 'action') or 'unnamed'}")
    said = _received(
        item, f"{mid}:reaction:{_milliseconds(item)}", Unsupported(kind="reaction", text=emoji)
    )
    return replace(said, reply_to=mid, opens_window="")


def _milliseconds(item: Item) -> str:
    return word(item.fields, "timestamp")


# ----- receipts and arrivals ---------------------------------------------------------------------


def _receipts(item: Item, kind: str) -> Iterator[Event]:
    """Yield a receipt for each message that is named, or one for all up to the watermark."""
    told = inside(item.fields, kind)
    state = ReceiptState.READ if kind == "read" else ReceiptState.DELIVERED
    named = [each for each in (word(told, "mid"), *many(told, "mids")) if isinstance(each, str)]
    named = [each for each in named if each]
    for mid in named:
        yield Receipt(
            external_id=f"{mid}:{kind}", target=mid, sender=item.person, at=item.at, state=state
        )
    watermark = word(told, "watermark")
    if named:
        return
    up_to = moment_of(watermark)
    if up_to is None:
        yield Ignored(kind=f"{kind}.without_watermark")
        return
    yield Receipt(
        external_id=f"{item.person}:{kind}:{watermark}",
        target="",
        sender=item.person,
        at=up_to,
        state=state,
    )


def _came(item: Item, kind: str) -> Followed:
    """Return that somebody came through a link of ours, with what the link carried."""
    told = inside(item.fields, kind)
    return Followed(
        external_id=f"{item.person}:{kind}:{_milliseconds(item)}",
        sender=item.person,
        at=item.at,
        what=Following.ENTERED,
        source=word(told, "ref") or word(told, "source", "type"),
    )
