"""Deliveries, cursors, media and leases: what keeps the daemon going is kept."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from router.domain.content import Media, MediaKind
from router.domain.ids import AccountName, InteractionId, MediaId
from router.service.ports import NotFound
from router.service.records import Lease, MediaRow, RawDelivery
from router.store.engine import SqlStore
from router.store.unit import SqlUnit
from tests.builders import NOW

WECHAT = AccountName("shop-wechat")
MINUTE = timedelta(minutes=1)


def a_delivery(number: int, **changes: Any) -> RawDelivery:
    """Return the ``number``-th delivery, which could not be read."""
    plain = RawDelivery(
        id=f"d-{number}",
        account=WECHAT,
        at=NOW + number * MINUTE,
        state="unreadable",
        method="POST",
        url="https://shop.example.com/hooks/wechat?sig=1",
        headers={"content-type": "text/xml"},
        body=b"<xml>\xff\x00",
        why="not XML",
    )
    return replace(plain, **changes)


def a_file(number: int, **changes: Any) -> MediaRow:
    """Return the ``number``-th file, wanted since its minute."""
    plain = MediaRow(
        id=MediaId(f"m-{number}"),
        account=WECHAT,
        interaction=InteractionId("interaction-1"),
        state="wanted",
        content=Media(kind=MediaKind.IMAGE, ref="platform-id"),
        mime="",
        name="",
        size=0,
        sha256="",
        attempts=0,
        next_at=NOW + number * MINUTE,
        why="",
    )
    return replace(plain, **changes)


async def test_a_delivery_is_kept_byte_for_byte(store: SqlStore) -> None:
    for number in (1, 2):
        await store.transact(lambda unit, it=number: unit.journal.keep_delivery(a_delivery(it)))
    assert await store.read(lambda unit: unit.journal.delivery("d-1")) == a_delivery(1)
    found = await store.read(lambda unit: unit.journal.deliveries(state="unreadable"))
    assert found == (a_delivery(2), a_delivery(1))

    await store.transact(lambda unit: unit.journal.mark_delivery("d-1", state="replayed"))
    replayed = a_delivery(1, state="replayed", why="")
    found = await store.read(lambda unit: unit.journal.deliveries(state="replayed", limit=1))
    assert found == (replayed,)
    for verb in (
        lambda unit: unit.journal.delivery("none"),
        lambda unit: unit.journal.mark_delivery("none", state="taken"),
    ):
        with pytest.raises(NotFound):
            await store.transact(verb)


async def test_only_taken_deliveries_are_forgotten_and_only_old_ones(store: SqlStore) -> None:
    def keep(unit: SqlUnit) -> None:
        for number, state in enumerate(("taken", "unreadable", "taken", "taken")):
            unit.journal.keep_delivery(a_delivery(number, state=state))

    await store.transact(keep)
    before = NOW + 3 * MINUTE
    gone = await store.transact(lambda unit: unit.journal.forget_deliveries(before=before))
    assert gone == 2
    taken = await store.read(lambda unit: unit.journal.deliveries(state="taken"))
    assert [delivery.id for delivery in taken] == ["d-3"]
    assert len(await store.read(lambda unit: unit.journal.deliveries(state="unreadable"))) == 1


async def test_counts_add_up_also_when_many_count_at_once(store: SqlStore) -> None:
    await asyncio.gather(
        *(store.transact(lambda unit: unit.journal.count(WECHAT, "typing")) for _ in range(20))
    )
    await store.transact(lambda unit: unit.journal.count(WECHAT, "menu", by=5))
    expected = {(WECHAT, "typing"): 20, (WECHAT, "menu"): 5}
    assert await store.read(lambda unit: unit.journal.counts()) == expected


async def test_a_bell_rings_until_everything_was_pulled_and_the_cursor_stays(
    store: SqlStore,
) -> None:
    def ringing(unit: SqlUnit) -> tuple[tuple[str, str, str, str], ...]:
        return unit.journal.ringing()

    def pull(unit: SqlUnit, cursor: str, *, more: bool) -> None:
        unit.journal.pulled(WECHAT, "kf", cursor=cursor, more=more)

    await store.transact(lambda unit: unit.journal.ring(WECHAT, "kf", hint="token-1"))
    assert await store.read(ringing) == ((WECHAT, "kf", "", "token-1"),)
    await store.transact(pull, "page-2", more=True)
    assert await store.read(ringing) == ((WECHAT, "kf", "page-2", "token-1"),)
    await store.transact(pull, "page-3", more=False)
    assert await store.read(ringing) == ()
    await store.transact(lambda unit: unit.journal.ring(WECHAT, "kf", hint="token-2"))
    assert await store.read(ringing) == ((WECHAT, "kf", "page-3", "token-2"),)


async def test_media_is_wanted_until_it_is_stored(store: SqlStore) -> None:
    def want(unit: SqlUnit) -> None:
        for number in (2, 0, 1, 9):
            unit.journal.want_media(a_file(number))
        unit.journal.want_media(a_file(3, state="stored", content=None, interaction=None))

    def wanted(unit: SqlUnit) -> tuple[MediaRow, ...]:
        return unit.journal.wanted_media(now=NOW + 2 * MINUTE, limit=2)

    await store.transact(want)
    assert await store.read(wanted) == (a_file(0), a_file(1))
    stored = a_file(
        0, state="stored", mime="image/png", name="票据.png", size=2**33, sha256="ab" * 32
    )
    await store.transact(lambda unit: unit.journal.save_media(stored))
    assert await store.read(wanted) == (a_file(1), a_file(2))
    assert await store.read(lambda unit: unit.journal.media(stored.id)) == stored
    for verb in (
        lambda unit: unit.journal.media(MediaId("none")),
        lambda unit: unit.journal.save_media(a_file(7)),
    ):
        with pytest.raises(NotFound):
            await store.transact(verb)


async def test_one_holds_a_lease_and_every_new_holder_has_a_higher_fence(store: SqlStore) -> None:
    async def take(holder: str, *, minute: int) -> Lease | None:
        now = NOW + minute * MINUTE
        return await store.transact(
            lambda unit: unit.journal.lease("dispatch", holder=holder, now=now, until=now + MINUTE)
        )

    def lease(holder: str, fence: int, until: int) -> Lease:
        return Lease(name="dispatch", holder=holder, fence=fence, until=NOW + until * MINUTE)

    assert await store.read(lambda unit: unit.journal.leased("dispatch")) is None
    assert await take("one", minute=0) == lease("one", 1, 1)
    assert await take("two", minute=0) is None
    assert await take("one", minute=0) == lease("one", 1, 1)
    assert await take("two", minute=1) == lease("two", 2, 2)
    assert await take("one", minute=1) is None

    await store.transact(lambda unit: unit.journal.release_lease("dispatch", holder="one"))
    assert await store.read(lambda unit: unit.journal.leased("dispatch")) == lease("two", 2, 2)
    await store.transact(lambda unit: unit.journal.release_lease("dispatch", holder="two"))
    assert await take("one", minute=1) == lease("one", 3, 2)


async def test_of_many_who_want_a_lease_at_once_one_gets_it(store: SqlStore) -> None:
    def take(unit: SqlUnit, holder: str) -> Lease | None:
        return unit.journal.lease("dispatch", holder=holder, now=NOW, until=NOW + MINUTE)

    taken = await asyncio.gather(*(store.transact(take, f"d-{n}") for n in range(8)))
    assert sum(lease is not None for lease in taken) == 1


async def test_a_single_value_is_replaced(store: SqlStore) -> None:
    assert await store.read(lambda unit: unit.journal.meta("secret")) is None
    for value in ("one", "两"):
        await store.transact(lambda unit, it=value: unit.journal.set_meta("secret", it))
        assert await store.read(lambda unit: unit.journal.meta("secret")) == value
