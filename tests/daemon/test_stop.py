"""A polite stop: what was answered for is there. What kills do is seen in `tests/faults`."""

import asyncio
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

SENDERS = 8
EACH = 40
CHANNELS = {"wechat": WECHAT.format(api="http://127.0.0.1:9")}


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
