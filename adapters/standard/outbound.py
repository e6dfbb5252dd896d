"""What the shop's gateway is told, and what its answers mean."""

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapters._common.answers import in_trouble, said
from adapters._common.calls import post_json
from adapters._common.fields import inside, word
from adapters.standard.proof import ID, SIGNATURE, TIMESTAMP, signature
from adapters.standard.saying import shown
from adapters.standard.settings import CAPABILITIES
from router.channel.contract import (
    Accepted,
    Audience,
    HttpCall,
    Moment,
    Outbound,
    Outcome,
    Reason,
    Refused,
    Reply,
)
from router.channel.shapes import time_text
from router.channel.text import split
from router.domain.content import Media, Text

_TAKEN = range(200, 300)
_REASONS: Mapping[int, Reason] = {
    400: Reason.CONTENT,
    401: Reason.CREDENTIALS,
    403: Reason.CREDENTIALS,
    404: Reason.ACCOUNT,
    410: Reason.ACCOUNT,
    413: Reason.CONTENT,
    415: Reason.CONTENT,
    422: Reason.CONTENT,
}


def calls_for(message: Outbound, reply_url: str) -> tuple[HttpCall, ...] | Refused:
    """Return the events that say ``message``, unsigned; refused if there is nowhere to send."""
    if not reply_url:
        return Refused(reason=Reason.UNSUPPORTED, why="reply_url is not set: it only listens")
    if not isinstance(message.content, Text):
        return (_reply(message, shown(message.content), message.id, reply_url),)
    parts = split(message.content.text, CAPABILITIES.max_text)
    ids = (message.id if number == 1 else f"{message.id}-{number}" for number in range(1, 1000))
    return tuple(
        _reply(message, {"text": part}, key, reply_url)
        for key, part in zip(ids, parts, strict=False)
    )


def _reply(message: Outbound, content: Mapping[str, Any], key: str, url: str) -> HttpCall:
    optional = {
        "speaker": message.speaker_name,
        "conversation": message.conversation,
        "thread": message.thread,
        "reply_handle": message.reply_handle,
        "reply_to": message.reply_to,
    }
    data = {
        "id": key,
        "customer": {"id": message.recipient},
        "by": message.by.value,
        "public": message.audience is Audience.PUBLIC,
        **{name: value for name, value in optional.items() if value},
        **content,
    }
    return _event("reply.created", time_text(message.at), data, key, url)


def media_call(media: Media, data: bytes, url: str, moment: Moment) -> HttpCall:
    """Return the event that hands a file over, before the reply that speaks of it."""
    fields = {
        "kind": media.kind.value,
        "name": media.name,
        "mime": media.mime,
        "base64": base64.b64encode(data).decode(),
    }
    key = f"file-{moment.entropy.hex()}"
    return _event("file.created", time_text(moment.now), {"id": key, **fields}, key, url)


def _event(kind: str, at: str, data: Mapping[str, Any], key: str, url: str) -> HttpCall:
    call = post_json(url, {"type": kind, "timestamp": at, "data": data}, note=key)
    return replace(call, headers=(*call.headers, (ID, key)))


def signed(call: HttpCall, key: bytes, moment: Moment) -> HttpCall:
    """Return the call with its time and signature; a repeated one keeps its id."""
    timestamp = str(int(moment.now.timestamp()))
    proof = signature(key, call.note, timestamp, call.body)
    return replace(call, headers=(*call.headers, (TIMESTAMP, timestamp), (SIGNATURE, proof)))


def outcome_of(call: HttpCall, reply: Reply) -> Outcome:
    """Return what became of a reply.

    Any 2xx is a yes, with the gateway's own id of the message if it tells one. A refusal may say
    why in our vocabulary: ``{"error": {"reason": "window", "message": "…"}}``.
    """
    trouble = in_trouble(reply)
    if trouble is not None:
        return trouble
    answer = said(reply)
    if reply.status in _TAKEN:
        return Accepted(external_id=word(answer, "id") or call.note)
    error = inside(answer, "error")
    given = word(error, "reason")
    usual = _REASONS.get(reply.status, Reason.UNKNOWN)
    return Refused(
        reason=Reason(given) if given in set(Reason) else usual,
        why=word(error, "message") or f"HTTP {reply.status}",
        code=str(reply.status),
    )


def uploaded(reply: Reply) -> str | Outcome:
    """Return the gateway's id of a file, or what went wrong."""
    found = word(said(reply), "id")
    if reply.status in _TAKEN and found:
        return found
    if reply.status in _TAKEN:
        why = "the gateway took the file and gave it no id"
        return Refused(reason=Reason.CONTENT, why=why, code=str(reply.status))
    return outcome_of(HttpCall(method="POST", url=""), reply)
