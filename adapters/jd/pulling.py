"""What is asked of JOS: orders by the time of their change, sessions, and what was said in each.

https://open.jd.com (jingdong.pop.order.search, jingdong.im.pop.sessionlist.get and chatlog.get; of
the first two answers the shapes are unverified)

A cursor is a time, or, in the middle of a period of several pages, ``since|until|page``. The pages
of orders are read from the last to the first: an order that changes meanwhile leaves the period,
and the others then move to where is still to be read.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from adapters._common.answers import in_trouble, said
from adapters._common.fields import inside, word
from adapters._common.shops import form_call, listed, local_text, local_time, rows_with
from adapters.jd.inbound import chat_of, order_of
from adapters.jd.settings import Settings
from router.channel.contract import (
    Accepted,
    Bell,
    Deferred,
    Event,
    HttpCall,
    Malformed,
    Outcome,
    Pulled,
    Reason,
    Refused,
    Reply,
)

#: The cursors: orders, sessions, and behind a colon one customer's chat.
ORDERS, SESSIONS, CHAT = "orders", "sessions", "chat:"
_SIZE = 50
_LONGEST = 9  # digits of a number of rows
_MOST_BYTES = 4 * 1024 * 1024
#: What has just ended is read again: its last rows may come late. Keys survive that.
_BACK = timedelta(minutes=10)
#: How far the first pull looks back, and how much is asked for at once after a long silence.
_FIRST = timedelta(hours=24)
_MOST_AT_ONCE = timedelta(hours=24)
_OK = 200
_TOKEN = "19"  # noqa: S105  a number of an error, unverified
_FIELDS = (
    "orderId,orderState,orderStateRemark,modified,orderStartTime,orderPayment,orderRemark,"
    "pin,open_id_buyer,waybill"
)
_TOTALS = ("orderTotal", "totalRecord", "total", "totalCount")


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What a pull asks for: a time, and the page of it."""

    since: datetime
    until: datetime
    page: int = 0  # none yet: the first page is asked for, to hear how many there are

    @property
    def cursor(self) -> str:
        return f"{local_text(self.since)}|{local_text(self.until)}|{self.page}"


def period_of(cursor: str, rung: str) -> Period:
    """Return what is to be asked for: the rest of a period, or the one up to when it rang."""
    since, _, rest = cursor.partition("|")
    until, _, page = rest.partition("|")
    start, end = local_time(since), local_time(until or rung)
    if end is None:
        raise ValueError(f"expected a bell's hint as a local time, got {rung!r}")
    if page:
        return Period(since=start or end, until=end, page=int(page))
    since_then = start - _BACK if start is not None else end - _FIRST
    return Period(since=since_then, until=min(end, since_then + _MOST_AT_ONCE))


def bells(settings: Settings, now: datetime) -> tuple[Bell, ...]:
    """Return what is to be asked for now; the hint says when it rang."""
    if not settings.access_token:
        return ()
    rung = local_text(now)
    orders = Bell(cursor_key=ORDERS, hint=rung)
    return (orders, Bell(cursor_key=SESSIONS, hint=rung)) if settings.chats else (orders,)


def pull_call(bell: Bell, *, cursor: str, settings: Settings) -> HttpCall:
    """Return the call for what a bell rang for."""
    period = period_of(cursor, bell.hint)
    page = str(period.page or 1)
    if bell.cursor_key == ORDERS:
        asked = {
            "start_date": local_text(period.since),
            "end_date": local_text(period.until),
            "order_state": settings.order_states,
            "optional_fields": _FIELDS,
            "page": page,
            "page_size": str(_SIZE),
            "sortType": "0",
            "dateType": "0",
        }
        return _call(settings, "jingdong.pop.order.search", asked)
    asked = {
        "waiter": settings.waiter,
        "startTime": local_text(period.since),
        "endTime": local_text(period.until),
        "page": page,
        "pageSize": str(_SIZE),
    }
    if bell.cursor_key == SESSIONS:
        return _call(settings, "jingdong.im.pop.sessionlist.get", asked)
    customer = bell.cursor_key.removeprefix(CHAT)
    return _call(settings, "jingdong.im.pop.chatlog.get", {**asked, "customer": customer})


def _call(settings: Settings, method: str, asked: Mapping[str, str]) -> HttpCall:
    given = {name: value for name, value in asked.items() if value}
    business = json.dumps(given, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    form = {"method": method, "360buy_param_json": business}
    return form_call(settings.api_base, form, note=f"pull {method}")


# ----- pages -------------------------------------------------------------------------------------


def read_pull(bell: Bell, reply: Reply) -> Pulled | Outcome:
    """Read one page, or say what went wrong; what it is stands in the answer itself."""
    outcome = outcome_of(reply)
    if not isinstance(outcome, Accepted):
        return outcome
    answer = said(reply, most=_MOST_BYTES)
    for name, read in _PAGES.items():
        for spelt in (f"{name}_responce", f"{name}_response"):
            if isinstance(answer.get(spelt), Mapping):
                events, rows = read(inside(answer, spelt), bell.hint)
                return _turned(bell, inside(answer, spelt), events, rows)
    raise Malformed("the answer is none that was asked for")


def _chat(page: Mapping[str, Any], _rung: str) -> tuple[tuple[Event, ...], int]:
    rows = tuple(listed(page))
    return tuple(chat_of(rows)), len(rows)


def _sessions(page: Mapping[str, Any], rung: str) -> tuple[tuple[Event, ...], int]:
    rows = [word(row, "customer") for row in listed(page)]
    if not all(rows):
        raise Malformed("a session without customer")
    bells = (Bell(cursor_key=f"{CHAT}{each}", hint=rung) for each in dict.fromkeys(rows))
    return tuple(bells), len(rows)


def _orders(page: Mapping[str, Any], _rung: str) -> tuple[tuple[Event, ...], int]:
    rows = [row for row in listed(page) if word(row, "orderId")]
    return tuple(order_of(row) for row in rows), len(rows)


_Reads = Callable[[Mapping[str, Any], str], tuple[tuple[Event, ...], int]]
_PAGES: Mapping[str, _Reads] = {
    "jingdong_im_pop_chatlog_get": _chat,
    "jingdong_im_pop_sessionlist_get": _sessions,
    "jingdong_pop_order_search": _orders,
}


def _turned(bell: Bell, page: Mapping[str, Any], events: tuple[Event, ...], rows: int) -> Pulled:
    """Return the page with where to read on; the period ends after its first page."""
    if not bell.hint and not bell.cursor:
        return Pulled(events=events, cursor="", more=False)
    total = _total(page)
    if total is None and rows >= _SIZE:
        raise Malformed("a full page that does not say how many rows there are")
    period = period_of(bell.cursor, bell.hint)
    last = -(-total // _SIZE) if total else 1
    again = last if last > 1 else 0
    following = again if period.page == 0 else period.page - 1
    if following < 1:
        rung = local_time(bell.hint)
        more = rung is not None and period.until < rung
        return Pulled(events=events, cursor=local_text(period.until), more=more)
    return Pulled(events=events, cursor=replace(period, page=following).cursor, more=True)


def _total(page: Any) -> int | None:
    found = next((word(row, name) for name in _TOTALS for row in rows_with(page, name)), "")
    return int(found) if found.isascii() and found.isdigit() and len(found) <= _LONGEST else None


# ----- what an answer means ----------------------------------------------------------------------


def outcome_of(reply: Reply) -> Outcome:
    """Return what an answer means; all numbers but 0 are unverified."""
    trouble = in_trouble(reply)
    if trouble is not None:
        return trouble
    answer = said(reply, most=_MOST_BYTES)
    error = inside(answer, "error_response")
    if error:
        code, why = word(error, "code"), word(error, "zh_desc", "en_desc", "msg")
        return _meaning(code, why)
    if reply.status != _OK:
        return Refused(reason=Reason.UNKNOWN, why=f"HTTP {reply.status}", code=str(reply.status))
    inner = next((held for held in answer.values() if isinstance(held, Mapping)), {})
    code = word(inner, "code")
    if code not in ("", "0"):
        return _meaning(code, word(inner, "zh_desc", "msg", "message"))
    return Accepted() if answer else Deferred(why="the answer is not JD's")


def _meaning(code: str, why: str) -> Outcome:
    if code == _TOKEN:
        return Refused(reason=Reason.CREDENTIALS, why=why, code=code)
    return Refused(reason=Reason.UNKNOWN, why=why or f"code {code}", code=code)
