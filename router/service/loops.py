"""The other loops of a daemon: reading what is unread, the bot's turns, and the clocks."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

import structlog

from router.channel.contract import Capabilities
from router.domain.ids import AccountName
from router.domain.policy import ShopPolicy
from router.service import clocks, closed, crisis, followup, rating
from router.service.ports import Clock, Store, StoreUnavailable
from router.service.unit import Unit

log = structlog.get_logger()

_TICK_S = 1.0
_CRISIS_PAUSE_S = 10.0
#: Counts of demand are kept for a comparison with last year.
_DEMAND_KEPT = timedelta(days=400)


class Loop:
    """Does its work whenever its bell rings, and at the latest after a pause."""

    def __init__(self, name: str, work: Callable[[], Awaitable[bool]], pause_s: float) -> None:
        self._name, self._work, self._pause_s = name, work, pause_s
        self._bell = asyncio.Event()

    def ring(self, _logged: object = None) -> None:
        """There may be work."""
        self._bell.set()

    async def run(self) -> None:
        """Work until cancelled; a fault is logged and the loop goes on."""
        while True:
            self._bell.clear()
            more = await self._try()
            if more:
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s):
                    await self._bell.wait()

    async def _try(self) -> bool:
        try:
            return await self._work()
        except StoreUnavailable:
            log.warning("loop_waits_for_database", loop=self._name)
        except Exception:
            log.exception("loop_failed", loop=self._name)
        await asyncio.sleep(_TICK_S)
        return False


def clock_loop(store: Store, *, policy: ShopPolicy, clock: Clock) -> Loop:
    """Look at the clocks once a second."""

    async def work() -> bool:
        if await store.read(clocks.anything_due, policy=policy, at=clock.now()):
            await store.transact(clocks.ring, policy=policy, at=clock.now())
        return False

    return Loop("clocks", work, _TICK_S)


def crisis_loop(store: Store, *, policy: ShopPolicy, clock: Clock) -> Loop:
    """Look for bursts of complaints, a few times a minute."""

    async def work() -> bool:
        if await store.read(crisis.bursts, policy=policy, at=clock.now()):
            raised = await store.transact(crisis.watch, policy=policy, at=clock.now())
            log.warning("crises_raised", count=len(raised))
        return False

    return Loop("crisis", work, _CRISIS_PAUSE_S)


def follow_up_loop(
    store: Store,
    *,
    policy: ShopPolicy,
    capabilities: Mapping[AccountName, Capabilities],
    clock: Clock,
) -> Loop:
    """Ask whose complaint was resolved whether it is solved, as soon as they can be asked."""

    async def work() -> bool:
        if await store.read(followup.any_to_ask, at=clock.now()):
            asked = await store.transact(
                followup.ask_due, policy=policy, capabilities=capabilities, at=clock.now()
            )
            log.info("follow_ups_asked", count=asked)
        return False

    return Loop("follow_up", work, _TICK_S)


def rating_loop(
    store: Store,
    *,
    policy: ShopPolicy,
    capabilities: Mapping[AccountName, Capabilities],
    clock: Clock,
) -> Loop:
    """Ask for ratings where the shop wants them, a few times a minute."""

    async def work() -> bool:
        if await store.read(rating.any_to_do, policy=policy, at=clock.now()):
            asked = await store.transact(
                rating.ask_due, policy=policy, capabilities=capabilities, at=clock.now()
            )
            log.info("ratings_asked", count=asked)
        return False

    return Loop("rating", work, _CRISIS_PAUSE_S)


def closed_loop(
    store: Store,
    *,
    policy: ShopPolicy,
    capabilities: Mapping[AccountName, Capabilities],
    clock: Clock,
) -> Loop:
    """Tell who waits in a closed queue when it opens."""

    async def work() -> bool:
        now = clock.now()
        if await store.read(closed.any_untold, policy=policy, capabilities=capabilities, at=now):
            told = await store.transact(
                closed.tell, policy=policy, capabilities=capabilities, at=now
            )
            log.info("closed_told", count=len(told))
        return False

    return Loop("closed", work, _CRISIS_PAUSE_S)


def forgetting_loop(store: Store, *, policy: ShopPolicy, clock: Clock) -> Loop:
    """Delete raw deliveries and counts of demand whose time of keeping is over, once a minute."""

    async def work() -> bool:
        now = clock.now()
        gone = await store.transact(_forget, now - policy.raw_kept, now - _DEMAND_KEPT)
        if gone:
            log.info("raw_deliveries_forgotten", count=gone)
        asked = now - policy.knowledge.questions_kept
        if forgotten := await store.transact(_forget_questions, asked):
            log.info("open_questions_forgotten", count=forgotten)
        return False

    return Loop("forgetting", work, 60.0)


def _forget_questions(unit: Unit, before: datetime) -> int:
    return unit.knowledge.forget_questions(before=before)


def _forget(unit: Unit, before: datetime, demand_before: datetime) -> int:
    unit.demands.forget(before=demand_before)
    return unit.journal.forget_deliveries(before=before)
