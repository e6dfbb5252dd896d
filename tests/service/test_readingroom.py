"""What is unread comes through the readers: in order, whatever breaks, and never stays unread."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from router.domain.ids import ConversationId
from router.domain.timeline import Interaction
from router.readers.pool import Pool
from router.readers.small import Small
from router.service.pressure import Pressure
from router.service.readingroom import GAVE_UP, ReadingRoom
from router.service.unit import Unit
from router.understanding.reader import RuleReader
from tests.readers.ill import NAME
from tests.readers.support import ill_pool, running
from tests.service.conftest import CHAT, WEIBO, Shop, open_shop, phone

RULES = RuleReader()


@pytest.fixture
async def shop(sqlite_database: str) -> AsyncIterator[Shop]:
    """Return a shop on SQLite: what differs between databases is tested in the store."""
    opened = await open_shop(sqlite_database)
    yield opened
    await opened.store.close()


@asynccontextmanager
async def reading(
    shop: Shop, pool: Pool, *, window: int = 256, pressure: Pressure | None = None
) -> AsyncIterator[ReadingRoom]:
    """Read what is unread until the end of the block."""
    room = ReadingRoom(
        shop.store,
        readers=pool,
        small=Small(RULES),
        knowledge=shop.library,
        policy=shop.policy,
        clock=shop.clock,
        window=window,
        pressure=pressure,
    )
    shop.store.listen(room.ring)
    async with running(pool):
        task = asyncio.create_task(room.run())
        try:
            yield room
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def all_read(shop: Shop, *, seconds: float = 60.0) -> None:
    """Wait until nothing is unread."""
    async with asyncio.timeout(seconds):
        while await shop.store.read(lambda unit: unit.conversations.unread(limit=1)):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def said_in(shop: Shop, conversation: ConversationId) -> tuple[Interaction, ...]:
    return await shop.store.read(lambda unit: unit.conversations.said_in(conversation))


def read_in_order(unit: Unit) -> list[str]:
    """Return the interactions in the order in which their readings were committed."""
    return [
        str((each.event.facts or {})["interaction"])
        for each in unit.journal.events_since(0, limit=10_000)
        if each.event.kind == "interactions_read"
    ]


@pytest.mark.parametrize("text", ["CRASH", "HANG", "RAISE"])
async def test_a_message_that_breaks_every_reader_is_read_by_rules_and_marked(
    shop: Shop, tmp_path: Path, text: str
) -> None:
    poison = await shop.hear(CHAT, "one", f"{text} 我要投诉你们")
    other = await shop.hear(WEIBO, "two", "什么时候发货")
    async with reading(shop, ill_pool(tmp_path, patience=0.4)):
        await all_read(shop)
    (bad,), (good,) = await said_in(shop, poison), await said_in(shop, other)
    assert bad.reading is not None
    assert good.reading is not None
    assert bad.reading.reader == RULES.name
    assert GAVE_UP in bad.reading.because
    assert bad.reading.complaint == "alert"
    assert good.reading.reader == NAME
    assert (await shop.conversation(poison)).unread == 0


async def test_each_contact_is_read_in_order_whatever_breaks(shop: Shop, tmp_path: Path) -> None:
    expected: dict[str, list[str]] = {}
    for number in range(8):
        for sender in ("ann", "bo", "cy", "di"):
            text = "CRASH" if (sender, number) == ("bo", 5) else f"SLOW 第{number}句"
            taken = await shop.say(CHAT, sender, text)
            expected.setdefault(sender, []).append(taken.added[0].id)
    async with reading(shop, ill_pool(tmp_path, lanes=2), window=7):
        await shop.say(CHAT, "ann", "还有一句")
        await all_read(shop)
    order = await shop.store.read(read_in_order)
    for ids in expected.values():
        assert [each for each in order if each in ids] == ids
    assert len(order) == len(set(order)) == 33


async def test_without_processes_the_rules_read(shop: Shop, tmp_path: Path) -> None:
    conversation = await shop.hear(CHAT, "one", "我要投诉你们")
    async with reading(shop, ill_pool(tmp_path, lanes=0)):
        await all_read(shop)
    (said,) = await said_in(shop, conversation)
    assert said.reading is not None
    assert (said.reading.reader, said.reading.complaint) == (RULES.name, "alert")


async def test_while_no_process_starts_the_rules_read(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    conversation = await shop.hear(CHAT, "one", "我要投诉你们")
    async with reading(shop, ill_pool(tmp_path)):
        await all_read(shop)
    (said,) = await said_in(shop, conversation)
    assert said.reading is not None
    assert said.reading.reader == RULES.name


async def test_the_mood_of_a_conversation_is_kept(shop: Shop, tmp_path: Path) -> None:
    async with reading(shop, ill_pool(tmp_path)):
        conversation = await shop.hear(CHAT, "one", "你好，我的快递到哪里了")
        await all_read(shop)
        assert (await shop.conversation(conversation)).mood.anger == 0
        await shop.hear(CHAT, "one", "你好，我的快递到底到哪里了")
        await all_read(shop)
        assert (await shop.conversation(conversation)).mood.again
        await shop.hear(CHAT, "one", "你们这群骗子，我要投诉到12315！")
        await all_read(shop)
    mood = (await shop.conversation(conversation)).mood
    assert mood.anger == 3
    assert (mood.trend, mood.escalate) == ("rising", True)


async def test_what_cannot_wait_is_read_before_a_long_line(shop: Shop, tmp_path: Path) -> None:
    for number in range(120):
        await shop.say(CHAT, f"calm-{number}", f"SLOW 请问第{number}款有货吗")
    await shop.say(WEIBO, "angry", "你好")
    urgent = await shop.say(WEIBO, "angry", "再不退钱我就打12315，已经找了律师", urgent=True)
    async with reading(shop, ill_pool(tmp_path), window=40):
        await all_read(shop)
    order = await shop.store.read(read_in_order)
    assert order.index(urgent.added[0].id) < 20  # a frame, and not the line


async def test_what_cannot_wait_does_not_wait_for_a_hung_reader(shop: Shop, tmp_path: Path) -> None:
    await shop.say(CHAT, "calm", "HANG")
    async with reading(shop, ill_pool(tmp_path, patience=600)):
        await asyncio.sleep(0.5)
        said = await shop.say(WEIBO, "angry", "再不退钱我就打12315", urgent=True)
        async with asyncio.timeout(5):
            while (await said_in(shop, said.conversations[0]))[0].unread:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        held = await shop.conversation(said.conversations[0])
        assert await shop.store.read(lambda unit: unit.cases.open_of((held.contact,)))


async def test_the_same_grievance_on_another_channel_makes_a_watch_an_alert(
    shop: Shop, tmp_path: Path
) -> None:
    caller = phone("+8613800138000")
    async with reading(shop, ill_pool(tmp_path)):
        first = await shop.hear(CHAT, "ann", "订单8812的柜子门板掉漆了", claims=(caller,))
        await all_read(shop)
        again = await shop.hear(WEIBO, "weibo-ann", "柜子门板掉漆了，订单8812", claims=(caller,))
        await all_read(shop)
    (one,), (other,) = await said_in(shop, first), await said_in(shop, again)
    assert one.reading is not None
    assert other.reading is not None
    assert (one.reading.complaint, other.reading.complaint) == ("watch", "alert")
    assert "raised:repeat" in other.reading.because


async def test_in_a_burst_only_what_is_urgent_is_read_and_the_rest_after_it(
    shop: Shop, tmp_path: Path
) -> None:
    pressure = Pressure()
    plain = [await shop.hear(CHAT, f"calm-{number}", "什么时候发货") for number in range(5)]
    async with reading(shop, ill_pool(tmp_path), window=3, pressure=pressure):
        pressure.came(500)
        urgent = await shop.say(WEIBO, "angry", "再不退钱我就打12315", urgent=True)
        async with asyncio.timeout(30):
            while urgent.added[0].id not in await shop.store.read(read_in_order):
                pressure.came(500)
                await asyncio.sleep(0.02)
        in_the_burst = await shop.store.read(read_in_order)
        await all_read(shop)
    later = {(await said_in(shop, each))[0].id for each in plain}
    assert len(later - set(in_the_burst)) >= 2  # at most a window was in hand when it began
    assert later <= set(await shop.store.read(read_in_order))
