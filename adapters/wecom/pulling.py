"""The pull that a bell asks for: its call, its token of ten minutes, its page.

https://developer.work.weixin.qq.com/document/path/94670
"""

import json
from dataclasses import replace
from datetime import datetime, timedelta

from adapters._common.answers import said
from adapters._common.calls import post_json, raw_json
from adapters._common.fields import moment_of, word
from adapters.wecom.inbound import events_of
from adapters.wecom.outbound import outcome_of
from adapters.wecom.settings import Settings
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

PULL = "pull"
_LASTS = timedelta(minutes=10)
_LIMIT = 200  # of at most 1000, so that a page of long messages is still a modest answer
_MOST_BYTES = 4 * 1024 * 1024
_MORE = "1"


def hint_of(token: str, rung: str, nonce: str) -> str:
    """Return what the bell keeps: when it rang (seconds since 1970) and the token it brought.

    The nonce tells two rings of one second apart: the second, heard while the first is answered,
    must be pulled for as well.
    """
    return f"{rung}.{''.join(nonce.split())} {token}" if rung else token


def _rung_at(told: str) -> datetime | None:
    return moment_of(told.partition(".")[0])


def pull_call(bell: Bell, *, cursor: str, settings: Settings) -> HttpCall:
    """Return the call for the page after ``cursor``, with the bell's token."""
    rung, _, token = bell.hint.rpartition(" ")
    wanted = {
        "cursor": cursor,
        "token": token,
        "limit": _LIMIT,
        "voice_format": 0,
        "open_kfid": bell.cursor_key,
    }
    given = {key: value for key, value in wanted.items() if value != ""}
    url = f"{settings.api_base}/cgi-bin/kf/sync_msg"
    return post_json(url, given, note=f"{PULL} {rung}".rstrip())


def fresh(call: HttpCall, now: datetime) -> HttpCall:
    """Return the pull without its token once that has expired: then it is slow, but it works."""
    rung = _rung_at(call.note.removeprefix(PULL).strip())
    if rung is None or now - rung < _LASTS:
        return call
    body = {key: value for key, value in json.loads(call.body).items() if key != "token"}
    return replace(call, body=raw_json(body))


def read_pull(bell: Bell, reply: Reply, settings: Settings) -> Pulled | Outcome:
    """Read one page, or say what went wrong."""
    outcome = outcome_of(reply, most=_MOST_BYTES)
    if isinstance(outcome, Refused) and outcome.reason is Reason.WINDOW:
        return Deferred(why=f"{outcome.code}: {outcome.why}")  # 950xx about the token or cursor
    if not isinstance(outcome, Accepted):
        return outcome
    page = said(reply, most=_MOST_BYTES)
    cursor, more = word(page, "next_cursor"), word(page, "has_more") == _MORE
    if more and not cursor:
        raise Malformed("there is more, but no next_cursor says where")
    rung_at = _rung_at(bell.hint.rpartition(" ")[0])
    events = events_of(page, usual=settings.open_kfid, rung_at=rung_at)
    return Pulled(events=events, cursor=cursor, more=more)
