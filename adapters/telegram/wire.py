"""What Telegram delivers: an update with exactly one thing in it; every number is text.

https://core.telegram.org/bots/api#update
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from adapters._common.fields import inside, word
from adapters._common.jsonin import read_object
from router.channel.contract import Malformed


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """One update: ``kind`` is the name of what it holds, ``what`` the thing itself."""

    update_id: str
    kind: str
    what: Mapping[str, Any]


class Message(
    msgspec.Struct, frozen=True, kw_only=True
):  # https://core.telegram.org/bots/api#message
    """The frame of a message; what it says stands in ``fields``."""

    fields: Mapping[str, Any]
    message_id: str
    chat: str
    chat_type: str
    sender: str
    business: str

    @property
    def is_private(self) -> bool:
        """Return whether one person alone talks to us."""
        return self.chat_type in ("private", "")

    @property
    def key(self) -> str:
        """Return the message's key on this bot: its id is unique in its chat only."""
        return message_key(self.chat, self.message_id, self.business)

    @property
    def thread(self) -> str:
        """Return what keeps conversations of one person apart; see `thread_of`."""
        topic = (
            word(self.fields, "message_thread_id") if self.fields.get("is_topic_message") else ""
        )
        return thread_of(self.chat, self.business, topic, private=self.is_private)


def message_key(chat: str, message_id: str, business: str) -> str:
    """Return how a message is named on this bot, also when the chat is another account's."""
    return f"{business}:{chat}:{message_id}" if business else f"{chat}:{message_id}"


def thread_of(chat: str, business: str, topic: str, *, private: bool) -> str:
    """Return the thread: empty with the bot itself, else the business connection or the group."""
    if business:
        return f"business:{business}"
    if private:
        return ""
    return f"{chat}/{topic}" if topic else chat


def read_update(body: bytes) -> Update:
    """Return the update in ``body``, or raise `Malformed`."""
    fields = read_object(body)
    update_id = word(fields, "update_id")
    if not update_id:
        raise Malformed("not an update as Telegram documents it: update_id is absent")
    held = [(name, value) for name, value in fields.items() if isinstance(value, dict)]
    if len(held) != 1:
        others = [name for name in fields if name != "update_id"]
        return Update(update_id=update_id, kind=others[0] if others else "empty", what={})
    return Update(update_id=update_id, kind=held[0][0], what=held[0][1])


def read_message(fields: Mapping[str, Any]) -> Message:
    """Return the frame of a message, or raise `Malformed`."""
    chat = inside(fields, "chat")
    message = Message(
        fields=fields,
        message_id=word(fields, "message_id"),
        chat=word(chat, "id"),
        chat_type=word(chat, "type"),
        sender=word(inside(fields, "from"), "id") or word(inside(fields, "sender_chat"), "id"),
        business=word(fields, "business_connection_id"),
    )
    if not (message.message_id and message.chat):
        raise Malformed("a message without message_id or chat.id")
    return message
