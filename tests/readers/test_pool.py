"""Reader processes are started, asked, and replaced when they end or hang."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from router.domain.reading import Alarm
from router.readers.pool import Pool
from router.service.hearing import ReaderBroke, ReaderDown
from tests.readers.ill import NAME
from tests.readers.support import ill, ill_pool, run_of, running, until


async def test_runs_are_read_in_another_process_and_come_back_in_order(tmp_path: Path) -> None:
    async with running(ill_pool(tmp_path)) as pool:
        one, other = await pool.read(0, (run_of("我要投诉你们", "谢谢"), run_of("有货吗")))
        assert [each.reading.complaint for each in one] == [Alarm.ALERT, Alarm.NONE]
        assert [each.reading.reader for each in (*one, *other)] == [NAME] * 3
        assert os.getpid() not in pool.pids


@pytest.mark.parametrize("text", ["CRASH", "HANG", "RAISE"])
async def test_a_message_that_breaks_a_reader_breaks_no_other(tmp_path: Path, text: str) -> None:
    async with running(ill_pool(tmp_path, patience=0.5)) as pool:
        with pytest.raises(ReaderBroke):
            await pool.read(0, (run_of(text),))
        ((heard,),) = await pool.read(0, (run_of("我要投诉"),))
        assert heard.reading.reader == NAME


async def test_a_process_that_is_killed_is_replaced(tmp_path: Path) -> None:
    async with running(ill_pool(tmp_path)) as pool:
        await until(lambda: bool(pool.pids))
        (before,) = pool.pids
        os.kill(before, signal.SIGKILL)
        await until(lambda: bool(pool.pids) and pool.pids != (before,))
        assert pool.restarts == 1
        assert await pool.read(0, (run_of("在吗"),))


async def test_while_no_process_starts_nobody_waits_for_one(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.touch()
    async with running(ill_pool(tmp_path)) as pool:
        with pytest.raises(ReaderDown):
            await pool.read(0, (run_of("在吗"),))
        assert "reader_down" in pool.warnings()
        assert await pool.find("在吗", language="zh", limit=3) is None
        broken.unlink()
        await until(lambda: not pool.warnings())
        assert pool.readers == {NAME: 1}
        assert await pool.read(0, (run_of("在吗"),))


async def test_the_processes_end_with_the_daemon(tmp_path: Path) -> None:
    async with running(ill_pool(tmp_path, lanes=2)) as pool:
        await until(lambda: len(pool.pids) == 2)
        pids = pool.pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_processes_take_another_model_once_it_is_adopted(tmp_path: Path) -> None:
    pool = Pool(tmp_path, lanes=1, command=ill, look_every=0.05)
    async with running(pool):
        await until(lambda: bool(pool.pids))
        before = pool.pids
        await asyncio.sleep(0.2)
        assert pool.pids == before
        (tmp_path / "models" / "reader").mkdir(parents=True)
        (tmp_path / "models" / "reader" / "reader.sha256").write_text("another\n")
        await until(lambda: bool(pool.pids) and pool.pids != before)
