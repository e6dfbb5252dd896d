"""Whom and what several deliveries name: what a transaction looks up once for all of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from router.channel.contract import (
    CallEnded,
    Event,
    Followed,
    Identified,
    Rated,
    Received,
    ShopEvent,
    Turn,
)
from router.domain.ids import AccountName, ContactId, InteractionId


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentioned:
    """Senders and events by account and the platform's name; whether somebody claims anything.

    ``said`` are interactions that were read: with them go their persons, their conversations, and
    what is known of the persons' complaints.
    """

    identities: frozenset[tuple[AccountName, str]] = frozenset()
    externals: frozenset[tuple[AccountName, str]] = frozenset()
    claims: bool = False
    said: Mapping[InteractionId, ContactId] = field(default_factory=dict)


def mentioned(events: Iterable[tuple[AccountName, Event]]) -> Mentioned:
    """Return whom and what ``events`` name; what they name otherwise is looked up one by one."""
    identities: set[tuple[AccountName, str]] = set()
    externals: set[tuple[AccountName, str]] = set()
    claims = False
    for account, event in events:
        match event:
            case Received() | Turn() | CallEnded() | Followed() | ShopEvent():
                identities.add((account, event.sender))
                externals.add((account, event.external_id))
                claims = claims or bool(event.claims)
            case Rated():
                identities.add((account, event.sender))
                externals.add((account, event.external_id))
            case Identified():
                identities.add((account, event.sender))
                claims = claims or bool(event.claims)
            case _:
                pass
    return Mentioned(
        identities=frozenset(identities), externals=frozenset(externals), claims=claims
    )
