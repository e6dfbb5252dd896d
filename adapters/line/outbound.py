"""What we say on LINE, and what its answers mean.

https://developers.line.biz/en/reference/messaging-api/#send-push-message
https://developers.line.biz/en/docs/messaging-api/retrying-api-request/

Everything is pushed. A reply token is free of charge, but can be used once within about a minute
and not tried again, so a lost answer would mean a message lost or said twice.
"""

import re
from dataclasses import replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from adapters._common.answers import in_trouble, said
from adapters._common.calls import post_json
from adapters._common.fields import many, word
from adapters._common.outgoing import utf16_units
from adapters.line.settings import CAPABILITIES, MOST_MESSAGES
from router.channel.contract import (
    Accepted,
    Audience,
    HttpCall,
    Outbound,
    Outcome,
    Reason,
    Refused,
    Reply,
)
from router.channel.text import as_text, split
from router.domain.content import Media, MediaKind, Menu, Place

_MOST_CHOICES, _LABEL, _DATA = 13, 20, 300
_LONGEST_PLACE = 100
_OK, _DONE, _TOO_MANY = 200, 409, 429
_MONTHLY = re.compile(r"monthly limit", re.IGNORECASE)
_NOBODY = re.compile(r"'to'|failed to send messages|not found", re.IGNORECASE)
_REASONS = {
    401: Reason.CREDENTIALS,
    403: Reason.ACCOUNT,
    404: Reason.RECIPIENT,
    413: Reason.CONTENT,
}


def calls_for(message: Outbound, *, api_base: str) -> tuple[HttpCall, ...]:
    """Return the pushes that say ``message``, up to five parts in each.

    The retry key is made from our own id, so that a second try is known as one by LINE.
    """
    in_room = message.thread and message.audience is Audience.PUBLIC
    to = message.thread if in_room else message.recipient
    shapes = _shapes(message)
    calls = []
    for start in range(0, len(shapes), MOST_MESSAGES):
        body = {"to": to, "messages": list(shapes[start : start + MOST_MESSAGES])}
        call = post_json(f"{api_base}/v2/bot/message/push", body, note="push")
        key = str(uuid5(NAMESPACE_URL, f"mainstem:{message.id}:{start}"))
        calls.append(replace(call, headers=(*call.headers, ("x-line-retry-key", key))))
    return tuple(calls)


def _shapes(message: Outbound) -> tuple[dict[str, Any], ...]:
    match message.content:
        case Media(kind=MediaKind.IMAGE, link=link, caption=caption) if link.startswith("https://"):
            shape = {"type": "image", "originalContentUrl": link, "previewImageUrl": link}
            return (shape, *_texts(caption))
        case Place(latitude=latitude, longitude=longitude, label=label):
            named = label[:_LONGEST_PLACE] or f"{latitude}, {longitude}"
            place = {"type": "location", "title": named, "address": named}
            rest = _texts(label) if len(label) > _LONGEST_PLACE else ()
            return ({**place, "latitude": latitude, "longitude": longitude}, *rest)
        case Menu() as menu if _fits(menu):
            return ({"type": "text", "text": menu.text, "quickReply": {"items": _choices(menu)}},)
        case other:
            return _texts(as_text(other))


def _texts(text: str) -> tuple[dict[str, Any], ...]:
    parts = split(text, CAPABILITIES.max_text, utf16_units)
    return tuple({"type": "text", "text": part} for part in parts)


def _fits(menu: Menu) -> bool:
    """Return whether the choices can be shown as buttons; what cannot becomes numbered words."""
    return (
        0 < len(menu.options) <= _MOST_CHOICES
        and 0 < utf16_units(menu.text) <= CAPABILITIES.max_text
        and all(
            0 < utf16_units(option.label) <= _LABEL and 0 < utf16_units(option.id) <= _DATA
            for option in menu.options
        )
    )


def _choices(menu: Menu) -> list[dict[str, Any]]:
    return [
        {
            "type": "action",
            "action": {
                "type": "postback",
                "label": option.label,
                "data": option.id,
                "displayText": option.label,
            },
        }
        for option in menu.options
    ]


# ----- answers -----------------------------------------------------------------------------------


def outcome_of(reply: Reply) -> Outcome:
    """Return what LINE's answer means; 409 says that this very call was accepted before."""
    answer = said(reply)
    why = word(answer, "message")
    if reply.status in (_OK, _DONE):
        sent = (word(each, "id") for each in many(answer, "sentMessages"))
        return Accepted(external_id=next(sent, ""))
    if reply.status == _TOO_MANY and _MONTHLY.search(why):
        return Refused(reason=Reason.ACCOUNT, why=why, code=str(reply.status))
    trouble = in_trouble(reply)
    if trouble is not None:
        return replace(trouble, why=f"{trouble.why}: {why}" if why else trouble.why)
    details = (word(each, "property", "message") for each in many(answer, "details"))
    full = " ".join(each for each in (why, *details) if each)
    return Refused(reason=_reason(reply.status, full), why=full, code=str(reply.status))


def _reason(status: int, why: str) -> Reason:
    known = _REASONS.get(status)
    if known is not None:
        return known
    if status != 400:  # noqa: PLR2004  the platform's word for: our mistake, or nobody there
        return Reason.UNKNOWN
    return Reason.RECIPIENT if _NOBODY.search(why) else Reason.CONTENT
