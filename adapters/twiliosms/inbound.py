"""A form callback as events: a message of a customer, or what became of one of ours.

https://www.twilio.com/docs/messaging/guides/webhook-request (read 2025-10)
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from adapters._common.fields import place_of
from adapters._common.phone import e164
from adapters._common.rich import parts_of, told
from adapters._common.wordin import fit
from adapters.twiliosms.errors import reason_of
from adapters.twiliosms.settings import Settings
from router.channel.contract import (
    Event,
    Followed,
    Following,
    Ignored,
    Receipt,
    ReceiptState,
    Received,
)
from router.domain.content import Content, Media, MediaKind, Pressed, Text, Unsupported
from router.domain.identity import Claim, ClaimKind

_MOST_FILES = 50
_STATES = {
    "sent": ReceiptState.SENT,
    "delivered": ReceiptState.DELIVERED,
    "read": ReceiptState.READ,
    "undelivered": ReceiptState.REFUSED,
    "failed": ReceiptState.REFUSED,
    "canceled": ReceiptState.REFUSED,
}
_KINDS = {"image": MediaKind.IMAGE, "audio": MediaKind.VOICE, "video": MediaKind.VIDEO}
_OPT_OUT = {"STOP": Following.BLOCKED, "START": Following.FOLLOWED}


def read_callback(settings: Settings, given: Mapping[str, str], now: datetime) -> tuple[Event, ...]:
    """Return what a callback says. Twilio tells no time, so that of arrival counts."""
    fields = {name: fit(value) for name, value in given.items()}
    key = fields.get("MessageSid") or fields.get("SmsSid") or ""
    state = fields.get("MessageStatus") or fields.get("SmsStatus") or ""
    if "MessageStatus" in fields or state in _STATES:
        return (_receipt(fields, key, state, now),)
    if not key or not fields.get("From"):
        return (Ignored(kind="form"),)
    said = _said(settings, fields, key, now)
    choice = _OPT_OUT.get(fields.get("OptOutType", "").upper())
    if choice is None:
        return said
    followed = Followed(
        external_id=f"{key}:{choice}",
        sender=fields["From"],
        at=now,
        what=choice,
        source="OptOutType",
    )
    return (*said, followed)


def phone_claims(settings: Settings, sender: str) -> tuple[Claim, ...]:
    """Return what the sender's number proves; ``whatsapp:`` and its like stand before some."""
    carrier, _, rest = sender.rpartition(":")
    found = e164(rest, settings.region) if carrier in {"", "whatsapp", "rcs"} else ""
    if not found:
        return ()
    verified = settings.trust_caller_id
    return (Claim(kind=ClaimKind.PHONE, value=found, verified=verified, source="caller_id"),)


def _receipt(fields: Mapping[str, str], key: str, state: str, now: datetime) -> Event:
    reached = _STATES.get(state)
    if reached is None or not key:
        return Ignored(kind=f"status {state[:40]}".strip())
    refused = reached is ReceiptState.REFUSED
    return Receipt(
        external_id=f"{key}:{state}",
        target=key,
        sender=fields.get("To", ""),
        at=now,
        state=reached,
        why=reason_of(fields.get("ErrorCode", "")).value if refused else "",
    )


def _said(
    settings: Settings, fields: Mapping[str, str], key: str, now: datetime
) -> tuple[Received, ...]:
    first, *more = _contents(settings, fields)
    received = Received(
        external_id=key,
        sender=fields["From"],
        at=now,
        content=first,
        sender_name=fields.get("ProfileName", ""),
        reply_handle=fields.get("To", ""),
        reply_to=fields.get("OriginalRepliedMessageSid", ""),
        claims=phone_claims(settings, fields["From"]),
    )
    return parts_of(received, more)


def _contents(settings: Settings, fields: Mapping[str, str]) -> tuple[Content, ...]:
    words, files = fields.get("Body", ""), tuple(_files(settings, fields))
    if payload := fields.get("ButtonPayload", ""):
        label = fields.get("ButtonText", "") or words
        return (Pressed(payload=payload, label=label), *_beside(words, label))
    if fields.get("Latitude") and fields.get("Longitude"):
        label = fields.get("Label", "") or fields.get("Address", "") or words
        place = place_of(fields["Latitude"], fields["Longitude"], label)
        return (place, *_beside(words, label))
    if not (words or files):
        return (Unsupported(kind=fields.get("MessageType", "") or "empty"),)
    return told(words, files)


def _beside(words: str, label: str) -> tuple[Content, ...]:
    """Return words that the label does not already say."""
    return (Text(text=words),) if words and words != label else ()


def _files(settings: Settings, fields: Mapping[str, str]) -> Iterator[Media]:
    """Yield the files; one behind Twilio's own address is fetched with our credentials."""
    count = fields.get("NumMedia", "0")
    most = int(count[:3]) if count.isascii() and count.isdigit() else 0
    for number in range(min(most, _MOST_FILES)):
        link, mime = fields.get(f"MediaUrl{number}", ""), fields.get(f"MediaContentType{number}")
        kind = _KINDS.get((mime or "").partition("/")[0], MediaKind.FILE)
        ours = link.startswith(f"{settings.api_base}/")
        if link:
            yield Media(
                kind=kind, ref=link if ours else "", link="" if ours else link, mime=mime or ""
            )
