"""All reader processes of a daemon, whether they are well, and the model that they should have."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import Final

import structlog

from router.domain.knowledge import Answerable, Candidate
from router.readers.lane import Lane, command
from router.readers.models import ADOPTED
from router.service.hearing import Heard, ReaderBroke, ReaderDown, Run

log = structlog.get_logger()

#: How long a reader may be silent over a frame before it is taken for hung.
PATIENCE: Final = timedelta(seconds=5)
#: How often the folder of the adopted model is looked at, in seconds.
_LOOK_S: Final = 5.0


class Pool:
    """Reader processes; none of them if ``lanes`` is 0."""

    def __init__(
        self,
        data: Path,
        *,
        lanes: int,
        patience: timedelta = PATIENCE,
        command: Callable[[Path], Sequence[str]] = command,
        look_every: float = _LOOK_S,
    ) -> None:
        self._data, self._look_every = data, look_every
        self._heard: list[Callable[[], None]] = []
        self._all = [
            Lane(number, command(data), patience=patience, changed=self._changed)
            for number in range(lanes)
        ]
        self._next = cycle(self._all or (None,))

    @property
    def lanes(self) -> int:
        """Return how many processes there should be."""
        return len(self._all)

    @property
    def pids(self) -> tuple[int, ...]:
        """Return the processes that are ready to read."""
        return tuple(lane.pid for lane in self._all if lane.ready and lane.pid is not None)

    @property
    def restarts(self) -> int:
        """Return how often a process had to be started again."""
        return sum(max(0, lane.starts - 1) for lane in self._all)

    @property
    def readers(self) -> Mapping[str, int]:
        """Return how many processes read by each reader now."""
        counted: dict[str, int] = {}
        for lane in self._all:
            if lane.ready is not None:
                counted[lane.ready.reader] = counted.get(lane.ready.reader, 0) + 1
        return counted

    def warnings(self) -> Mapping[str, str]:
        """Return what is not as it should be, by a stable name; empty if all is well."""
        found: dict[str, str] = {}
        for lane in self._all:
            if lane.failed_starts:
                found["reader_down"] = f"reader process {lane.number} does not start"
            elif lane.ready is not None and lane.ready.warning:
                found["reader_small"] = lane.ready.warning
        return found

    def hear(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` whenever a process comes or goes."""
        self._heard.append(listener)

    async def run(self) -> None:
        """Keep the processes alive until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for lane in self._all:
                tasks.create_task(lane.run(), name=f"reader {lane.number}")
            if self._all:
                tasks.create_task(self._look(), name="adopted model")

    async def read(self, lane: int, runs: Sequence[Run]) -> tuple[tuple[Heard, ...], ...]:
        """Return what was heard in each of ``runs``; raises ReaderDown or ReaderBroke."""
        return await self._all[lane].read(runs)

    async def find(
        self, question: str, *, language: str, limit: int
    ) -> tuple[Candidate, ...] | None:
        """Return the articles that may answer ``question``; None if no process can say."""
        lane = next(self._next)
        if lane is None or lane.ready is None:
            return None
        with suppress(ReaderBroke, ReaderDown):
            return await lane.find(question, language=language, limit=limit)
        return None

    async def learn(self, articles: Sequence[Answerable]) -> None:
        """Let every process know these articles; they are indexed there, in the background."""
        for lane in self._all:
            await lane.learn(tuple(articles))

    async def restart(self) -> None:
        """Replace the processes one after the other, so that one always reads if there are two."""
        for lane in self._all:
            await lane.restart()

    def _changed(self) -> None:
        for listener in self._heard:
            listener()

    async def _look(self) -> None:
        """Notice that another model was adopted."""
        known = self._adopted()
        while True:
            await asyncio.sleep(self._look_every)
            found = self._adopted()
            if found != known:
                known = found
                log.info("reader_model_changed", digest=found[:12])
                await self.restart()

    def _adopted(self) -> str:
        try:
            return (self._data / ADOPTED / "reader.sha256").read_text("ascii", "replace")
        except OSError:
            return ""
