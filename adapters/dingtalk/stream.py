"""The frames of DingTalk's stream: read, and each answered with an acknowledgement.

https://open.dingtalk.com/document/orgapp/introduction-to-stream-mode
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus

from adapters._common.answers import in_trouble, said
from adapters._common.calls import post_json, raw_json
from adapters._common.fields import inside, moment_of, word
from adapters._common.jsonin import read_object
from adapters.dingtalk.inbound import messages_of, pressed
from adapters.dingtalk.settings import Settings
from router.channel.contract import (
    Decoded,
    Deferred,
    Event,
    HttpCall,
    Ignored,
    Malformed,
    Outcome,
    Reason,
    Refused,
    Reply,
    Response,
)

MESSAGES = "/v1.0/im/bot/messages/get"
CARDS = "/v1.0/card/instances/callback"
_JSON = "application/json"
_DONE, _BAD, _UNKNOWN = 200, 400, 404
_WORDS = {_DONE: "OK", _BAD: "bad request", _UNKNOWN: "not implemented"}


def decoded(body: bytes, now: datetime) -> Decoded:
    """Return what one frame says and the frame that acknowledges it after the commit."""
    frame = _read(body)
    headers = inside(frame, "headers")
    key, topic = word(headers, "messageId"), word(headers, "topic")
    at = moment_of(word(headers, "time")) or now
    match word(frame, "type"):
        case "SYSTEM":
            return Decoded(events=(Ignored(kind=f"stream.{topic}"),), response=_ack(key, frame))
        case "EVENT":
            kind = word(headers, "eventType") or topic or "unnamed"
            return Decoded(events=(Ignored(kind=f"event.{kind}"),), response=_ack(key, frame))
        case "CALLBACK" if topic in (MESSAGES, CARDS):
            try:
                events = _called_back(topic, inside(frame, "data"), key, at)
            except Malformed as error:
                raise Malformed(str(error), answer=_ack(key, frame, code=_BAD)) from error
            return Decoded(events=events, response=_ack(key, frame))
        case kind:
            events = (Ignored(kind=f"stream.{kind or 'unnamed'}.{topic}"),)
            return Decoded(events=events, response=_ack(key, frame, code=_UNKNOWN))


def parts(body: bytes) -> bool:
    """Return whether a frame asks us to leave the stream and to open another."""
    try:
        frame = _read(body)
    except Malformed:
        return False
    topic = word(inside(frame, "headers"), "topic")
    return word(frame, "type") == "SYSTEM" and topic == "disconnect"


def _called_back(topic: str, data: Mapping[str, Any], key: str, at: datetime) -> tuple[Event, ...]:
    return messages_of(data, at) if topic == MESSAGES else (pressed(data, key, at),)


def _read(body: bytes) -> Mapping[str, Any]:
    frame = read_object(body)
    if not isinstance(frame.get("headers"), Mapping):
        raise Malformed("a frame without headers")
    return frame


def _ack(key: str, frame: Mapping[str, Any], *, code: int = _DONE) -> Response:
    """Return the acknowledgement; a frame of the system gets its own data back."""
    system = word(frame, "type") == "SYSTEM"
    data = word(frame, "data") if system else json.dumps({"response": _WORDS[code]})
    answer = {
        "code": code,
        "headers": {"messageId": key, "contentType": _JSON},
        "message": _WORDS[code],
        "data": data,
    }
    return Response(body=raw_json(answer), content_type=_JSON)


# ----- opening the stream ------------------------------------------------------------------------


def dial_call(settings: Settings) -> HttpCall:
    """Return the call that asks for a stream; it holds credentials and is never stored."""
    return post_json(
        f"{settings.api_base}/v1.0/gateway/connections/open",
        {
            "clientId": settings.app_key,
            "clientSecret": settings.app_secret,
            "subscriptions": [
                {"type": "CALLBACK", "topic": MESSAGES},
                {"type": "CALLBACK", "topic": CARDS},
                {"type": "EVENT", "topic": "*"},
            ],
            "ua": "mainstem",
        },
    )


def read_dial(reply: Reply) -> str | Outcome:
    """Return the address to connect to, with its ticket, or what went wrong."""
    trouble = in_trouble(reply)
    if trouble is not None:
        return trouble
    answer = said(reply)
    endpoint, ticket = word(answer, "endpoint"), word(answer, "ticket")
    if endpoint.startswith("wss://") and ticket:
        return f"{endpoint}?ticket={quote_plus(ticket)}"
    if not answer:
        return Deferred(why="the answer is not DingTalk's")
    return Refused(
        reason=Reason.CREDENTIALS, why=word(answer, "message"), code=word(answer, "code")
    )
