"""`kill -9` at any instant: what was answered for is there once, and nothing else is lost."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import aiohttp

from router.domain.ids import AccountName
from router.domain.timeline import Interaction
from router.service.unit import Unit
from router.store.engine import open_store
from tests.support.fakes import CountingIds, FixedClock
from tests.support.house import house
from tests.support.platforms import WECHAT, Wechat

KILLS = 3
SENDERS = 8
EACH = 40
CHANNELS = {"wechat": WECHAT.format(api="http://127.0.0.1:9")}


async def test_what_was_answered_before_a_kill_stands_on_a_timeline_exactly_once(
    tmp_path: Path,
) -> None:
    acknowledged: set[int] = set()
    tried: set[int] = set()
    chance = random.Random(20261111)  # noqa: S311  a seeded test
    for round_ in range(KILLS):
        with house(tmp_path, channels=CHANNELS) as running:
            asked = _burst(running.url, round_, acknowledged, tried)
            burst = asyncio.create_task(asked)
            await asyncio.sleep(0.05 + chance.random() * 0.4)
            running.process.kill()
            await burst
    with house(tmp_path, channels=CHANNELS) as running:
        async with aiohttp.ClientSession() as http:
            for number in sorted(tried):  # the platform repeats what it got no answer to
                status = await Wechat(running.url).write(
                    http, _sender(number), f"message {number}", number=number
                )
                assert status == 200
    kept = await _kept(tmp_path)
    numbers = Counter(each.external_id for each in kept)
    assert acknowledged
    assert numbers == Counter({str(number): 1 for number in tried})
    _assert_in_order(kept)


async def test_a_polite_stop_finishes_what_it_has_answered_for(tmp_path: Path) -> None:
    acknowledged: set[int] = set()
    tried: set[int] = set()
    with house(tmp_path, channels=CHANNELS) as running:
        some = asyncio.Event()
        asked = _burst(running.url, 0, acknowledged, tried, first=some.set)
        burst = asyncio.create_task(asked)
        await some.wait()
        running.process.terminate()
        await burst
        assert await asyncio.to_thread(running.process.wait, 20) == 0
    kept = {int(each.external_id) for each in await _kept(tmp_path)}
    assert acknowledged <= kept <= tried


async def _burst(
    url: str,
    round_: int,
    acknowledged: set[int],
    tried: set[int],
    first: Callable[[], None] = lambda: None,
) -> None:
    async with aiohttp.ClientSession() as http:

        async def customer(sender: int) -> None:
            for index in range(EACH):
                number = round_ * 10_000 + sender * 100 + index + 1
                tried.add(number)
                status = await Wechat(url).write(
                    http, _sender(number), f"message {number}", number=number
                )
                if status != 200:
                    return
                acknowledged.add(number)
                first()

        await asyncio.gather(*(customer(sender) for sender in range(SENDERS)))


def _sender(number: int) -> str:
    return f"openid-{number % 10_000 // 100}"


async def _kept(folder: Path) -> tuple[Interaction, ...]:
    url = f"sqlite:///{folder / 'data' / 'mainstem.db'}"
    store = open_store(url, clock=FixedClock(), ids=CountingIds())
    try:
        return await store.read(_all_of, AccountName("wechat"))
    finally:
        await store.close()


def _all_of(unit: Unit, account: AccountName) -> tuple[Interaction, ...]:
    found: list[Interaction] = []
    for sender in range(SENDERS):
        known = unit.contacts.known(account, f"openid-{sender}")
        assert known is not None
        members = unit.contacts.members(known.contact)
        found += [
            said
            for said in unit.conversations.timeline(members, limit=1000)
            if said.direction == "in"
        ]
    return tuple(found)


def _assert_in_order(kept: tuple[Interaction, ...]) -> None:
    """What one customer wrote in one round has seq in the order in which it was written."""
    runs: dict[tuple[str, int], list[Interaction]] = {}
    for said in kept:
        round_, rest = divmod(int(said.external_id), 10_000)
        runs.setdefault((said.conversation, round_ * 100 + rest // 100), []).append(said)
    for run in runs.values():
        ordered = sorted(run, key=lambda said: int(said.external_id))
        assert [said.seq for said in ordered] == sorted(said.seq for said in run)
