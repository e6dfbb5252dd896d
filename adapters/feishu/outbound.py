"""What we say on Feishu, and what its answers mean.

https://open.feishu.cn/document/server-docs/im-v1/message/create
https://open.feishu.cn/document/server-docs/getting-started/server-error-codes
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from adapters._common.answers import in_trouble, said
from adapters._common.calls import post_json, raw_json, with_query
from adapters._common.fields import inside, word
from adapters.feishu.settings import CAPABILITIES, Settings
from router.channel.contract import (
    Accepted,
    Deferred,
    HttpCall,
    Outbound,
    Outcome,
    Reason,
    Refused,
    Reply,
    TokenExpired,
)
from router.channel.text import as_text, split, utf8_bytes
from router.domain.content import Media, MediaKind, Menu

_LONGEST_UUID = 50
_OK = 200
_MINUTE = timedelta(minutes=1)
_BUSY = re.compile(r"5[0-9]{4}|5[0-9]{2}")
_EXPIRED = frozenset({"99991663", "99991664", "99991665", "99991666", "99991668"})
_LIMITED = frozenset({"99991402", "11020", "11021"})
_DISPUTED = "99991400"  # a rate limit by one page, a refusal by the SDK: tried again with patience
_REASONS: Mapping[Reason, frozenset[str]] = {
    Reason.RECIPIENT: frozenset({"230002", "230005", "230017", "230020"}),
    Reason.CONTENT: frozenset({"230001", "230021", "230022", "230099"}),
    Reason.ACCOUNT: frozenset(
        {"230003", "230010", "99991401", "99991672", "99991679", "99991680", "99991681"}
    ),
    Reason.CREDENTIALS: frozenset({"10003", "10014"}),
}
_OPUS = frozenset({"audio/opus", "audio/ogg"})
_DOCUMENTS = {"pdf": "pdf", "doc": "doc", "docx": "doc", "xls": "xls", "xlsx": "xls", "ppt": "ppt"}


def calls_for(message: Outbound, settings: Settings) -> tuple[HttpCall, ...]:
    """Return the calls that say ``message``, in order, unsigned: to a group, or to the person."""
    where = {"receive_id_type": "chat_id" if message.thread else "open_id"}
    url = with_query(f"{settings.api_base}/open-apis/im/v1/messages", **where)
    return tuple(
        post_json(
            url,
            {
                "receive_id": message.thread or message.recipient,
                "msg_type": kind,
                "content": raw_json(shape).decode(),
                "uuid": own_id(message.id, number),
            },
            note=kind,
        )
        for number, (kind, shape) in enumerate(_shapes(message), 1)
    )


def own_id(message: str, number: int) -> str:
    """Return the key by which Feishu knows a second copy of the same part."""
    plain = f"{message}-{number}"
    if len(plain) <= _LONGEST_UUID:
        return plain
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()[:_LONGEST_UUID]


def file_type(media: Media) -> str:
    """Return what Feishu calls a file: opus and mp4 play in the chat, others are downloaded."""
    if media.kind is MediaKind.VOICE and media.mime.partition(";")[0].strip() in _OPUS:
        return "opus"
    if media.kind is MediaKind.VIDEO and media.mime == "video/mp4":
        return "mp4"
    return _DOCUMENTS.get(media.name.rpartition(".")[2].lower(), "stream")


def _shapes(message: Outbound) -> tuple[tuple[str, dict[str, Any]], ...]:
    match message.content:
        case Media(kind=MediaKind.IMAGE, ref=ref, caption=caption) if ref:
            return (("image", {"image_key": ref}), *_texts(message, caption))
        case Media(ref=ref, caption=caption) as media if ref:
            kind = {"opus": "audio", "mp4": "media"}.get(file_type(media), "file")
            return ((kind, {"file_key": ref}), *_texts(message, caption))
        case Menu():
            return (("interactive", _card(message.content)),)
        case other:
            return _texts(message, as_text(other))


def _texts(message: Outbound, text: str) -> tuple[tuple[str, dict[str, Any]], ...]:
    """Return the words in parts; in a group the first says whom it answers."""
    to = f'<at user_id="{message.recipient}"></at> ' if message.thread and text else ""
    parts = split(to + text, CAPABILITIES.max_text, utf8_bytes)
    return tuple(("text", {"text": part}) for part in parts)


def _card(menu: Menu) -> dict[str, Any]:
    buttons = [
        {
            "tag": "button",
            "text": {"tag": "plain_text", "content": option.label},
            "value": {"id": option.id, "label": option.label},
        }
        for option in menu.options
    ]
    words = {"tag": "div", "text": {"tag": "plain_text", "content": menu.text}}
    return {"elements": [words, {"tag": "action", "actions": buttons}]}


# ----- answers -----------------------------------------------------------------------------------


def sent(reply: Reply) -> Outcome:
    """Return what became of a message, with the platform's id of it."""
    outcome = outcome_of(reply)
    if isinstance(outcome, Accepted):
        return Accepted(external_id=word(inside(said(reply), "data"), "message_id"))
    return outcome


def outcome_of(reply: Reply) -> Outcome:
    """Return what an answer means; the number in ``code`` says more than the HTTP status."""
    trouble = in_trouble(reply)
    if trouble is not None:
        return trouble
    answer = said(reply)
    code, why = word(answer, "code"), word(answer, "msg")
    if code == "0":
        return Accepted()
    if code:
        return failure(code, why)
    if reply.status == _OK:
        return Deferred(why="the answer is not Feishu's", unsure=True)
    return Refused(reason=Reason.UNKNOWN, why=f"HTTP {reply.status}", code=str(reply.status))


def failure(code: str, why: str) -> Deferred | Refused | TokenExpired:
    """Return what a ``code`` other than 0 means."""
    if code in _EXPIRED:
        return TokenExpired(why=f"{code}: {why}")
    if code in _LIMITED or _BUSY.fullmatch(code):
        return Deferred(why=f"{code}: {why}")
    if code == _DISPUTED:
        return Deferred(why=f"{code}: {why}", retry_after=_MINUTE)
    listed = (reason for reason, codes in _REASONS.items() if code in codes)
    return Refused(reason=next(listed, Reason.UNKNOWN), why=why, code=code)
