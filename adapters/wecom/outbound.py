"""What we say through WeCom customer service, and what its answers mean.

https://developer.work.weixin.qq.com/document/path/94677
https://developer.work.weixin.qq.com/document/path/90313 (error codes)
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from adapters._common.answers import in_trouble, said
from adapters._common.calls import post_json
from adapters._common.fields import word
from adapters._common.jsonin import MAX_BYTES
from adapters.wecom.settings import CAPABILITIES, Settings
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
from router.domain.content import Media, Menu, Place

_OWN_ID = re.compile(r"[0-9a-zA-Z_-]{1,32}")
_MINUTE = timedelta(minutes=1)
_OK = 200
_MOST_OPTIONS = 10
_EXPIRED = frozenset({"40014", "41001", "42001"})
_LIMITED = frozenset({"45009", "45033"})
_WINDOW = re.compile(r"950[0-9]{2}")
_NOT_NOW = "95018"
# Beyond the page of this interface: the platform's general table, unverified for it.
_REASONS: Mapping[Reason, frozenset[str]] = {
    Reason.RECIPIENT: frozenset({"40003", "40096", "84061"}),
    Reason.CONTENT: frozenset({"40004", "40006", "40007", "40008", "40058", "44004", "45002"}),
    Reason.ACCOUNT: frozenset({"60020", "48002", "60011", "301002"}),
    Reason.CREDENTIALS: frozenset({"40001", "40013", "40091"}),
}


def calls_for(message: Outbound, settings: Settings) -> tuple[HttpCall, ...]:
    """Return the calls that say ``message``, in order, unsigned."""
    return tuple(
        post_json(
            f"{settings.api_base}/cgi-bin/kf/send_msg",
            {
                "touser": message.recipient,
                "open_kfid": message.thread or settings.open_kfid,
                "msgid": own_id(message.id, number),
                "msgtype": kind,
                kind: shape,
            },
            note=own_id(message.id, number),
        )
        for number, (kind, shape) in enumerate(_shapes(message), 1)
    )


def own_id(message: str, number: int) -> str:
    """Return our id of one part, in the characters and length that the platform takes."""
    plain = message if number == 1 else f"{message}-{number}"
    if _OWN_ID.fullmatch(plain):
        return plain
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()[:32]


def _shapes(message: Outbound) -> tuple[tuple[str, dict[str, Any]], ...]:
    match message.content:
        case Media(kind=kind, ref=ref, caption=caption) if ref:
            return ((kind.value, {"media_id": ref}), *_texts(caption))
        case Place(latitude=latitude, longitude=longitude, label=label):
            place = {
                "name": label,
                "address": label,
                "latitude": latitude,
                "longitude": longitude,
            }
            return (("location", place),)
        case Menu(text=text, options=options) if len(options) <= _MOST_OPTIONS:
            entries = [
                {"type": "click", "click": {"id": option.id, "content": option.label}}
                for option in options
            ]
            return (("msgmenu", {"head_content": text, "list": entries}),)
        case other:
            return _texts(as_text(other))


def _texts(text: str) -> tuple[tuple[str, dict[str, Any]], ...]:
    parts = split(text, CAPABILITIES.max_text, utf8_bytes)
    return tuple(("text", {"content": part}) for part in parts)


# ----- answers -----------------------------------------------------------------------------------


def sent(call: HttpCall, reply: Reply) -> Outcome:
    """Return what became of a message; the platform repeats the id that we gave it."""
    outcome = outcome_of(reply)
    if isinstance(outcome, Accepted):
        return Accepted(external_id=word(said(reply), "msgid") or call.note)
    return outcome


def outcome_of(reply: Reply, *, most: int = MAX_BYTES) -> Outcome:
    """Return what an answer means. HTTP 200 means nothing; ``errcode`` does.

    ``most`` is how many bytes of answer are read; a longer one is nobody's.
    """
    trouble = in_trouble(reply)
    if trouble is not None:
        return trouble
    answer = said(reply, most=most)
    code = word(answer, "errcode")
    if code == "0":
        return Accepted()
    if code:
        return failure(code, word(answer, "errmsg"))
    if reply.status == _OK:
        return Deferred(why="the answer is not WeCom's", unsure=True)
    return Refused(reason=Reason.UNKNOWN, why=f"HTTP {reply.status}", code=str(reply.status))


def failure(code: str, why: str) -> Deferred | Refused | TokenExpired:
    """Return what an ``errcode`` other than 0 means."""
    if code == "-1":
        return Deferred(why=f"busy: {why}")
    if code in _EXPIRED:
        return TokenExpired(why=f"{code}: {why}")
    if code in _LIMITED:
        return Deferred(why=f"{code}: {why}", retry_after=_MINUTE)
    if code == _NOT_NOW:  # a colleague holds the session in WeCom, or it has ended
        return Deferred(why=f"{code}: {why}")
    return Refused(reason=_reason(code), why=why, code=code)


def _reason(code: str) -> Reason:
    if _WINDOW.fullmatch(code):
        return Reason.WINDOW
    listed = (reason for reason, codes in _REASONS.items() if code in codes)
    return next(listed, Reason.UNKNOWN)
