"""One reader process as the daemon sees it: started, asked, killed when it hangs, started again."""

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import msgspec
import structlog

from router.domain.knowledge import Answerable, Candidate
from router.readers.frames import (
    HEAD,
    MOST,
    Answered,
    Asked,
    Done,
    Failed,
    Find,
    Found,
    Learn,
    Read,
    Ready,
    answered_in,
    framed,
)
from router.service.hearing import Heard, ReaderBroke, ReaderDown, Run

log = structlog.get_logger()

#: How long loading may take, and how long a start that failed is waited for, in seconds.
_LOADING_S = 20.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0
#: How long a question waits for a process that is busy, in seconds.
_BUSY_S = 1.0
#: How long a process has to end by itself when the daemon stops, in seconds.
_ENDING_S = 2.0
#: A process is one core's worth: more BLAS threads make single calls far slower.
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def command(data: Path) -> tuple[str, ...]:
    """Return the command of a reader's process whose models are in ``data``."""
    return (sys.executable, "-m", "router.readers.process", str(data))


class Lane:
    """A reader process that is replaced whenever it ends. One frame is under way at a time."""

    def __init__(
        self,
        number: int,
        command: Sequence[str],
        *,
        patience: timedelta,
        changed: Callable[[], None],
    ) -> None:
        self.number = number
        self.ready: Ready | None = None
        self.starts = 0
        self.failed_starts = 0
        self._command, self._patience, self._changed = tuple(command), patience, changed
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._settled = asyncio.Event()  # it is up, or its start has failed
        self._articles: tuple[Answerable, ...] | None = None

    @property
    def pid(self) -> int | None:
        """Return the id of the process, if one runs."""
        return None if self._process is None else self._process.pid

    async def run(self) -> None:
        """Keep a process alive until cancelled, and then let it end."""
        pause = _FIRST_PAUSE_S
        try:
            while True:
                if await self._start():
                    pause = _FIRST_PAUSE_S
                    await self._stays()
                else:
                    self.failed_starts += 1
                    self._settled.set()
                    self._changed()
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE_S)
        finally:
            await self._end()

    async def read(self, runs: Sequence[Run]) -> tuple[tuple[Heard, ...], ...]:
        """Return what was heard; raises ReaderDown or ReaderBroke."""
        answered = await self._ask(Read(runs=tuple(runs)), texts=sum(len(r.words) for r in runs))
        if not isinstance(answered, Done) or len(answered.heard) != len(runs):
            raise ReaderBroke(f"the reader answered {type(answered).__name__}")
        return answered.heard

    async def find(
        self, question: str, *, language: str, limit: int
    ) -> tuple[Candidate, ...] | None:
        """Return the articles that may answer, or None while the process knows none.

        Raises ReaderDown or ReaderBroke, also if the process is busy for long.
        """
        try:
            async with asyncio.timeout(_BUSY_S):
                await self._turn.acquire()
        except TimeoutError:
            raise ReaderDown("the reader process is busy") from None
        self._turn.release()
        answered = await self._ask(Find(question=question, language=language, limit=limit), texts=1)
        if not isinstance(answered, Found):
            raise ReaderBroke(f"the reader answered {type(answered).__name__}")
        return answered.candidates

    async def learn(self, articles: tuple[Answerable, ...]) -> None:
        """Let the process know these articles, now or when it is there again."""
        self._articles = articles
        if self.ready is not None:
            with suppress(ReaderBroke, ReaderDown):
                await self._ask(Learn(articles=articles), texts=0)

    async def restart(self) -> None:
        """End the process; another one, with the models as they are now, takes its place."""
        async with self._turn:
            self._kill()
        await self._settled.wait()

    async def _ask(self, asked: Asked, *, texts: int) -> Answered:
        await self._settled.wait()
        async with self._turn:
            process = self._process
            if process is None or self.ready is None:
                raise ReaderDown("there is no reader process now")
            limit = self._patience.total_seconds() * (1 + texts / 100)
            try:
                async with asyncio.timeout(limit):
                    return await _exchange(process, asked)
            except TimeoutError:
                log.warning("reader_hung", lane=self.number, pid=process.pid, texts=texts)
                self._kill()
                raise ReaderBroke(f"the reader did not answer within {limit:.0f} s") from None
            except (OSError, EOFError, msgspec.DecodeError) as error:
                self._kill()
                raise ReaderBroke("the reader process ended") from error
            except asyncio.CancelledError:
                self._kill()  # its answer would be taken for the next one's
                raise

    async def _start(self) -> bool:
        """Start a process and hear who it is; False if that fails."""
        self.starts += 1
        self._process = None
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env={**os.environ, **_ONE_THREAD},
                limit=MOST,
            )
            async with asyncio.timeout(_LOADING_S):
                ready = await _greeting(self._process)
                told = None
                while self._articles is not None and told is not self._articles:
                    told = self._articles  # it may change while the process takes note
                    await _exchange(self._process, Learn(articles=told))
        except (OSError, EOFError, TimeoutError, msgspec.DecodeError) as error:
            log.warning("reader_not_started", lane=self.number, why=str(error) or "it ended")
            self._kill()
            return False
        self.ready, self.failed_starts = ready, 0
        self._settled.set()
        log.info("reader_started", lane=self.number, pid=self._process.pid, reader=ready.reader)
        self._changed()
        return True

    async def _stays(self) -> None:
        """Return when the process has ended."""
        process = self._process
        if process is not None:
            code = await process.wait()
            self._lost()
            log.warning("reader_ended", lane=self.number, pid=process.pid, code=code)
            self._changed()

    def _lost(self) -> None:
        self.ready = None
        if not self.failed_starts:
            self._settled.clear()

    def _kill(self) -> None:
        self._lost()
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def _end(self) -> None:
        self._lost()
        process = self._process
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()  # it ends when there is nothing more to read
        try:
            async with asyncio.timeout(_ENDING_S):
                await process.wait()
        except TimeoutError:
            self._kill()
            await process.wait()


async def _exchange(process: asyncio.subprocess.Process, asked: Asked) -> Answered:
    if process.stdin is None:
        raise EOFError
    process.stdin.write(framed(asked))
    await process.stdin.drain()
    answered = await _heard(process)
    if isinstance(answered, Failed):
        raise ReaderBroke(f"the reader raised {answered.kind}")
    return answered


async def _greeting(process: asyncio.subprocess.Process) -> Ready:
    """Return the first frame; raises EOFError if it is not a greeting."""
    first = await _heard(process)
    if not isinstance(first, Ready):
        raise EOFError(f"it began with {type(first).__name__}")  # noqa: TRY004  not our mistake
    return first


async def _heard(process: asyncio.subprocess.Process) -> Answered:
    if process.stdout is None:
        raise EOFError
    head = await process.stdout.readexactly(HEAD.size)
    return answered_in(await process.stdout.readexactly(HEAD.unpack(head)[0]))
