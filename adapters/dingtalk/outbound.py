"""What we say on DingTalk, and what its answers mean.

An answer goes to the session's webhook while that lives, and by the robot's own interface else.
https://open.dingtalk.com/document/orgapp/chatbots-send-one-on-one-chat-messages-in-batches
https://open.dingtalk.com/document/orgapp/the-robot-sends-a-group-message
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from adapters._common.answers import in_trouble, said
from adapters._common.calls import post_json, raw_json
from adapters._common.fields import many, moment_of, opened, word
from adapters.dingtalk.settings import CAPABILITIES, Settings
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
from router.channel.text import as_text, split
from router.domain.content import Media, MediaKind

SESSION = "session"
ROBOT = "robot"
_ROBOT_NOTE = json.dumps({"way": ROBOT})
_MARGIN = timedelta(minutes=1)
_MINUTE = timedelta(minutes=1)
_OK, _UNAUTHORIZED, _FORBIDDEN = 200, 401, 403
_OUTSIDER = "$:LWCP"
_THROTTLED = re.compile(r"(?i)throttl|qps|too.?many|flow.?control")
_NOBODY = re.compile(r"(?i)staffid|userid|openconversationid|conversation")
_CREDENTIAL = re.compile(r"(?i)authentication|clientid|appkey|accesstoken")
# Body codes of a session's webhook; unverified, as is that it answers with errcode at all.
_BUSY = frozenset({"-1"})
_LIMITED = frozenset({"130101"})
_TOKEN = frozenset({"88", "40014", "42001"})


def calls_for(message: Outbound, settings: Settings) -> tuple[HttpCall, ...]:
    """Return the calls that say ``message``, in order, unsigned.

    Words go to the session's webhook with a note of what to say instead once it has died; files
    need the robot's interface, which cannot reach people outside the company.
    """
    session = _session(message, settings)
    direct = not message.recipient.startswith(_OUTSIDER) or bool(message.thread)
    calls: list[HttpCall] = []
    for key, param in _shapes(message, files=direct):
        robot = _robot_call(message, settings, key, param)
        if session is None or key != "sampleText":
            calls.append(robot)
        else:
            calls.append(_session_call(session, message, param, robot if direct else None))
    return tuple(calls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A webhook for answers in one conversation, and when it dies."""

    webhook: str
    until: datetime


def _session(message: Outbound, settings: Settings) -> Session | None:
    """Return the session to answer in, if it is DingTalk's: the body that named it is unsigned."""
    handle = opened(message.reply_handle)
    webhook, until = word(handle, "webhook"), moment_of(word(handle, "until"))
    if until is None or not _is_dingtalk(webhook, settings):
        return None
    return Session(webhook=webhook, until=until)


def _is_dingtalk(webhook: str, settings: Settings) -> bool:
    try:
        parts = urlsplit(webhook)
        host = parts.hostname or ""
    except ValueError:
        return False
    if webhook.startswith(f"{settings.oapi_base}/"):
        return True
    return parts.scheme == "https" and host.endswith(".dingtalk.com") and "@" not in parts.netloc


def _session_call(
    session: Session, message: Outbound, param: Mapping[str, Any], robot: HttpCall | None
) -> HttpCall:
    body: dict[str, Any] = {"msgtype": "text", "text": param}
    if message.thread and not message.recipient.startswith(_OUTSIDER):
        body["at"] = {"atUserIds": [message.recipient]}
    note = {"way": SESSION, "until": int(session.until.timestamp() * 1000)}
    if robot is not None:
        note["else"] = {"url": robot.url, "body": robot.body.decode()}
    return post_json(session.webhook, body, note=json.dumps(note, ensure_ascii=False))


def _robot_call(
    message: Outbound, settings: Settings, key: str, param: Mapping[str, Any]
) -> HttpCall:
    said_as = {
        "robotCode": settings.robot,
        "msgKey": key,
        "msgParam": raw_json(param).decode(),
    }
    if message.thread:
        url = f"{settings.api_base}/v1.0/robot/groupMessages/send"
        return post_json(url, {**said_as, "openConversationId": message.thread}, note=_ROBOT_NOTE)
    url = f"{settings.api_base}/v1.0/robot/oToMessages/batchSend"
    return post_json(url, {**said_as, "userIds": [message.recipient]}, note=_ROBOT_NOTE)


def _shapes(message: Outbound, *, files: bool) -> tuple[tuple[str, dict[str, Any]], ...]:
    match message.content:
        case Media(kind=MediaKind.IMAGE, ref=ref, caption=caption) if ref and files:
            return (("sampleImageMsg", {"photoURL": ref}), *_texts(caption))
        case Media(kind=MediaKind.FILE, ref=ref, name=name, caption=caption) if ref and files:
            file = {"mediaId": ref, "fileName": name, "fileType": name.rpartition(".")[2]}
            return (("sampleFile", file), *_texts(caption))
        case other:
            return _texts(as_text(other))


def _texts(text: str) -> tuple[tuple[str, dict[str, Any]], ...]:
    return tuple(("sampleText", {"content": part}) for part in split(text, CAPABILITIES.max_text))


# ----- credentials -------------------------------------------------------------------------------


def alive(call: HttpCall, now: datetime) -> HttpCall:
    """Return the call as it can be made now: a session that has died gives way to the robot."""
    note = opened(call.note)
    if word(note, "way") != SESSION:
        return call
    until, other = moment_of(word(note, "until")), note.get("else")
    if not isinstance(other, Mapping) or until is None or now < until - _MARGIN:
        return call
    body = word(other, "body").encode()
    return replace(call, url=word(other, "url"), body=body, note=_ROBOT_NOTE)


def wants_token(call: HttpCall) -> bool:
    """Return whether the call needs our access token: a session's webhook holds its own."""
    return word(opened(call.note), "way") != SESSION


# ----- answers -----------------------------------------------------------------------------------


def outcome_of(reply: Reply) -> Outcome:
    """Return what an answer means, of a session's webhook or of the robot's interface."""
    trouble = in_trouble(reply)
    if trouble is not None:
        return trouble
    answer = said(reply)
    if word(answer, "errcode"):
        return _of_session(word(answer, "errcode"), word(answer, "errmsg"))
    if reply.status != _OK:
        return _of_error(reply, word(answer, "code"), word(answer, "message"))
    return _of_robot(answer)


def _of_robot(answer: Mapping[str, Any]) -> Outcome:
    if not answer:
        return Deferred(why="the answer is not DingTalk's", unsure=True)
    if many(answer, "flowControlledStaffIdList"):
        return Deferred(why="the recipient gets too many messages", retry_after=_MINUTE)
    if many(answer, "invalidStaffIdList"):
        return Refused(reason=Reason.RECIPIENT, why="the recipient is not in the company")
    return Accepted(external_id=word(answer, "processQueryKey"))


def _of_session(code: str, why: str) -> Outcome:
    if code == "0":
        return Accepted()
    if code in _BUSY:
        return Deferred(why=f"busy: {why}")
    if code in _LIMITED:
        return Deferred(why=f"{code}: {why}", retry_after=_MINUTE)
    if code in _TOKEN:
        return Refused(reason=Reason.CREDENTIALS, why=why, code=code)
    expired = "expire" in why.lower() or "session" in why.lower()
    return Refused(reason=Reason.WINDOW if expired else Reason.UNKNOWN, why=why, code=code)


def _of_error(reply: Reply, code: str, why: str) -> Outcome:
    """Return what an error of the robot's interface means; its codes are words."""
    if reply.status == _UNAUTHORIZED:
        return TokenExpired(why=f"{code}: {why}")
    if _THROTTLED.search(code):
        return Deferred(why=f"{code}: {why}", retry_after=_MINUTE)
    return Refused(reason=_reason(reply.status, code), why=why or f"HTTP {reply.status}", code=code)


def _reason(status: int, code: str) -> Reason:
    if status == _FORBIDDEN:
        return Reason.ACCOUNT
    if _CREDENTIAL.search(code):
        return Reason.CREDENTIALS
    if _NOBODY.search(code):
        return Reason.RECIPIENT
    return Reason.UNKNOWN
