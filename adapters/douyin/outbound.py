"""What we say on Douyin, and what its answers mean.

https://developer.open-douyin.com/docs/resource/zh-CN/mini-app/develop/server/reach-marketing/instant-message/private-message/send-message
"""

from collections.abc import Mapping
from typing import Any

from adapters._common.answers import in_trouble, said
from adapters._common.calls import post_json, with_query
from adapters._common.fields import inside, opened, word
from adapters.douyin.settings import CAPABILITIES, Settings
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
    TokenExpired,
)
from router.channel.text import as_text, split

_OK = 200
_TEXT = 1
_BUSY = frozenset({"2100004"})
_TOKEN = frozenset({"2190002", "2190008", "28001003", "28001008"})
_REASONS: Mapping[str, Reason] = {"2100005": Reason.CONTENT}


def calls_for(message: Outbound, settings: Settings) -> tuple[HttpCall, ...] | Refused:
    """Return the calls that say ``message``, each as an answer to the customer's last one.

    A comment in a live room and a message in a group cannot be answered here.
    """
    handle = opened(message.reply_handle)
    answered, conversation = word(handle, "message"), word(handle, "conversation")
    if message.audience is Audience.PUBLIC or message.thread:
        why = "live comments and group messages cannot be answered here"
        return Refused(reason=Reason.UNSUPPORTED, why=why)
    if not (answered and conversation):
        why = "only a message of the customer's can be answered, and there is none"
        return Refused(reason=Reason.UNSUPPORTED, why=why)
    url = with_query(f"{settings.api_base}/im/send/msg/", open_id=settings.open_id)
    return tuple(
        post_json(
            url,
            {
                "msg_id": answered,
                "conversation_id": conversation,
                "to_user_id": message.recipient,
                "scene": "im_reply_msg",
                "content": {"msg_type": _TEXT, "text": {"text": part}},
            },
            note="text",
        )
        for part in split(as_text(message.content), CAPABILITIES.max_text)
    )


def sent(reply: Reply) -> Outcome:
    """Return what became of a message, with the platform's id of it if it tells one."""
    outcome = outcome_of(reply)
    if isinstance(outcome, Accepted):
        return Accepted(
            external_id=word(inside(said(reply), "data"), "msg_id", "server_message_id")
        )
    return outcome


def outcome_of(reply: Reply) -> Outcome:
    """Return what an answer means; its number stands in one of three places."""
    trouble = in_trouble(reply)
    if trouble is not None:
        return trouble
    answer = said(reply)
    code, why = _code(answer)
    if code:
        return _meaning(code, why)
    if reply.status == _OK:
        return Deferred(why="the answer is not Douyin's", unsure=True)
    return Refused(reason=Reason.UNKNOWN, why=f"HTTP {reply.status}", code=str(reply.status))


def _meaning(code: str, why: str) -> Outcome:
    if code == "0":
        return Accepted()
    if code in _TOKEN:
        return TokenExpired(why=f"{code}: {why}")
    if code in _BUSY:
        return Deferred(why=f"{code}: {why}")
    return Refused(reason=_REASONS.get(code, Reason.UNKNOWN), why=why, code=code)


def _code(answer: Mapping[str, Any]) -> tuple[str, str]:
    """Return the answer's number, an error before a zero, and what it says about it."""
    places = [
        (word(inside(answer, "data"), "error_code"), inside(answer, "data")),
        (word(inside(answer, "extra"), "error_code"), inside(answer, "extra")),
        (word(answer, "err_no", "error_code"), answer),
    ]
    told = [(code, place) for code, place in places if code]
    wrong = next(((code, place) for code, place in told if code != "0"), None)
    code, place = wrong or (told[0] if told else ("", answer))
    return code, word(place, "description", "sub_description", "err_msg", "err_tips", "message")
