"""Ten times more than fits: refused politely and at once, never after a promise, memory bounded."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import aiohttp

from router.cli.bench.wechat import ACCOUNT, address, message
from router.cli.ledger.book import Delivered
from router.cli.ledger.check import check
from tests.support.house import house

LINE, BURST = 100, 1000
GROWS_AT_MOST_MIB = 40


@contextmanager
def nothing_can_be_written(file: Path) -> Iterator[None]:
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def memory_mib(pid: int) -> int:
    """Return the most memory that a process has had so far."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return next(int(each.split()[1]) for each in lines if each.startswith("VmHWM:")) // 1024


async def test_ten_times_what_fits_is_refused_politely_and_what_was_answered_is_there(
    tmp_path: Path,
) -> None:
    settings = f"log_level = 'info'\nreaders = 0\nintake_line = {LINE}\nintake_batch = 10\n"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        with house(tmp_path, channels={"wechat": ACCOUNT}, router=settings) as running:
            port, file = running.url.rpartition(":")[2], tmp_path / "data" / "mainstem.db"
            before = memory_mib(running.process.pid)

            answered: list[tuple[int, int, str | None]] = []
            most_refused = asyncio.Event()

            async def deliver(number: int) -> None:
                words = "在吗" * 1000
                raw = message(
                    f"openid-{number % 50}", words, number=number, host=f"127.0.0.1:{port}"
                )
                path, body = address(raw)
                async with http.post(running.url + path, data=body) as answer:
                    await answer.read()
                    answered.append((number, answer.status, answer.headers.get("Retry-After")))
                if len(answered) == BURST - LINE - 10:
                    most_refused.set()

            with nothing_can_be_written(file):
                asked = [asyncio.create_task(deliver(number)) for number in range(1, BURST + 1)]
                await most_refused.wait()
                assert {(status, wait) for _, status, wait in answered} == {(503, "2")}
                async with http.get(f"{running.url}/healthz") as answer:
                    assert answer.status == 200  # it is well, only busy
            await asyncio.gather(*asked)
            grown = memory_mib(running.process.pid) - before
            await deliver(BURST + 1)
            assert answered.pop() == (BURST + 1, 200, None)
        statuses = Counter(status for _, status, _ in answered)
        assert set(statuses) == {200, 503}
        assert LINE <= statuses[200] <= LINE + 10
        assert grown <= GROWS_AT_MOST_MIB
    lines = [
        Delivered(
            account="wechat",
            id=str(number),
            sender=f"openid-{number % 50}",
            place=number,
            answered=status == 200,
        )
        for number, status, _ in answered
    ]
    wrong = check(f"sqlite:///{file}", lines).wrong
    assert [each for each in wrong if each.code != "reordered"] == []  # all came at once
