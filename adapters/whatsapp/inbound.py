"""What a delivery of WhatsApp says, in our words."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from adapters._common.fields import inside, many, moment_of, opened, place_of, word
from adapters._common.meta import failure_of
from adapters._common.phone import e164
from adapters._common.wordin import leaves
from adapters.whatsapp.outbound import TABLE
from adapters.whatsapp.wire import Change, Person
from router.channel.contract import (
    Edited,
    Event,
    Followed,
    Following,
    Identified,
    Ignored,
    Malformed,
    Reason,
    Recalled,
    Receipt,
    ReceiptState,
    Received,
    Refused,
)
from router.domain.content import Content, Media, MediaKind, Pressed, Text, Unsupported
from router.domain.identity import Claim, ClaimKind

_MEDIA: Mapping[str, MediaKind] = {
    "image": MediaKind.IMAGE,
    "sticker": MediaKind.IMAGE,
    "audio": MediaKind.VOICE,
    "voice": MediaKind.VOICE,
    "video": MediaKind.VIDEO,
    "document": MediaKind.FILE,
}
_MOVED = frozenset({"user_changed_number", "customer_changed_number", "user_changed_user_id"})
_STATES = {
    "sent": ReceiptState.SENT,
    "delivered": ReceiptState.DELIVERED,
    "read": ReceiptState.READ,
    "played": ReceiptState.READ,
    "failed": ReceiptState.REFUSED,
}


def events_of(change: Change) -> Iterator[Event]:
    """Yield what a change says: messages, receipts, and troubles of the number itself."""
    for message in change.messages:
        yield _said(change, message)
    for status in change.statuses:
        yield _receipt(change, status)
    for error in change.errors:
        yield Ignored(kind=f"error.{failure_of(error).name}")


def _time(fields: Mapping[str, Any]) -> datetime:
    at = moment_of(word(fields, "timestamp"))
    if at is None:
        raise Malformed("timestamp must be seconds since 1970")
    return at


def _phone(raw: str) -> tuple[Claim, ...]:
    """Return the number that WhatsApp itself has verified; it writes it without a plus."""
    number = e164(f"+{raw.removeprefix('+')}", "ZZ") if raw else ""
    if not number:
        return ()
    return (Claim(kind=ClaimKind.PHONE, value=number, verified=True, source="platform"),)


def _said(change: Change, message: Mapping[str, Any]) -> Event:
    person, kind, message_id = change.person(message), word(message, "type"), word(message, "id")
    if not (person.key and message_id):
        raise Malformed("a message without id, or from nobody")
    match kind:
        case "edit" | "revoke" if word(inside(message, kind), "original_message_id"):
            return _changed(message, person, kind)
        case "system":
            return _system(message, person)
        case "request_welcome":
            return _entered(message, person)
        case "reaction" if not word(inside(message, "reaction"), "emoji"):
            return Ignored(kind="reaction.taken_back")
        case _:
            return _received(message, person, kind)


def _received(message: Mapping[str, Any], person: Person, kind: str) -> Received:
    answered = word(inside(message, "context"), "id")
    return Received(
        external_id=word(message, "id"),
        sender=person.key,
        at=_time(message),
        content=_content(message, kind),
        sender_name=person.name,
        reply_handle=word(message, "id"),
        reply_to=answered or word(inside(message, "reaction"), "message_id"),
        opens_window="message",
        claims=_phone(person.phone),
    )


def _changed(message: Mapping[str, Any], person: Person, kind: str) -> Event:
    change, message_id = inside(message, kind), word(message, "id")
    target = word(change, "original_message_id")
    if kind == "revoke":
        return Recalled(external_id=message_id, target=target, sender=person.key, at=_time(message))
    inner = inside(change, "message")
    return Edited(
        external_id=message_id,
        target=target,
        sender=person.key,
        at=_time(message),
        content=_content(inner, word(inner, "type")),
    )


def _system(message: Mapping[str, Any], person: Person) -> Event:
    """Return that a person has another number or id; other news are only counted.

    The number of before stands beside the new one, so that both lead to the same person.
    """
    news = inside(message, "system")
    kind, new = word(news, "type"), word(news, "wa_id", "new_wa_id")
    claims = tuple(dict.fromkeys((*_phone(person.phone), *_phone(new))))
    if kind not in _MOVED or not claims:
        return Ignored(kind=f"system.{kind or 'unnamed'}")
    return Identified(
        external_id=word(message, "id"),
        sender=person.user_id or word(news, "user_id") or person.phone,
        at=_time(message),
        claims=claims,
    )


def _entered(message: Mapping[str, Any], person: Person) -> Followed:
    return Followed(
        external_id=word(message, "id"),
        sender=person.key,
        at=_time(message),
        what=Following.ENTERED,
        source="request_welcome",
        opens_window="message",
        claims=_phone(person.phone),
        sender_name=person.name,
    )


# ----- what a message says -----------------------------------------------------------------------


def _content(message: Mapping[str, Any], kind: str) -> Content:  # noqa: PLR0911  an arm for each
    body = inside(message, kind)
    match kind:
        case "text" if word(body, "body"):
            return Text(text=word(body, "body"))
        case _ if kind in _MEDIA and word(body, "id", "link"):
            return _media(body, kind)
        case "location":
            label = " ".join(part for part in (word(body, "name"), word(body, "address")) if part)
            return place_of(word(body, "latitude"), word(body, "longitude"), label)
        case "interactive":
            return _interactive(body)
        case "button":
            return Pressed(payload=word(body, "payload"), label=word(body, "text"))
        case "reaction":
            return Unsupported(kind=kind, text=word(body, "emoji"))
        case "order":
            return Unsupported(kind=kind, text=_order(body))
        case "contacts":
            return Unsupported(kind=kind, text="\n".join(map(_card, many(message, kind))))
        case _:
            return Unsupported(kind=kind or "unnamed", text="\n".join(leaves(message.get(kind))))


def _media(body: Mapping[str, Any], kind: str) -> Media:
    return Media(
        kind=_MEDIA[kind],
        ref=word(body, "id"),
        link="" if word(body, "id") else word(body, "link"),
        caption=word(body, "caption"),
        name=word(body, "filename"),
        mime=word(body, "mime_type"),
    )


def _interactive(body: Mapping[str, Any]) -> Content:
    """Return the press of a button or of a row, or the answers of a form."""
    for kind in ("button_reply", "list_reply"):
        pressed = inside(body, kind)
        if pressed:
            return Pressed(payload=word(pressed, "id"), label=word(pressed, "title"))
    kind = word(body, "type")
    form = inside(body, kind)
    filled = opened(form.get("response_json"))
    words = leaves(filled) if filled else leaves(form)
    return Unsupported(kind=kind or "interactive", text="\n".join(words))


def _order(body: Mapping[str, Any]) -> str:
    """Return what was put into the cart, with the words beside it."""
    lines = (
        f"{word(item, 'product_retailer_id')} × {word(item, 'quantity')} "
        f"{word(item, 'item_price')} {word(item, 'currency')}".strip()
        for item in many(body, "product_items")
    )
    return "\n".join(line for line in (word(body, "text"), *lines) if line)


def _card(contact: Any) -> str:
    name = word(inside(contact, "name"), "formatted_name", "first_name")
    numbers = (word(phone, "phone", "wa_id") for phone in many(contact, "phones"))
    return " ".join(part for part in (name, *numbers) if part)


# ----- what became of ours -----------------------------------------------------------------------


def _receipt(change: Change, status: Mapping[str, Any]) -> Event:
    """Return how far a message of ours has come; the reason of a refusal is as in an answer."""
    word_for_it, target = word(status, "status"), word(status, "id")
    state = _STATES.get(word_for_it)
    if state is None or not target:
        return Ignored(kind=f"status.{word_for_it or 'unnamed'}")
    return Receipt(
        external_id=f"{target}:{word_for_it}",
        target=target,
        sender=change.recipient(status).key,
        at=_time(status),
        state=state,
        why=_why(status).value if state is ReceiptState.REFUSED else "",
    )


def _why(status: Mapping[str, Any]) -> Reason:
    """Return why a message failed; what would be tried again in an answer is over here."""
    for error in many(status, "errors"):
        meant = TABLE.meaning(failure_of(error))
        if isinstance(meant, Refused):
            return meant.reason
    return Reason.UNKNOWN
