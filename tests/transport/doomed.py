"""A daemon's sender in a process of its own, for tests that kill it: URL of store, of platform."""

import asyncio
import sys
from itertools import count
from pathlib import Path

from router.store.engine import open_store
from tests.support.fakes import CountingIds, FixedClock
from tests.transport.rig import a_rig, settings, wechat


async def main(database: str, platform: str, media: str) -> None:
    """Send until killed."""
    clock, ids = FixedClock(), CountingIds(count(1_000_000))
    store = open_store(database, clock=clock, ids=ids)
    accounts = [wechat(platform)]
    async with a_rig(store, clock, ids, accounts=accounts, given=settings(Path(media))) as rig:
        await rig.sender("doomed").run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
