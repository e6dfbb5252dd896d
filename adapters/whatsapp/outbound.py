"""What we say on WhatsApp, and what its answers mean.

https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
"""

import re
from typing import Any

from adapters._common.answers import said
from adapters._common.calls import post_json
from adapters._common.fields import many, word
from adapters._common.meta import Failure, Table, refusal
from adapters.whatsapp.settings import CAPABILITIES, MAX_CAPTION, Settings
from router.channel.contract import (
    Accepted,
    HttpCall,
    Outbound,
    Outcome,
    Reason,
    Reply,
)
from router.channel.text import as_text, split
from router.domain.content import Link, Media, MediaKind, Menu, Place

#: A business-scoped user id: a country's letters, a point, and what Meta makes of the rest.
_SCOPED = re.compile(r"[A-Z]{2}\.(?:ENT\.)?\S+")
_KINDS = {
    MediaKind.IMAGE: "image",
    MediaKind.VOICE: "audio",
    MediaKind.VIDEO: "video",
    MediaKind.FILE: "document",
}
_MOST_BUTTONS, _BUTTON, _BUTTON_ID = 3, 20, 256
_MOST_ROWS, _ROW, _ROW_ID = 10, 24, 200
_MENU_TEXT = 1024
_TEMPLATES = frozenset(range(132_000, 133_000))

TABLE = Table(
    busy=frozenset({80007, 130429, 131000, 131016, 131048, 131056, 131057, 131064, 133016}),
    reasons={
        Reason.WINDOW: frozenset({131047}),
        Reason.RECIPIENT: frozenset(
            {131021, 131026, 131030, 131049, 131050, 131062, 130472, 137000}
        ),
        Reason.ACCOUNT: frozenset({368, 130497, 131005, 131031, 131037, 131042, 131045}),
        Reason.CONTENT: frozenset({131008, 131009, 131051, 131052, 131053, 135000}) | _TEMPLATES,
    },
)


def calls_for(message: Outbound, settings: Settings) -> tuple[HttpCall, ...]:
    """Return the calls that say ``message``, in order, unsigned."""
    field = "recipient" if _SCOPED.fullmatch(message.recipient) else "to"
    frame = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        field: message.recipient,
        "biz_opaque_callback_data": message.id,
    }
    url = f"{settings.root}/{settings.phone_number_id}/messages"
    return tuple(
        post_json(url, {**frame, "type": kind, kind: shape}, note=kind)
        for kind, shape in _shapes(message)
    )


def _shapes(message: Outbound) -> tuple[tuple[str, dict[str, Any]], ...]:
    match message.content:
        case Media(kind=kind, ref=ref, link=link) as media if ref or link:
            return _media(media, _KINDS[kind])
        case Place(latitude=latitude, longitude=longitude, label=label):
            named = {"name": label} if label else {}
            return (("location", {"latitude": latitude, "longitude": longitude, **named}),)
        case Menu() as menu if _fits(menu):
            return (("interactive", _menu(menu)),)
        case Link() as link_:
            return _texts(as_text(link_), preview=True)
        case other:
            return _texts(as_text(other), preview=False)


def _texts(text: str, *, preview: bool) -> tuple[tuple[str, dict[str, Any]], ...]:
    parts = split(text, CAPABILITIES.max_text)
    return tuple(("text", {"body": part, "preview_url": preview}) for part in parts)


def _media(media: Media, kind: str) -> tuple[tuple[str, dict[str, Any]], ...]:
    """Return the file; words that cannot stand under it follow on their own."""
    shape: dict[str, Any] = {"id": media.ref} if media.ref else {"link": media.link}
    under = kind != "audio" and len(media.caption) <= MAX_CAPTION
    if media.caption and under:
        shape["caption"] = media.caption
    if kind == "document" and media.name:
        shape["filename"] = media.name
    return ((kind, shape), *(() if under else _texts(media.caption, preview=False)))


def _fits(menu: Menu) -> bool:
    """Return whether a menu can be shown with buttons or rows; what cannot becomes words."""
    if not menu.options or not 0 < len(menu.text) <= _MENU_TEXT:
        return False
    few = len(menu.options) <= _MOST_BUTTONS
    label, id_ = (_BUTTON, _BUTTON_ID) if few else (_ROW, _ROW_ID)
    return len(menu.options) <= _MOST_ROWS and all(
        0 < len(option.label) <= label and 0 < len(option.id) <= id_ for option in menu.options
    )


def _menu(menu: Menu) -> dict[str, Any]:
    body = {"text": menu.text}
    if len(menu.options) <= _MOST_BUTTONS:
        buttons = [
            {"type": "reply", "reply": {"id": option.id, "title": option.label}}
            for option in menu.options
        ]
        return {"type": "button", "body": body, "action": {"buttons": buttons}}
    rows = [{"id": option.id, "title": option.label} for option in menu.options]
    return {"type": "list", "body": body, "action": {"button": "☰", "sections": [{"rows": rows}]}}


def outcome_of(reply: Reply) -> Outcome:
    """Return what the answer means; what becomes of an accepted message comes as a receipt."""
    failed = refusal(reply)
    if isinstance(failed, Failure):
        return TABLE.meaning(failed, reply)
    if failed is not None:
        return failed
    return Accepted(
        external_id=next((word(each, "id") for each in many(said(reply), "messages")), "")
    )
