"""What we say on WeChat, and what its answers mean.

https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Service_Center_messages.html
https://developers.weixin.qq.com/doc/offiaccount/Getting_Started/Global_Return_Code.html
https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/kf-mgnt/kf-message/sendCustomMessage.html
"""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from adapters._common.answers import header, in_trouble, said
from adapters._common.calls import post_json
from adapters.wechat.settings import CAPABILITIES, Kind
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
from router.domain.content import Link, Media, MediaKind, Menu

_BEIJING = timezone(timedelta(hours=8))
_MINUTE = timedelta(minutes=1)
_OK = 200
_EXPIRED = frozenset({"40001", "40014", "41001", "42001"})
_REASONS: Mapping[Reason, frozenset[str]] = {
    Reason.WINDOW: frozenset({"45015"}),
    Reason.QUOTA: frozenset({"45047"}),
    Reason.RECIPIENT: frozenset({"40003", "43004", "43019", "48002"}),
    Reason.CONTENT: frozenset({"40004", "40007", "40008", "44004", "45002", "47001", "87014"}),
    Reason.ACCOUNT: frozenset({"40164", "48001", "48004", "50002"}),
    Reason.CREDENTIALS: frozenset({"40013", "40125"}),
}


def calls_for(message: Outbound, *, api_base: str, kind: Kind) -> tuple[HttpCall, ...]:
    """Return the calls that say ``message``, in order, unsigned."""
    said_as = _mini_shapes(message) if kind == "mini_program" else _shapes(message)
    return tuple(
        post_json(
            f"{api_base}/cgi-bin/message/custom/send",
            {"touser": message.recipient, "msgtype": msgtype, msgtype: shape},
            note=msgtype,
        )
        for msgtype, shape in said_as
    )


def _shapes(message: Outbound) -> tuple[tuple[str, dict[str, Any]], ...]:
    match message.content:
        case Media(kind=kind, ref=ref, caption=caption) if ref and kind is not MediaKind.FILE:
            return ((kind.value, {"media_id": ref}), *_texts(caption))
        case Link(title=title, url=url, description=description, picture=picture) if url.startswith(
            ("https://", "http://")
        ):
            article = {"title": title, "description": description, "url": url, "picurl": picture}
            return (("news", {"articles": [article]}),)
        case Menu(text=text, options=options):
            entries = [{"id": option.id, "content": option.label} for option in options]
            return (("msgmenu", {"head_content": text, "list": entries, "tail_content": ""}),)
        case other:
            return _texts(as_text(other))


def _mini_shapes(message: Outbound) -> tuple[tuple[str, dict[str, Any]], ...]:
    """Return what a mini program may send: words, pictures and links, and nothing else.

    Of a recording or a film that has no address nothing would arrive, so nothing is said for it.
    """
    match message.content:
        case Media(kind=MediaKind.IMAGE, ref=ref, caption=caption) if ref:
            return (("image", {"media_id": ref}), *_texts(caption))
        case Media(link=link, caption=caption) if not link:
            return _texts(caption)
        case Link(title=title, url=url, description=description, picture=picture) if url.startswith(
            ("https://", "http://")
        ):
            card = {"title": title, "description": description, "url": url, "thumb_url": picture}
            return (("link", card),)
        case other:
            return _texts(as_text(other))


def _texts(text: str) -> tuple[tuple[str, dict[str, Any]], ...]:
    parts = split(text, CAPABILITIES.max_text, utf8_bytes)
    return tuple(("text", {"content": part}) for part in parts)


# ----- answers -----------------------------------------------------------------------------------


def outcome_of(reply: Reply) -> Outcome:
    """Return what WeChat's answer means. HTTP 200 means nothing; ``errcode`` does."""
    trouble = in_trouble(reply)
    if trouble is not None:
        return trouble
    answer = said(reply)
    code = str(answer.get("errcode", ""))
    if code == "0":
        return Accepted(external_id=str(answer.get("msgid", "")))
    if not code:
        return _unreadable(reply)
    return failure(code, str(answer.get("errmsg", "")), reply)


def failure(code: str, why: str, reply: Reply) -> Deferred | Refused | TokenExpired:
    """Return what an ``errcode`` other than 0 means."""
    if code == "-1":
        return Deferred(why=f"busy: {why}")
    if code in _EXPIRED:
        return TokenExpired(why=f"{code}: {why}")
    if code == "45011":
        return Deferred(why=f"{code}: {why}", retry_after=_MINUTE)
    if code == "45009":
        return Deferred(why=f"{code}: {why}", retry_after=_until_tomorrow(reply))
    for reason, codes in _REASONS.items():
        if code in codes:
            return Refused(reason=reason, why=why, code=code)
    return Refused(reason=Reason.UNKNOWN, why=why, code=code)


def _unreadable(reply: Reply) -> Deferred | Refused:
    """Return what an answer without ``errcode`` means: something between us and WeChat spoke."""
    if reply.status == _OK:
        return Deferred(why="the answer is not WeChat's", unsure=True)
    return Refused(reason=Reason.UNKNOWN, why=f"HTTP {reply.status}", code=str(reply.status))


def _until_tomorrow(reply: Reply) -> timedelta:
    """Return the time until midnight in Beijing, by the platform's clock; a day if it is unread."""
    try:
        now = parsedate_to_datetime(header(reply, "date"))
    except (TypeError, ValueError):
        return timedelta(days=1)
    here = (now if now.tzinfo else now.replace(tzinfo=UTC)).astimezone(_BEIJING)
    midnight = datetime.combine(here.date() + timedelta(days=1), time(), _BEIJING)
    return midnight - here
