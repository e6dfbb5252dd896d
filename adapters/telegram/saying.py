"""What a Telegram message says: words, media, a place, or what we can only describe."""

from collections.abc import Mapping, Sequence
from typing import Any

from adapters._common.fields import inside, many, place_of, word
from adapters._common.phone import e164
from adapters._common.wordin import leaves
from router.domain.content import Content, Media, MediaKind, Text, Unsupported
from router.domain.identity import Claim, ClaimKind

_MEDIA: Mapping[str, MediaKind] = {
    "voice": MediaKind.VOICE,
    "audio": MediaKind.VOICE,
    "video": MediaKind.VIDEO,
    "video_note": MediaKind.VIDEO,
    "animation": MediaKind.VIDEO,
    "document": MediaKind.FILE,
}
#: What frames a message or stands beside what it says.
_FRAME = frozenset(
    {
        *("message_id", "from", "chat", "date", "edit_date", "sender_chat", "reply_to_message"),
        *("entities", "caption", "caption_entities", "media_group_id", "message_thread_id"),
        *("is_topic_message", "business_connection_id", "forward_origin", "via_bot", "quote"),
        *("author_signature", "sender_boost_count", "sender_business_bot", "reply_markup"),
        *("has_protected_content", "has_media_spoiler", "is_automatic_forward", "effect_id"),
        *("is_from_offline", "show_caption_above_media", "link_preview_options", "external_reply"),
        *("reply_to_story", "sender_tag", "paid_star_count", "is_paid_post"),
        *("forward_from", "forward_from_chat", "forward_date", "forward_sender_name"),
        *("forward_from_message_id", "forward_signature"),
    }
)
#: What the platform itself says about a chat; nobody said it.
_SERVICE = frozenset(
    {
        *("new_chat_members", "new_chat_member", "left_chat_member", "new_chat_title"),
        *("new_chat_photo", "delete_chat_photo", "group_chat_created", "pinned_message"),
        *("supergroup_chat_created", "channel_chat_created", "migrate_to_chat_id"),
        *("migrate_from_chat_id", "message_auto_delete_timer_changed", "connected_website"),
        *(
            "forum_topic_created",
            "forum_topic_edited",
            "forum_topic_closed",
            "write_access_allowed",
        ),
        *("forum_topic_reopened", "general_forum_topic_hidden", "general_forum_topic_unhidden"),
        *("video_chat_scheduled", "video_chat_started", "video_chat_ended", "boost_added"),
        *("video_chat_participants_invited", "proximity_alert_triggered", "chat_background_set"),
    }
)
_DESCRIBED = frozenset({"emoji", "question", "title", "text", "description", "caption", "name"})


def content_of(fields: Mapping[str, Any]) -> Content | str:  # noqa: PLR0911  an arm for each kind
    """Return what a message says, or the name of what the platform itself says in it."""
    words = word(fields, "text")
    if words:
        return Text(text=words)
    sizes = [size for size in many(fields, "photo") if word(size, "file_id")]
    if sizes:
        return _picture(fields, sizes)
    for name, kind in _MEDIA.items():
        if word(inside(fields, name), "file_id"):
            return _media(fields, name, kind)
    if isinstance(fields.get("venue"), dict):
        return _venue(inside(fields, "venue"))
    if isinstance(fields.get("location"), dict):
        at = inside(fields, "location")
        return place_of(word(at, "latitude"), word(at, "longitude"), "")
    if isinstance(fields.get("contact"), dict):
        return Unsupported(kind="contact", text=_card(inside(fields, "contact")))
    return _other(fields)


def claims_of(fields: Mapping[str, Any], sender: str) -> tuple[Claim, ...]:
    """Return the sender's own number; a card of somebody else says nothing about the sender."""
    contact = inside(fields, "contact")
    if not sender or word(contact, "user_id") != sender:
        return ()
    number = _number(contact)
    if not number:
        return ()
    return (Claim(kind=ClaimKind.PHONE, value=number, verified=True, source="platform"),)


def _picture(fields: Mapping[str, Any], sizes: Sequence[Any]) -> Media:
    """Return the largest size of a picture."""
    largest = max(
        sizes, key=lambda size: _count(word(size, "width")) * _count(word(size, "height"))
    )
    return Media(
        kind=MediaKind.IMAGE,
        ref=word(largest, "file_id"),
        caption=word(fields, "caption"),
        size=_count(word(largest, "file_size")),
    )


def _media(fields: Mapping[str, Any], name: str, kind: MediaKind) -> Media:
    file = inside(fields, name)
    return Media(
        kind=kind,
        ref=word(file, "file_id"),
        caption=word(fields, "caption"),
        name=word(file, "file_name", "title"),
        mime=word(file, "mime_type"),
        size=_count(word(file, "file_size")),
    )


def _venue(venue: Mapping[str, Any]) -> Content:
    at = inside(venue, "location")
    label = " ".join(part for part in (word(venue, "title"), word(venue, "address")) if part)
    return place_of(word(at, "latitude"), word(at, "longitude"), label)


def _card(contact: Mapping[str, Any]) -> str:
    said = (word(contact, name) for name in ("first_name", "last_name", "phone_number"))
    return " ".join(part for part in said if part)


def _number(contact: Mapping[str, Any]) -> str:
    """Return the card's number as E.164; Telegram may leave out the plus sign."""
    raw = word(contact, "phone_number")
    return e164(raw if raw.startswith("+") else f"+{raw}", "ZZ")


def _other(fields: Mapping[str, Any]) -> Content | str:
    kinds = [name for name in fields if name not in _FRAME]
    service = next((name for name in kinds if name in _SERVICE), "")
    if service:
        return service
    kind = kinds[0] if kinds else "message"
    said = _described(fields.get(kind)) if kinds else ()
    words = "\n".join((*said, *leaves(word(fields, "caption"))))
    return Unsupported(kind=kind, text=words)


def _described(value: Any) -> tuple[str, ...]:
    """Return the words in a poll, a game, a sticker and so on: no ids, no addresses."""
    match value:
        case Mapping():
            own = (held for name, held in value.items() if name in _DESCRIBED)
            deeper = (held for held in value.values() if isinstance(held, list))
            found = (*own, *deeper)
        case list():
            found = tuple(value)
        case _:
            return ()
    flat = (leaves(held) if isinstance(held, str) else _described(held) for held in found)
    return tuple(words for each in flat for words in each)


def _count(given: str) -> int:
    return int(given) if given.isascii() and given.isdigit() and len(given) < len("1" * 19) else 0
