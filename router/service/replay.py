"""Kept deliveries, read once more with the adapter as it is now."""

from collections.abc import Mapping
from datetime import datetime

from router.channel.accounts import Account
from router.channel.captured import read_query
from router.channel.contract import Decoded, Malformed, Moment, Request, Unverified
from router.domain.errors import Invalid
from router.domain.policy import ShopPolicy
from router.service.arrivals import Delivery, Source, TakenIn
from router.service.intake import take_in
from router.service.records import MediaRow, RawDelivery
from router.service.unit import Unit

#: What stands in a kept delivery in place of somebody's key.
HIDDEN = "[not kept]"


def reread(raw: RawDelivery, account: Account, *, entropy: bytes) -> Decoded:
    """Return what a kept delivery says to the adapter of today, at the time that it came.

    Raises Invalid if its key was not kept, its origin is no longer proven or it is unreadable.
    """
    try:
        decoded: Decoded = account.adapter.decode(
            account.adapter.verify(_request(raw, account, entropy))
        )
    except Unverified as error:
        if HIDDEN in raw.headers.values():
            raise Invalid("delivery: its key was not kept; let it be sent again") from error
        raise Invalid(f"delivery: its origin is not proven any more: {error}") from error
    except Malformed as error:
        raise Invalid(f"delivery: still not readable: {error}") from error
    return decoded


def _request(raw: RawDelivery, account: Account, entropy: bytes) -> Request:
    address, mark, query = raw.url.partition("?")
    if account.path_secret:
        address = f"{address}/{account.path_secret}"
    return Request(
        method=raw.method,
        url=f"{address}{mark}{query}",
        headers=raw.headers,
        body=raw.body,
        moment=Moment(now=raw.at, entropy=entropy),
        query=read_query(query),
    )


def take_again(
    unit: Unit,
    raw: RawDelivery,
    decoded: Decoded,
    *,
    source: Source,
    policy: ShopPolicy,
    at: datetime,
    files: Mapping[str, MediaRow],
) -> TakenIn:
    """Take in what a kept delivery says, and note that it was read."""
    delivery = Delivery(source=source, events=decoded.events, received_at=at, files=files)
    taken = take_in(unit, delivery, policy)
    unit.journal.mark_delivery(raw.id, state="replayed")
    return taken
