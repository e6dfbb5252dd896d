"""Pools of readers in processes of their own, for the length of a block."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from router.domain.ids import ConversationId
from router.readers.pool import Pool
from router.service.hearing import Run, Words


def ill(folder: Path) -> Sequence[str]:
    """Return the command of a process that does what its messages say."""
    return (sys.executable, "-m", "tests.readers.ill", str(folder))


@asynccontextmanager
async def running(pool: Pool) -> AsyncIterator[Pool]:
    """Keep a pool's processes alive until the end of the block."""
    task = asyncio.create_task(pool.run())
    try:
        yield pool
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def ill_pool(folder: Path, *, lanes: int = 1, patience: float = 5.0) -> Pool:
    """Return a pool of processes that do what their messages say."""
    return Pool(folder, lanes=lanes, patience=timedelta(seconds=patience), command=ill)


async def until(true: Callable[[], bool], *, seconds: float = 60.0) -> None:
    """Wait until something is so; fails if it does not become so."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110  a process tells no event
            await asyncio.sleep(0.01)


def run_of(*texts: str, conversation: str = "talk") -> Run:
    """Return a contact's run of one conversation with nothing before it."""
    name = ConversationId(conversation)
    words = tuple(Words(conversation=name, text=text, language="zh") for text in texts)
    return Run(words=words, before={})
