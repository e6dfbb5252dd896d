"""Who a visitor is to us, and where they left off: questions to the store."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from router.channel.connection import Visitor
from router.domain.conversation import Conversation
from router.domain.identity import ClaimKind
from router.domain.ids import AccountName, ConversationId
from router.domain.timeline import Interaction
from router.service.ports import NotFound
from router.service.unit import Unit
from router.web.sockets import is_shown

#: How much of a conversation is shown again to a browser that comes back.
REPLAYED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The conversation that a visitor is in, and what of it the browser has not shown."""

    conversation: Conversation | None
    missed: tuple[Interaction, ...]


def names_of(unit: Unit, account: AccountName, visitor: Visitor) -> tuple[str, ...]:
    """Return every external id of this account that is proven to be this visitor, their own first.

    A member who wrote before signing in has a browser's id too: the one on which the shop's own
    signature for the same member was seen. Contacts that were merged for any lesser reason do not
    count, for their words are not shown to a browser.
    """
    own = visitor.external_id
    signed = {
        claim.value for claim in visitor.claims if claim.kind is ClaimKind.MEMBER and claim.verified
    }
    known = unit.contacts.known(account, own)
    if known is None or not signed:
        return (own,)
    found = [
        each.identity.external_id
        for each in unit.contacts.claims(unit.contacts.members(known.contact))
        if each.identity.account == account
        and each.claim.kind is ClaimKind.MEMBER
        and each.claim.verified
        and each.claim.value in signed
    ]
    return tuple(dict.fromkeys((own, *found)))


def where_they_stand(
    unit: Unit,
    account: AccountName,
    names: Sequence[str],
    *,
    wished: ConversationId,
    last_seq: int,
) -> Standing:
    """Return the visitor's open conversation, or the one that the browser was in.

    A browser that was in another conversation, or in none it knows of, is shown all of it.
    """
    held = next(
        (live for name in names if (live := unit.conversations.live(account, name, ""))), None
    )
    if held is None and wished:
        held = _theirs(unit, account, names, wished)
    if held is None:
        return Standing(conversation=None, missed=())
    after = last_seq if held.id == wished else 0
    said = unit.conversations.said_in(held.id, after=after, limit=REPLAYED)
    return Standing(conversation=held, missed=tuple(each for each in said if is_shown(each)))


def _theirs(
    unit: Unit, account: AccountName, names: Sequence[str], wished: ConversationId
) -> Conversation | None:
    with suppress(NotFound):
        held = unit.conversations.get(wished)
        if held.account == account and held.external_id in names:
            return held
    return None
