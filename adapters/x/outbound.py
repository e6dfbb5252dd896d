"""What we say on X, and what its answers mean.

https://docs.x.com/x-api/direct-messages/manage/quickstart and
https://docs.x.com/x-api/posts/create-post
"""

import re
from collections.abc import Mapping
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from adapters._common.answers import header, in_trouble, said
from adapters._common.calls import post_json
from adapters._common.fields import inside, many, moment_of, word
from adapters.x.settings import CAPABILITIES, MAX_POST, Settings
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

MESSAGE, POST = "message", "post"
_TAKEN = range(200, 300)
#: Code points that count as one; all others count as two.
_LIGHT = (range(4352), range(8192, 8206), range(8208, 8224), range(8242, 8248))
_ADDRESS = 23
_LINK = re.compile(r"https?://\S+")
_CREATED = 201
_TOO_MANY = 429
_LONGEST_WAIT = timedelta(hours=24)
#: Numbers that the older API puts beside its words; the newer mostly does not (unverified).
_REASONS: Mapping[str, Reason] = {
    "32": Reason.CREDENTIALS,
    "89": Reason.CREDENTIALS,
    "64": Reason.ACCOUNT,
    "326": Reason.ACCOUNT,
    "453": Reason.ACCOUNT,
    "187": Reason.CONTENT,
    "186": Reason.CONTENT,
    "354": Reason.CONTENT,
    "150": Reason.RECIPIENT,
    "349": Reason.RECIPIENT,
    "50": Reason.RECIPIENT,
}
_STATUSES: Mapping[int, Reason] = {
    400: Reason.CONTENT,
    401: Reason.CREDENTIALS,
    402: Reason.ACCOUNT,
    404: Reason.RECIPIENT,
}


def weight(text: str) -> int:
    """Return the length of a post as X counts it: most scripts beyond the Latin count double.

    A short address counts as 23. A long one does as well, but counts at its own length here.
    """
    letters = sum(1 if any(ord(each) in light for light in _LIGHT) else 2 for each in text)
    return letters + sum(max(_ADDRESS - len(each), 0) for each in _LINK.findall(text))


def calls_for(message: Outbound, settings: Settings) -> tuple[HttpCall, ...] | Refused:
    """Return the calls that say ``message``; in public as answers to the customer's post."""
    if not settings.can_answer:
        why = "the account has no keys to write with: it only listens"
        return Refused(reason=Reason.UNSUPPORTED, why=why)
    words = as_text(message.content)
    if message.audience is Audience.PUBLIC:
        if not message.reply_handle:
            return Refused(reason=Reason.UNSUPPORTED, why="there is no post to answer")
        answered = {"in_reply_to_tweet_id": message.reply_handle}
        return tuple(
            post_json(f"{settings.api_base}/2/tweets", {"text": part, "reply": answered}, note=POST)
            for part in split(words, MAX_POST, weight)
        )
    person = quote(message.recipient, safe="")
    url = f"{settings.api_base}/2/dm_conversations/with/{person}/messages"
    return tuple(
        post_json(url, {"text": part}, note=MESSAGE) for part in split(words, CAPABILITIES.max_text)
    )


def outcome_of(call: HttpCall, reply: Reply) -> Outcome:
    """Return what became of a message or a post."""
    answer = said(reply)
    if reply.status == _TOO_MANY:
        return Deferred(why=_why(answer) or "HTTP 429", retry_after=_wait(reply))
    trouble = in_trouble(reply)
    if trouble is not None:
        return trouble
    if reply.status in _TAKEN:
        key = word(inside(answer, "data"), "dm_event_id", "id")
        if key or reply.status == _CREATED:  # said, even if we do not learn as what
            return Accepted(external_id=key)
        if not answer:
            return Deferred(why="the answer is not X's", unsure=True)
    return Refused(
        reason=_reason(call, reply.status, answer),
        why=_why(answer) or f"HTTP {reply.status}",
        code=_code(answer) or str(reply.status),
    )


def _reason(call: HttpCall, status: int, answer: Mapping[str, Any]) -> Reason:
    known = _REASONS.get(_code(answer))
    if known is not None:
        return known
    if word(answer, "reason") == "client-not-enrolled" or "client-forbidden" in word(
        answer, "type", "reason"
    ):
        return Reason.ACCOUNT
    if status in _STATUSES:
        return _STATUSES[status]
    return Reason.RECIPIENT if call.note == MESSAGE else Reason.UNKNOWN


def _code(answer: Mapping[str, Any]) -> str:
    codes = (word(each, "code") for each in many(answer, "errors"))
    return next((each for each in codes if each), "")


def _why(answer: Mapping[str, Any]) -> str:
    listed = (word(each, "message", "detail") for each in many(answer, "errors"))
    return word(answer, "detail") or next(filter(None, listed), "") or word(answer, "title")


def _wait(reply: Reply) -> timedelta | None:
    """Return how long until the limit is lifted, counted from the answer's own time."""
    until = moment_of(header(reply, "x-rate-limit-reset").strip())
    try:
        now = parsedate_to_datetime(header(reply, "date"))
    except (ValueError, TypeError, IndexError):
        return None
    if until is None or now.tzinfo is None:
        return None
    wait = until - now.astimezone(UTC)
    return min(max(wait, timedelta(seconds=1)), _LONGEST_WAIT)
