"""What every line of ours does: one daemon holds it, and opens it again when it breaks."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import aiomqtt
import structlog

from router.service.accept import Busy
from router.service.ports import Clock, Ids, Store, StoreUnavailable
from router.service.unit import Unit
from router.transport.settings import TransportSettings
from router.transport.waits import Wait, backoff

log = structlog.get_logger()


class Broken(Exception):
    """The line is over, for the reason that the words give; it is opened again."""


class Staying:
    """Keeps one line of one account; ``lease`` names it among the daemons, ``name`` is ours."""

    def __init__(
        self,
        lease: str,
        *,
        account: str,
        store: Store,
        clock: Clock,
        ids: Ids,
        name: str,
        settings: TransportSettings,
        wait: Wait,
    ) -> None:
        self._lease, self._account, self._store = lease, account, store
        self._clock, self._ids, self._name = clock, ids, name
        self._settings, self._wait = settings, wait

    async def again(self, session: Callable[[], Awaitable[None]]) -> None:
        """Hold ``session`` over and over, with longer and longer rests while it fails."""
        attempts = 0
        while True:
            began, failed = self._clock.now(), True
            try:
                await session()
                failed = False
            except* (aiomqtt.MqttError, OSError, Broken, Busy, StoreUnavailable) as group:
                why = type(group.exceptions[0]).__name__
                log.warning("broker_out_of_touch", account=self._account, why=why)
            except* Exception:  # the task that must survive
                log.exception("broker_out_of_touch", account=self._account, why="fault")
            lasted = self._clock.now() - began > self._settings.longest_reconnect
            attempts = attempts + 1 if failed and not lasted else 0
            rest = backoff(
                attempts,
                first=self._settings.first_reconnect,
                longest=self._settings.longest_reconnect,
                chance=self._ids.entropy(4),
            )
            await self._wait(rest.total_seconds())

    @asynccontextmanager
    async def held(self) -> AsyncIterator[bool]:
        """Return whether the line is ours to hold; if not, after a while of rest."""
        ours = await self._hold()
        if not ours:
            await self._wait(self._settings.poll.total_seconds())
        try:
            yield ours
        finally:
            if ours:
                with contextlib.suppress(StoreUnavailable):
                    await self._store.transact(_let_go, self._lease, self._name)

    async def stay(self) -> None:
        """Go on holding the line; raises Broken when another daemon has it."""
        while True:
            await self._wait(self._settings.poll.total_seconds() / 2)
            if not await self._hold():
                raise Broken("another daemon holds the line now")

    async def _hold(self) -> bool:
        now = self._clock.now()
        until = now + 2 * self._settings.poll
        return await self._store.transact(_hold, self._lease, self._name, now=now, until=until)


def _hold(unit: Unit, lease: str, holder: str, *, now: datetime, until: datetime) -> bool:
    return unit.journal.lease(lease, holder=holder, now=now, until=until) is not None


def _let_go(unit: Unit, lease: str, holder: str) -> None:
    unit.journal.release_lease(lease, holder=holder)
