"""What is asked of TOP: messages and their confirmation, whom the shop talked to and of what.

https://open.taobao.com (taobao.tmc.messages.consume, .confirm; taobao.wangwang.eservice.*; the
shapes of the first two are unverified)
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from adapters._common.answers import in_trouble, said
from adapters._common.fields import inside, many, word
from adapters._common.shops import form_call, local_text, local_time, rows_with
from adapters.taobao.inbound import SITE, chat_of, news_of
from adapters.taobao.settings import Settings
from router.channel.contract import (
    Accepted,
    Bell,
    Deferred,
    HttpCall,
    Malformed,
    Outcome,
    Pulled,
    Reason,
    Refused,
    Reply,
)

#: The cursors: messages; whom the shop talked to; and behind a colon, one person's chat.
MESSAGES, PEERS, CHAT = "tmc", "peers", "chat:"
_QUANTITY = 100
_MOST_BYTES = 4 * 1024 * 1024
#: A day that has just ended is read again: its last rows may come late.
_BACK = timedelta(hours=6)
_SOON = timedelta(minutes=1)
_OK = 200
_FINE = "10000"
_RETS: Mapping[str, Reason] = {"40000": Reason.ACCOUNT, "50000": Reason.CONTENT}
_SESSION, _CALLS = "27", "7"


def bells(settings: Settings, now: datetime) -> tuple[Bell, ...]:
    """Return what is to be asked for now; the hint says when it rang."""
    if not settings.session:
        return ()
    rung = local_text(now)
    first = () if settings.socket else (Bell(cursor_key=MESSAGES, hint=rung),)
    return (*first, Bell(cursor_key=PEERS, hint=rung)) if settings.nick else first


def pull_call(bell: Bell, *, cursor: str, settings: Settings) -> HttpCall:
    """Return the call for what a bell rang for.

    The cursor of the messages holds the ids of a page that was taken in and is to be confirmed.
    """
    if bell.cursor_key == MESSAGES:
        group = {"group_name": settings.group_name}
        if cursor:
            return _call(settings, "tmc.messages.confirm", {**group, "s_message_ids": cursor})
        return _call(settings, "tmc.messages.consume", {**group, "quantity": str(_QUANTITY)})
    day, until = _days(cursor, bell.hint)
    days = {"start_date": day, "end_date": until}
    ours = f"{SITE}{settings.nick}"
    if bell.cursor_key == PEERS:
        return _call(settings, "wangwang.eservice.chatpeers.get", {"chat_id": ours, **days})
    peer = bell.cursor_key.removeprefix(CHAT)
    return _call(
        settings, "wangwang.eservice.chatlog.get", {"from_id": ours, "to_id": peer, **days}
    )


def _call(settings: Settings, method: str, parameters: Mapping[str, str]) -> HttpCall:
    named = {"method": f"taobao.{method}", **parameters}
    return form_call(settings.api_base, named, note=f"pull {method}")


def _days(cursor: str, rung: str) -> tuple[str, str]:
    """Return the days from a while before the cursor to the bell, at most the seven allowed."""
    until = local_time(rung)
    if until is None:
        raise ValueError(f"expected a bell's hint as a local time, got {rung!r}")
    since = local_time(cursor)
    earliest = until - timedelta(days=6)
    start = max(since - _BACK, earliest) if since is not None else until - _BACK
    return local_text(start)[:10], local_text(until)[:10]


# ----- pages -------------------------------------------------------------------------------------


def read_pull(bell: Bell, reply: Reply) -> Pulled | Outcome:
    """Read one page, or say what went wrong; what it is stands in the answer itself."""
    outcome = outcome_of(reply)
    if not isinstance(outcome, Accepted):
        return outcome
    page = said(reply, most=_MOST_BYTES)
    if "tmc_messages_confirm_response" in page:
        return Pulled(events=(), cursor="", more=True)
    for name, read in _PAGES.items():
        if isinstance(page.get(name), Mapping):
            return read(bell, inside(page, name))
    raise Malformed("the answer is none that was asked for")


def _consumed(bell: Bell, page: Mapping[str, Any]) -> Pulled:
    """Return a page of messages; the next pull confirms them, after they are committed."""
    rows = tuple(rows_with(page, "topic"))
    ids = [word(row, "id") for row in rows if word(row, "id")]
    if len(ids) != len(rows):
        raise Malformed("a message without id could never be confirmed")
    events = tuple(news_of(row, local_time(bell.hint)) for row in rows)
    return Pulled(events=events, cursor=",".join(ids), more=bool(ids))


def _peers(bell: Bell, page: Mapping[str, Any]) -> Pulled | Outcome:
    trouble = _ret(page)
    if trouble is not None:
        return trouble
    found = dict.fromkeys(word(row, "uid") for row in rows_with(page, "uid"))
    rung = tuple(Bell(cursor_key=f"{CHAT}{uid}", hint=bell.hint) for uid in found)
    return Pulled(events=rung, cursor=bell.hint, more=False)


def _chat(bell: Bell, page: Mapping[str, Any]) -> Pulled | Outcome:
    trouble = _ret(page)
    if trouble is not None:
        return trouble
    held = inside(page, "msgs")
    single = inside(held, "msg")
    rows = [single] if single else list(many(held, "msg"))
    events = tuple(chat_of(rows, bell.cursor_key.removeprefix(CHAT)))
    return Pulled(events=events, cursor=bell.hint, more=False)


_PAGES = {
    "tmc_messages_consume_response": _consumed,
    "wangwang_eservice_chatpeers_get_response": _peers,
    "wangwang_eservice_chatlog_get_response": _chat,
}


# ----- what an answer means ----------------------------------------------------------------------


def _ret(page: Mapping[str, Any]) -> Outcome | None:
    ret = word(page, "ret")
    if ret in ("", _FINE):
        return None
    if ret in _RETS:
        return Refused(reason=_RETS[ret], why=f"ret {ret}", code=ret)
    return Deferred(why=f"ret {ret}")


def outcome_of(reply: Reply) -> Outcome:
    """Return what an answer means; the classes of its sub codes are unverified."""
    trouble = in_trouble(reply)
    if trouble is not None:
        return trouble
    answer = said(reply, most=_MOST_BYTES)
    error = inside(answer, "error_response")
    if error:
        return _error(error)
    if reply.status != _OK:
        return Refused(reason=Reason.UNKNOWN, why=f"HTTP {reply.status}", code=str(reply.status))
    return Accepted() if answer else Deferred(why="the answer is not Taobao's")


def _error(error: Mapping[str, Any]) -> Outcome:
    code, sub = word(error, "code"), word(error, "sub_code")
    why = ": ".join(filter(None, (sub, word(error, "sub_msg", "msg"))))
    if code == _SESSION:
        return Refused(reason=Reason.CREDENTIALS, why=why, code=code)
    if code == _CALLS:
        return Deferred(why=why, retry_after=_SOON)
    if sub.startswith("isp."):
        return Deferred(why=why)
    return Refused(reason=Reason.UNKNOWN, why=why, code=code or sub)
