"""What others commit: other daemons, and commands run beside this one. Read from the log alone."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

import structlog

from router.domain.events import Logged
from router.service.ports import Store, StoreUnavailable
from router.service.unit import Unit

log = structlog.get_logger()

_PAGE = 1000
#: Numbers that are compared at once with those of our own commits; most events are our own.
_MANY = 20_000

Hear = Callable[[Sequence[Logged]], None]


class Follower:
    """Tells of commits that were not made through this store; at the latest after a pause.

    A notice of another daemon only wakes it: a lost notice costs time and never truth.
    """

    def __init__(self, store: Store, *, pause_s: float = 2.0) -> None:
        self._store, self._pause_s = store, pause_s
        self._hear: list[Hear] = []
        self._ours: set[int] = set()
        self._last: int | None = None
        self._bell = asyncio.Event()

    def tell(self, hear: Hear) -> None:
        """Call ``hear`` with what others have committed."""
        self._hear.append(hear)

    def ours(self, logged: Sequence[Logged]) -> None:
        """Note what this store committed: everybody here knows it already."""
        self._ours.update(each.seq for each in logged)

    def wake(self, *_news: object) -> None:
        """Look now: somebody says that there is something new."""
        self._bell.set()

    async def run(self) -> None:
        """Follow the log until cancelled."""
        while True:
            self._bell.clear()
            try:
                await self._look()
            except StoreUnavailable:
                log.warning("follower_waits_for_database")
            except Exception:  # whoever does not hear of others works on, only later
                log.exception("follower_failed")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s):
                    await self._bell.wait()

    async def _look(self) -> None:
        if self._last is None:
            self._last = await self._store.read(_seq)
            return
        while numbers := await self._store.read(_numbers, self._last):
            first = next((each for each in numbers if each not in self._ours), None)
            if first is None:
                self._passed(numbers[-1])
                continue
            logged = await self._store.read(_since, first - 1)
            others = tuple(each for each in logged if each.seq not in self._ours)
            self._passed(logged[-1].seq)
            for hear in self._hear:
                hear(others)

    def _passed(self, seq: int) -> None:
        self._last = seq
        self._ours = {each for each in self._ours if each > seq}


def _seq(unit: Unit) -> int:
    return unit.journal.seq()


def _numbers(unit: Unit, seq: int) -> tuple[int, ...]:
    return unit.journal.numbers_since(seq, limit=_MANY)


def _since(unit: Unit, seq: int) -> tuple[Logged, ...]:
    return unit.journal.events_since(seq, limit=_PAGE)
