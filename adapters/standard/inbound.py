"""What an event of the shop's gateway says, in our words. The README holds its schema."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from adapters._common.fields import inside, moment_of, word
from adapters._common.phone import e164
from adapters._common.rich import parts_of
from adapters._common.wordin import leaves
from adapters.standard.saying import contents_of
from router.channel.contract import (
    Audience,
    Edited,
    Event,
    Followed,
    Following,
    Identified,
    Ignored,
    Malformed,
    Presence,
    Rated,
    Recalled,
    Receipt,
    ReceiptState,
    Received,
    ShopEvent,
    Speaker,
)
from router.domain.content import Unsupported
from router.domain.identity import Claim, ClaimKind

_SPEAKERS = {"": Speaker.CONTACT, **{each.value: each for each in Speaker}}
_NEWS = {"order": "order", "refund": "refund", "parcel": "parcel", "logistics": "parcel"}
_SCORES = {str(score): score for score in range(1, 6)}
_TOLD = ("status", "amount", "reason", "carrier", "tracking", "place")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """One event: its type, when it happened, its data, and the id of its delivery.

    A delivery that is repeated has the same id, so everything but a message is known by that.
    """

    type: str
    at: datetime
    data: Mapping[str, Any]
    delivery: str
    region: str

    @property
    def key(self) -> str:
        """Return the id that the gateway gave a message, else the delivery's."""
        return word(self.data, "id") or self.delivery

    @property
    def customer(self) -> str:
        """Return whom it is about, or raise `Malformed`."""
        found = word(inside(self.data, "customer"), "id")
        if not found:
            raise Malformed(f"{self.type}: expected data.customer.id")
        return found

    @property
    def name(self) -> str:
        return word(inside(self.data, "customer"), "name")


def delivered(fields: Mapping[str, Any], *, delivery: str, now: datetime, region: str) -> Delivered:
    """Return the envelope; ``now`` stands in for a time that cannot be read."""
    data = fields.get("data")
    if not isinstance(data, Mapping):
        raise Malformed("expected an object under data")
    kind = word(fields, "type")
    if not kind:
        raise Malformed("expected a text under type, such as message.created")
    at = _time(word(fields, "timestamp")) or now
    return Delivered(type=kind, at=at, data=data, delivery=delivery, region=region)


def _time(given: str) -> datetime | None:
    try:
        read = datetime.fromisoformat(given)
        return read.astimezone(UTC) if read.tzinfo is not None else None
    except (ValueError, OverflowError):
        return moment_of(given)


def events_of(event: Delivered) -> tuple[Event, ...]:  # noqa: PLR0911  an arm for each type
    """Return what the event says; of an unknown type nothing is lost that a customer said."""
    area, _, verb = event.type.partition(".")
    match area, verb:
        case "message", "created":
            return _said(event)
        case "message", "edited":
            return (_edited(event),)
        case "message", "recalled":
            return (_recalled(event),)
        case "message", "receipt":
            return (_receipt(event),)
        case "review", _:
            return tuple(_review(event))
        case _ if area in _NEWS and verb:
            return tuple(_news(event, _NEWS[area], verb))
        case "customer", _:
            return (_customer(event, verb),)
        case "conversation", "rated":
            return (_rated(event),)
        case _:
            return (_unknown(event),)


def _claims(event: Delivered) -> tuple[Claim, ...]:
    """Return who the gateway says it is: a member id it vouches for, the rest if it says so."""
    person = inside(event.data, "customer")
    phone = word(person, "phone")
    given = (
        (ClaimKind.MEMBER, word(person, "member"), True),
        (
            ClaimKind.PHONE,
            e164(phone, event.region) if phone else "",
            person.get("phone_verified") is True,
        ),
        (
            ClaimKind.EMAIL,
            word(person, "email").strip().lower(),
            person.get("email_verified") is True,
        ),
        (ClaimKind.UNION, word(person, "union"), True),
        (ClaimKind.ORDER, word(event.data, "order"), False),
    )
    return tuple(
        Claim(
            kind=kind,
            value=value,
            verified=proven,
            source="signed_identity" if proven else "platform",
        )
        for kind, value, proven in given
        if value
    )


# ----- messages ----------------------------------------------------------------------------------


def _said(event: Delivered) -> tuple[Received, ...]:
    data = event.data
    spoken = word(data, "by")
    if spoken not in _SPEAKERS:
        raise Malformed(f"data.by: expected one of {', '.join(filter(None, _SPEAKERS))}")
    first, *more = contents_of(data, event.type)
    public = data.get("public") is True
    message = Received(
        external_id=event.key,
        sender=event.customer,
        at=event.at,
        content=first,
        by=_SPEAKERS[spoken],
        sender_name=event.name if spoken in ("", "contact") else word(data, "speaker"),
        audience=Audience.PUBLIC if public else Audience.PRIVATE,
        thread=word(data, "thread"),
        reply_handle=word(data, "reply_handle"),
        reply_to=word(data, "reply_to"),
        claims=_claims(event),
        language=word(data, "language"),
        standby=data.get("standby") is True,
    )
    return parts_of(message, more)


def _target(event: Delivered) -> str:
    found = word(event.data, "message")
    if not found:
        raise Malformed(f"{event.type}: expected the id of a message in data.message")
    return found


def _edited(event: Delivered) -> Edited:
    return Edited(
        external_id=event.delivery,
        target=_target(event),
        sender=event.customer,
        at=event.at,
        content=contents_of(event.data, event.type)[0],
    )


def _recalled(event: Delivered) -> Recalled:
    return Recalled(
        external_id=event.delivery, target=_target(event), sender=event.customer, at=event.at
    )


def _receipt(event: Delivered) -> Receipt:
    state = word(event.data, "state")
    if state not in set(ReceiptState):
        raise Malformed(f"data.state: expected one of {', '.join(ReceiptState)}")
    return Receipt(
        external_id=event.delivery,
        target=_target(event),
        sender=event.customer,
        at=event.at,
        state=ReceiptState(state),
        why=word(event.data, "why"),
    )


def _unknown(event: Delivered) -> Event:
    """Keep the words of a customer, whatever the event is called; count everything else."""
    person = word(inside(event.data, "customer"), "id")
    words = word(event.data, "text")
    if not (person and words):
        return Ignored(kind=event.type)
    return Received(
        external_id=event.key,
        sender=person,
        at=event.at,
        content=Unsupported(kind=event.type, text=words),
        sender_name=event.name,
        claims=_claims(event),
    )


# ----- the shop ----------------------------------------------------------------------------------


def _news(event: Delivered, what: str, verb: str) -> Iterator[Event]:
    """Yield the news, and apart from it what the customer wrote: that is read as their words."""
    order = word(event.data, "order")
    if not order:
        raise Malformed(f"{event.type}: expected the number of an order in data.order")
    yield ShopEvent(
        external_id=event.delivery,
        sender=event.customer,
        at=event.at,
        kind=f"{what}.{verb}",
        order=order,
        summary=_summary(event.data),
        claims=_claims(event),
    )
    if word(event.data, "text"):
        yield replace(_said(event)[0], external_id=f"{event.delivery}:text")


def _summary(data: Mapping[str, Any]) -> str:
    items = " / ".join(leaves(data.get("items")))
    return ", ".join(
        part
        for part in (word(data, "summary"), items, *(word(data, each) for each in _TOLD))
        if part
    )


def _review(event: Delivered) -> Iterator[Event]:
    """Yield the words of a review, in public, and its score as news of the order."""
    order, product = word(event.data, "order"), word(event.data, "product")
    parts = contents_of(event.data, "") if event.type == "review.created" else ()
    if parts and parts != (Unsupported(kind=""),):
        for said in _said(event):
            yield replace(
                said,
                external_id=f"review:{said.external_id}",
                audience=Audience.PUBLIC,
                thread=f"review:{event.key}",
            )
    score = word(event.data, "score")
    yield ShopEvent(
        external_id=event.delivery,
        sender=event.customer,
        at=event.at,
        kind=event.type,
        order=order,
        summary=" ".join(filter(None, (f"{score}/5" if score else "", product))),
        claims=_claims(event),
    )


# ----- people ------------------------------------------------------------------------------------


def _customer(event: Delivered, verb: str) -> Event:
    if verb == "updated":
        return Identified(
            external_id=event.delivery,
            sender=event.customer,
            at=event.at,
            claims=_claims(event),
            sender_name=event.name,
        )
    if verb in set(Following):
        return Followed(
            external_id=event.delivery,
            sender=event.customer,
            at=event.at,
            what=Following(verb),
            source=word(event.data, "source"),
            claims=_claims(event),
            sender_name=event.name,
        )
    match verb:
        case "online" | "offline" | "typing":
            return Presence(sender=event.customer, at=event.at, what=verb)
        case _:
            return _unknown(event)


def _rated(event: Delivered) -> Rated:
    score = _SCORES.get(word(event.data, "score"))
    if score is None:
        raise Malformed("data.score: expected a whole number from 1 to 5")
    return Rated(
        external_id=event.delivery,
        sender=event.customer,
        at=event.at,
        score=score,
        comment=word(event.data, "text"),
    )
