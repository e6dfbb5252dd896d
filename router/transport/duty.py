"""Work that one daemon does for all: whoever holds the duty's lease works, the others look on."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import structlog

from router.domain.events import Logged
from router.service.ports import Clock, Store, StoreUnavailable
from router.service.pressure import Pressure
from router.service.unit import Unit

log = structlog.get_logger()

#: Does what there is to do now and returns when there may be more to do, at the latest.
Work = Callable[[], Awaitable[timedelta]]
#: Says of an event whether there may be something to do.
Wakes = Callable[[Logged], bool]

_SHORTEST = timedelta(milliseconds=20)


class Duty:
    """An owned task that works when woken, and now and then unasked.

    ``name`` is the duty's, ``holder`` the daemon's. A daemon that dies is replaced after
    ``lasts``. The work may be done twice where a lease passes on in the middle of it, so it must
    bear that. Given a ``pressure``, it gives way while deliveries come fast.
    """

    def __init__(
        self,
        name: str,
        work: Work,
        *,
        store: Store,
        clock: Clock,
        holder: str,
        wakes: Wakes,
        poll: timedelta,
        lasts: timedelta,
        pressure: Pressure | None = None,
    ) -> None:
        self._name, self._work, self._wakes = name, work, wakes
        self._store, self._clock, self._holder = store, clock, holder
        self._poll, self._lasts = poll, lasts
        self._pressure = pressure or Pressure()
        self._some = asyncio.Event()
        self._stopping = False
        self._ours_until: datetime | None = None

    def heard(self, events: Sequence[Logged]) -> None:
        """Listen to what was committed, here or elsewhere."""
        if any(self._wakes(each) for each in events):
            self.wake()

    def wake(self) -> None:
        """Look now whether there is something to do."""
        self._some.set()

    def stop(self) -> None:
        """Finish what has been begun; `run` returns after that."""
        self._stopping = True
        self._some.set()

    async def run(self) -> None:
        """Work until stopped or cancelled; another daemon can take the duty over at once."""
        try:
            while not self._stopping:
                self._some.clear()
                rest = await self._turn()
                if not self._stopping:
                    await self._pressure.give_way()
                    await self._sleep(rest)
        finally:
            await self._let_go()

    async def _turn(self) -> timedelta:
        try:
            if await self._held():
                return await self._work()
        except StoreUnavailable:
            log.warning("duty_waits_for_store", duty=self._name)
        except Exception:  # the task that must survive
            log.exception("duty_failed", duty=self._name)
        return self._poll

    async def _held(self) -> bool:
        """Say whether the duty is ours, and renew its lease once a third of its time is over."""
        now = self._clock.now()
        left = timedelta(0) if self._ours_until is None else self._ours_until - now
        if self._lasts * 2 / 3 < left <= self._lasts:  # more is left only if the clock was set back
            return True
        until = now + self._lasts
        ours = await self._store.transact(_hold, self._name, self._holder, now=now, until=until)
        self._ours_until = until if ours else None
        return ours

    async def _sleep(self, rest: timedelta) -> None:
        try:
            async with asyncio.timeout(max(min(rest, self._poll), _SHORTEST).total_seconds()):
                await self._some.wait()
        except TimeoutError:
            return

    async def _let_go(self) -> None:
        self._ours_until = None
        try:
            await self._store.transact(_let_go, self._name, self._holder)
        except StoreUnavailable:
            log.warning("duty_not_let_go", duty=self._name)


def _hold(unit: Unit, name: str, holder: str, *, now: datetime, until: datetime) -> bool:
    return unit.journal.lease(f"duty:{name}", holder=holder, now=now, until=until) is not None


def _let_go(unit: Unit, name: str, holder: str) -> None:
    unit.journal.release_lease(f"duty:{name}", holder=holder)
