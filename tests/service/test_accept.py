"""The front of intake: what stands at the door together is taken in together."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from router.channel.contract import Received, Speaker
from router.domain.content import Text
from router.service.accept import Intake
from router.service.arrivals import Delivery, Source
from router.service.intake import take_in_batch
from tests.service.conftest import ABLE, CHAT, FAMILY, Shop

SOURCE = Source(
    account=CHAT, channel="webchat", family=FAMILY[CHAT], queue="general", capabilities=ABLE[CHAT]
)


def delivery(shop: Shop, number: int, *, words: str = "在吗") -> Delivery:
    """Return one message, each of somebody else."""
    said = Received(
        external_id=f"m-{number}",
        sender=f"somebody-{number}",
        at=shop.clock.now(),
        content=Text(text=words),
        by=Speaker.CONTACT,
    )
    return Delivery(source=SOURCE, events=(said,), received_at=shop.clock.now())


class Watched:
    """The shop's store, with the sizes of the batches that were taken in."""

    def __init__(self, shop: Shop) -> None:
        self._store = shop.store
        self.sizes: list[int] = []

    async def transact(self, verb: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if verb is take_in_batch:
            self.sizes.append(len(args[0]))
        return await self._store.transact(verb, *args, **kwargs)

    async def read(self, question: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await self._store.read(question, *args, **kwargs)


async def comes(intake: Intake, delivery: Delivery, *, turns: int) -> int:
    """Let a delivery come after so many turns of the loop; return how many messages were new."""
    for _ in range(turns):
        await asyncio.sleep(0)
    return len((await intake.accept(delivery)).added)


@pytest.mark.parametrize(("batch", "sizes"), [(256, [40]), (16, [16, 16, 8])])
async def test_those_who_come_one_after_the_other_share_a_transaction(
    shop: Shop, batch: int, sizes: list[int]
) -> None:
    store = Watched(shop)
    intake = Intake(store, shop.policy, batch=batch)
    running = asyncio.create_task(intake.run())
    async with asyncio.timeout(30):
        coming = (comes(intake, delivery(shop, each), turns=each // 8) for each in range(40))
        assert await asyncio.gather(*coming) == [1] * 40
    assert store.sizes == sizes
    intake.stop()
    await running


async def test_one_who_comes_alone_waits_for_nobody(shop: Shop) -> None:
    store = Watched(shop)
    intake = Intake(store, shop.policy)
    running = asyncio.create_task(intake.run())
    async with asyncio.timeout(30):
        for number in range(3):
            assert await comes(intake, delivery(shop, number), turns=0) == 1
    assert store.sizes == [1, 1, 1]
    intake.stop()
    await running


async def test_who_leaves_before_the_answer_is_taken_in_all_the_same(shop: Shop) -> None:
    intake = Intake(shop.store, shop.policy)
    leaving = asyncio.create_task(intake.accept(delivery(shop, 1)))
    staying = asyncio.create_task(intake.accept(delivery(shop, 2)))
    await asyncio.sleep(0)
    leaving.cancel()
    running = asyncio.create_task(intake.run())
    async with asyncio.timeout(30):
        assert len((await staying).added) == 1
        intake.stop()
        await running
    said = await shop.store.read(lambda unit: unit.conversations.unread(limit=10))
    assert {each.external_id for each in said} == {"m-1", "m-2"}


async def test_what_no_database_holds_is_replaced_in_a_batch_too(shop: Shop) -> None:
    words = ["好的", "a\0b", "半个\ud83d", "plain", "😀"]
    intake = Intake(shop.store, shop.policy)
    running = asyncio.create_task(intake.run())
    async with asyncio.timeout(30):
        coming = (
            comes(intake, delivery(shop, number, words=each), turns=0)
            for number, each in enumerate(words)
        )
        assert await asyncio.gather(*coming) == [1] * 5
    intake.stop()
    await running
    said = await shop.store.read(lambda unit: unit.conversations.unread(limit=10))
    texts = {each.external_id: each.content for each in said}
    assert [texts[f"m-{number}"] for number in range(5)] == [
        Text(text=each) for each in ("好的", "a\ufffdb", "半个\ufffd", "plain", "😀")
    ]
