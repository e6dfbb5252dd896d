"""What was pulled becomes history, and the cursor moves with it in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from router.channel.contract import Event, Pulled
from router.domain.ids import AccountName
from router.domain.policy import ShopPolicy
from router.service.arrivals import Delivery, Source
from router.service.intake import take_in
from router.service.records import MediaRow, RawDelivery
from router.service.unit import Unit

_ALL = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ringing:
    """Something that is to be pulled: after ``cursor``, with the bell's last ``hint``."""

    account: AccountName
    key: str
    cursor: str
    hint: str


def ringing(unit: Unit, *, limit: int = _ALL) -> tuple[Ringing, ...]:
    """Return what is to be pulled."""
    return tuple(
        Ringing(account=account, key=key, cursor=cursor, hint=hint)
        for account, key, cursor, hint in unit.journal.ringing(limit=limit)
    )


def take_page(
    unit: Unit,
    *,
    source: Source,
    bell: Ringing,
    page: Pulled,
    files: Mapping[str, MediaRow],
    policy: ShopPolicy,
    at: datetime,
) -> bool:
    """Take one page in and move the cursor; return whether there is more to pull.

    A bell that rang while the page was fetched rings on: what it told of may not be on the page.
    If another daemon has moved the cursor meanwhile it stays where that one put it; events that
    both took in are recognised.
    """
    _take_in(unit, source, page.events, files=files, policy=policy, at=at)
    now = {(each.account, each.key): each for each in ringing(unit)}.get((bell.account, bell.key))
    if now is None or now.cursor != bell.cursor:
        return now is not None
    stuck = page.more and not page.events and page.cursor == bell.cursor
    more = (page.more and not stuck) or now.hint != bell.hint
    unit.journal.pulled(bell.account, bell.key, cursor=page.cursor, more=more)
    return more


def _take_in(
    unit: Unit,
    source: Source,
    events: Sequence[Event],
    *,
    files: Mapping[str, MediaRow],
    policy: ShopPolicy,
    at: datetime,
) -> None:
    """Take all events in; if one cannot be, all others are, and it is counted."""
    whole = Delivery(source=source, events=tuple(events), received_at=at, files=files)
    try:
        unit.attempt(take_in, whole, policy)
    except Exception:  # noqa: BLE001  each is tried alone, so that one costs nobody else
        for event in events:
            alone = Delivery(source=source, events=(event,), received_at=at, files=files)
            try:
                unit.attempt(take_in, alone, policy)
            except Exception as error:  # noqa: BLE001  counted, for the operator to see
                kind = f"pull_failed:{type(event).__name__}:{type(error).__name__}"
                unit.journal.count(source.account, kind)


def keep_unreadable(unit: Unit, raw: RawDelivery) -> None:
    """Keep a page that the adapter could not read, for the operator to see."""
    unit.journal.keep_delivery(raw)
