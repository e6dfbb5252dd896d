"""What we say on Telegram, and what its answers mean.

https://core.telegram.org/bots/api#available-methods and #making-requests
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from adapters._common.answers import in_trouble, said
from adapters._common.calls import post_json
from adapters._common.fields import inside, word
from adapters._common.outgoing import utf16_units
from adapters.telegram.settings import CAPABILITIES, MAX_CAPTION, MAX_PAYLOAD
from adapters.telegram.wire import message_key
from router.channel.contract import (
    Accepted,
    Audience,
    Deferred,
    HttpCall,
    Outbound,
    Outcome,
    Reason,
    Refused,
    Reply,
)
from router.channel.text import as_text, split
from router.domain.content import Media, MediaKind, Menu, Place

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_METHODS = {
    MediaKind.IMAGE: ("sendPhoto", "photo"),
    MediaKind.VOICE: ("sendVoice", "voice"),
    MediaKind.VIDEO: ("sendVideo", "video"),
    MediaKind.FILE: ("sendDocument", "document"),
}
_NOBODY = re.compile(
    r"chat not found|user not found|peer_id_invalid|user is deactivated", re.IGNORECASE
)
_BAD, _FORBIDDEN, _CONFLICT = 400, 403, 409
_TOKEN_WRONG = (401, 404)
_TOO_MANY = 429


def calls_for(message: Outbound, *, api_base: str) -> tuple[HttpCall, ...]:
    """Return the calls that say ``message``; where it goes stands in each."""
    where = _where(message)
    return tuple(
        post_json(f"{api_base}/{method}", {**where, **what}, note=method)
        for method, what in _shapes(message)
    )


def _where(message: Outbound) -> dict[str, Any]:
    """Return the chat: a business connection, a group, or the person alone."""
    if message.thread.startswith("business:"):
        connection = message.thread.removeprefix("business:")
        return {"business_connection_id": connection, "chat_id": _id(message.recipient)}
    if not message.thread or message.audience is Audience.PRIVATE:
        return {"chat_id": _id(message.recipient)}
    chat, _, topic = message.thread.partition("/")
    where: dict[str, Any] = {"chat_id": _id(chat)}
    if topic:
        where["message_thread_id"] = _id(topic)
    answered = message.reply_handle.rpartition(":")[2]
    if _INTEGER.fullmatch(answered):  # in a group it must be seen whom we answer
        where["reply_parameters"] = {
            "message_id": _id(answered),
            "allow_sending_without_reply": True,
        }
    return where


def _id(given: str) -> int | str:
    return int(given) if _INTEGER.fullmatch(given) else given


def _shapes(message: Outbound) -> tuple[tuple[str, dict[str, Any]], ...]:
    match message.content:
        case Media(kind=kind, ref=ref, link=link, caption=caption) if ref or link:
            method, field = _METHODS[kind]
            fits = utf16_units(caption) <= MAX_CAPTION
            under = {"caption": caption} if caption and fits else {}
            return ((method, {field: ref or link, **under}), *(() if fits else _texts(caption)))
        case Place(latitude=latitude, longitude=longitude, label=label):
            place = {"latitude": latitude, "longitude": longitude}
            return (("sendLocation", place), *_texts(label))
        case Menu(text=text, options=options) if (
            all(0 < len(option.id.encode()) <= MAX_PAYLOAD for option in options)
            and utf16_units(text) <= CAPABILITIES.max_text
        ):
            rows = [[{"text": option.label, "callback_data": option.id}] for option in options]
            return (("sendMessage", {"text": text, "reply_markup": {"inline_keyboard": rows}}),)
        case other:
            return _texts(as_text(other))


def _texts(text: str) -> tuple[tuple[str, dict[str, Any]], ...]:
    parts = split(text, CAPABILITIES.max_text, utf16_units)
    return tuple(("sendMessage", {"text": part}) for part in parts)


# ----- answers -----------------------------------------------------------------------------------


def outcome_of(reply: Reply) -> Outcome:
    """Return what Telegram's answer means: ``ok`` and ``error_code`` in the body say it."""
    answer = said(reply)
    if answer.get("ok") is True:
        return Accepted(external_id=_sent(inside(answer, "result")))
    if answer.get("ok") is not False:
        return in_trouble(reply) or Deferred(why="the answer is not Telegram's", unsure=True)
    code, why = word(answer, "error_code"), word(answer, "description")
    wait = word(inside(answer, "parameters"), "retry_after")
    if code == str(_TOO_MANY):
        seconds = (
            int(wait) if wait.isascii() and wait.isdigit() and len(wait) < len("1" * 7) else None
        )
        later = None if seconds is None else timedelta(seconds=seconds)
        return Deferred(why=why, retry_after=later)
    moved = word(inside(answer, "parameters"), "migrate_to_chat_id")
    if moved:
        why = f"{why}; the group is now {moved}"
        return Refused(reason=Reason.RECIPIENT, why=why, code=code)
    return _refused(
        int(code) if code.isascii() and code.isdigit() and len(code) <= len("999") else 0, why
    )


def _sent(result: Mapping[str, Any]) -> str:
    chat, message_id = word(inside(result, "chat"), "id"), word(result, "message_id")
    if not (chat and message_id):
        return ""
    return message_key(chat, message_id, word(result, "business_connection_id"))


def _refused(code: int, why: str) -> Outcome:
    if code >= 500:  # noqa: PLR2004  the platform's own trouble, whatever the number
        return Deferred(why=f"{code}: {why}")
    if code in _TOKEN_WRONG:
        reason = Reason.CREDENTIALS
    elif code == _CONFLICT:
        reason = Reason.ACCOUNT
    elif code == _FORBIDDEN or (code == _BAD and _NOBODY.search(why)):
        reason = Reason.RECIPIENT
    else:
        reason = Reason.CONTENT if code == _BAD else Reason.UNKNOWN
    return Refused(reason=reason, why=why, code=str(code))
