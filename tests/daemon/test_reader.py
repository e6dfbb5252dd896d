"""The daemon with a real reader process beside it: what customers write is read by the model."""

import asyncio
from pathlib import Path

import aiohttp

from router.domain.ids import AccountName
from router.domain.reading import Reading
from router.service.unit import Unit
from router.store.engine import open_store
from router.understanding.model import open_model
from tests.support.fakes import CountingIds, FixedClock
from tests.support.house import house
from tests.support.platforms import WECHAT, Wechat

#: A complaint in which no rule sees one: only what it means gives it away.
WORDS = "桌腿一长一短，放水杯都滑下来"
PATIENCE_S = 60.0


async def test_a_trained_reader_in_a_process_of_its_own_reads_what_comes_in(
    tmp_path: Path,
) -> None:
    channels = {"wechat": WECHAT.format(api="http://127.0.0.1:9")}
    router = "log_level = 'info'\nreaders = 1\n"
    with house(tmp_path, channels=channels, router=router) as running:
        async with aiohttp.ClientSession() as http:
            assert await Wechat(running.url).write(http, "openid-1", WORDS, number=1) == 200
        reading = await read_in(tmp_path)
    assert reading.reader.startswith(open_model().name)
    assert reading.complaint.value != "none"


async def read_in(folder: Path) -> Reading:
    """Return how the only message was read, as soon as it was."""
    url = f"sqlite:///{folder / 'data' / 'mainstem.db'}"
    store = open_store(url, clock=FixedClock(), ids=CountingIds())

    def look(unit: Unit) -> Reading | None:
        known = unit.contacts.known(AccountName("wechat"), "openid-1")
        assert known is not None
        members = unit.contacts.members(known.contact)
        (said,) = unit.conversations.timeline(members, limit=2)
        return said.reading

    try:
        async with asyncio.timeout(PATIENCE_S):
            while (reading := await store.read(look)) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # the process tells no event
            return reading
    finally:
        await store.close()
