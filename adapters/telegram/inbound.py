"""What an update of Telegram says, in our words."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapters._common.fields import inside, many, moment_of, word
from adapters.telegram.saying import claims_of, content_of
from adapters.telegram.wire import Message, Update, message_key, read_message, thread_of
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
    Speaker,
)
from router.domain.content import Pressed, Unsupported

#: A press of Start; what a link can carry has no more than 64 of these characters.
_START = re.compile(r"/start(?: ([A-Za-z0-9_-]{1,64}))?")


def events_of(update: Update, now: datetime) -> tuple[Event, ...]:  # noqa: PLR0911
    """Return what ``update`` says; one arm for each kind.

    ``now`` stands in where Telegram gives no time.
    """
    match update.kind:
        case "message" | "business_message":
            return (_message(read_message(update.what)),)
        case "edited_message" | "edited_business_message":
            return (_edited(update, read_message(update.what)),)
        case "deleted_business_messages":
            return _deleted(update, now)
        case "callback_query":
            return (_pressed(update.what, now),)
        case "message_reaction":
            return (_reaction(update),)
        case "my_chat_member":
            return (_member(update),)
        case _:
            return (Ignored(kind=update.kind),)


def _time(fields: Mapping[str, Any], *names: str) -> datetime:
    """Return the first time under ``names``, or raise `Malformed`."""
    at = moment_of(word(fields, *names))
    if at is None:
        raise Malformed(f"{names[0]} must be seconds since 1970")
    return at


def _name(person: Mapping[str, Any]) -> str:
    return " ".join(
        part for part in (word(person, "first_name"), word(person, "last_name")) if part
    )


def _message(message: Message) -> Event:
    """Return a message. In a business chat the other speaker is our own side, elsewhere."""
    content = content_of(message.fields)
    if isinstance(content, str):
        return Ignored(kind=f"message.{content}")
    pressed = _START.fullmatch(word(message.fields, "text"))
    if message.is_private and not message.business and pressed:
        return _started(message, pressed[1] or "")
    if not message.sender:
        return Ignored(kind="message.without_sender")
    person = inside(message.fields, "from")
    ours = bool(message.business) and message.sender != message.chat
    answered = inside(message.fields, "reply_to_message")
    return Received(
        external_id=message.key,
        sender=message.chat if ours else message.sender,
        at=_time(message.fields, "date"),
        content=content,
        by=Speaker.AGENT if ours else Speaker.CONTACT,
        sender_name=_name(person),
        audience=Audience.PRIVATE if message.is_private else Audience.PUBLIC,
        thread=message.thread,
        reply_handle=message.key,
        reply_to=_key_of(message, word(answered, "message_id")),
        claims=() if ours else claims_of(message.fields, message.sender),
        language="" if ours else word(person, "language_code"),
    )


def _key_of(message: Message, message_id: str) -> str:
    return message_key(message.chat, message_id, message.business) if message_id else ""


def _started(message: Message, payload: str) -> Followed:
    """Return the press of Start, with what the link that led here carried."""
    return Followed(
        external_id=message.key,
        sender=message.sender or message.chat,
        at=_time(message.fields, "date"),
        what=Following.FOLLOWED,
        source=payload,
        sender_name=_name(inside(message.fields, "from")),
    )


def _edited(update: Update, message: Message) -> Event:
    content = content_of(message.fields)
    if isinstance(content, str):
        return Ignored(kind=f"{update.kind}.{content}")
    if message.business and message.sender != message.chat:
        return Ignored(kind=f"{update.kind}.ours")
    return Edited(
        external_id=f"update:{update.update_id}",
        target=message.key,
        sender=message.sender or message.chat,
        at=_time(message.fields, "edit_date", "date"),
        content=content,
    )


def _deleted(update: Update, now: datetime) -> tuple[Event, ...]:
    """Return one recall for each deleted message; Telegram gives no time for them."""
    chat, connection = inside(update.what, "chat"), word(update.what, "business_connection_id")
    ids = [each for each in many(update.what, "message_ids") if isinstance(each, str)]
    if not (word(chat, "id") and ids):
        raise Malformed("deleted_business_messages without chat.id or message_ids")
    return tuple(
        Recalled(
            external_id=f"update:{update.update_id}:{each}",
            target=message_key(word(chat, "id"), each, connection),
            sender=word(chat, "id"),
            at=now,
        )
        for each in ids
    )


def _pressed(query: Mapping[str, Any], now: datetime) -> Event:
    """Return the press of a button; Telegram gives no time for it."""
    sender, query_id = inside(query, "from"), word(query, "id")
    if not (word(sender, "id") and query_id):
        raise Malformed("callback_query without id or from.id")
    asked = inside(query, "message")
    chat = inside(asked, "chat")
    private = word(chat, "type") in ("private", "")
    payload = word(query, "data", "game_short_name")
    business = word(asked, "business_connection_id")
    topic = word(asked, "message_thread_id") if asked.get("is_topic_message") else ""
    return Received(
        external_id=f"callback:{query_id}",
        sender=word(sender, "id"),
        at=now,
        content=Pressed(payload=payload, label=_label(asked, payload)),
        sender_name=_name(sender),
        audience=Audience.PRIVATE if private else Audience.PUBLIC,
        thread=thread_of(word(chat, "id"), business, topic, private=private),
        reply_to=message_key(word(chat, "id"), word(asked, "message_id"), business)
        if asked
        else "",
        language=word(sender, "language_code"),
    )


def _label(asked: Mapping[str, Any], payload: str) -> str:
    """Return what stood on the pressed button, if the message that held it is given."""
    for row in many(inside(asked, "reply_markup"), "inline_keyboard"):
        for button in row if isinstance(row, list) else ():
            if word(button, "callback_data") == payload:
                return word(button, "text")
    return ""


def _reaction(update: Update) -> Event:
    """Return the emoji that a person put under a message; taking it away says nothing."""
    what, person = update.what, inside(update.what, "user")
    chat = inside(what, "chat")
    emoji = "".join(word(each, "emoji") for each in many(what, "new_reaction"))
    if not emoji or not word(person, "id"):
        return Ignored(kind="message_reaction.without_emoji")
    private = word(chat, "type") in ("private", "")
    return Received(
        external_id=f"update:{update.update_id}",
        sender=word(person, "id"),
        at=_time(what, "date"),
        content=Unsupported(kind="reaction", text=emoji),
        sender_name=_name(person),
        audience=Audience.PRIVATE if private else Audience.PUBLIC,
        thread=thread_of(word(chat, "id"), "", "", private=private),
        reply_to=message_key(word(chat, "id"), word(what, "message_id"), ""),
    )


def _member(update: Update) -> Event:
    """Return that a person blocked the bot or let it in again; groups are only counted."""
    what = update.what
    status = word(inside(what, "new_chat_member"), "status")
    person = inside(what, "from")
    changed = {"kicked": Following.BLOCKED, "left": Following.LEFT, "member": Following.FOLLOWED}
    if word(inside(what, "chat"), "type") != "private" or status not in changed:
        return Ignored(kind=f"my_chat_member.{status or 'unnamed'}")
    return Followed(
        external_id=f"update:{update.update_id}",
        sender=word(person, "id") or word(inside(what, "chat"), "id"),
        at=_time(what, "date"),
        what=changed[status],
        source="my_chat_member",
        sender_name=_name(person),
    )
