"""What platforms know of a person: who was never asked about, and what came of asking."""

from collections.abc import Collection
from datetime import datetime

from router.channel.contract import Identified
from router.domain.events import Happened
from router.domain.identity import Identity
from router.domain.ids import AccountName, ConversationId
from router.domain.policy import ShopPolicy
from router.service.intake import learn
from router.service.ports import NotFound
from router.service.unit import Unit


def unasked(
    unit: Unit, *, conversations: Collection[ConversationId], accounts: Collection[AccountName]
) -> tuple[Identity, ...]:
    """Return those who speak in ``conversations`` and were never looked up."""
    found: dict[Identity, None] = {}
    for each in conversations:
        try:
            held = unit.conversations.get(each)
        except NotFound:
            continue
        if held.account not in accounts:
            continue
        known = unit.contacts.known(held.account, held.external_id)
        if known is not None and known.profile_asked_at is None:
            found[known.identity] = None
    return tuple(found)


def open_now(unit: Unit, *, accounts: Collection[AccountName]) -> tuple[ConversationId, ...]:
    """Return the open conversations of ``accounts``."""
    return tuple(each.id for each in unit.conversations.open() if each.account in accounts)


def learnt(
    unit: Unit, identity: Identity, *, found: Identified, policy: ShopPolicy, at: datetime
) -> None:
    """Keep what the platform says about a person; a union id may join two contacts."""
    known = unit.contacts.known(identity.account, identity.external_id)
    if known is None:
        return
    unit.contacts.lock(known.contact)
    learn(unit, identity, claims=found.claims, name=found.sender_name, policy=policy, at=at)
    unit.contacts.profile_asked(identity, at=at)
    unit.record(
        Happened(kind="contact_changed", contact=known.contact, facts={"by": "profile"}), at=at
    )


def without_profile(unit: Unit, identity: Identity, *, at: datetime) -> None:
    """The platform tells nothing about this person; it is not asked again."""
    unit.contacts.profile_asked(identity, at=at)
