"""The one loop that routes: wakes on commits and deadlines, decides, carries out."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic

import structlog

from router.domain.events import Logged
from router.domain.floor import Floor, Foreseen
from router.domain.forecast import Foresight
from router.domain.ids import AccountName, ContactId, ConversationId
from router.domain.policy import ShopPolicy
from router.domain.routing import Decision, decide, next_deadline
from router.service.carry import LEASE, carry_out
from router.service.floor import Seen, look_at, look_at_all
from router.service.forecast import foreseen, tally
from router.service.ports import Clock, Conflict, NotFound, Store, StoreUnavailable
from router.service.pressure import Pressure
from router.service.records import Lease
from router.service.unit import Unit

log = structlog.get_logger()

#: How long the lease lasts and how often the floor is looked at although nothing happens.
_LEASE_LASTS = timedelta(seconds=4)
_TICK = timedelta(seconds=1)
_EVENTS = 1000
#: How many decisions are carried out side by side; each is a transaction of its own.
_AT_ONCE = 6
#: How often demand is counted, and how often it is foreseen anew.
_COUNTS_EVERY = timedelta(seconds=15)
_FORESEES_EVERY = timedelta(minutes=2)
#: Events after which every conversation of the person must be looked at again.
_OF_PERSON = frozenset(
    {
        "case_opened",
        "case_joined",
        "case_acknowledged",
        "case_owned",
        "case_enqueued",
        "case_escalated",
        "case_changed",
        "case_resolved",
        "case_reopened",
        "contacts_merged",
        "merge_proposed",
        "contacts_split",
        "contact_changed",
        "interaction_taken",
        "interactions_read",
        "interaction_changed",
    }
)
_OF_STAFF = frozenset({"presence_changed", "agent_changed", "offer_lapsed", "offer_accepted"})


@dataclass(slots=True)
class Wake:
    """A bell that the store's listener and the notices of other daemons ring."""

    bell: asyncio.Event

    def ring(self, _logged: object = None) -> None:
        """Something was committed."""
        self.bell.set()


class Dispatcher:
    """Owns the floor. Runs in every daemon; routes in the one that holds the lease."""

    def __init__(
        self,
        store: Store,
        *,
        policy: ShopPolicy,
        families: Mapping[AccountName, str],
        clock: Clock,
        name: str,
        on_decision: Callable[[Decision], None] = lambda _decision: None,
        pressure: Pressure | None = None,
        passed: Callable[[], float] = monotonic,
    ) -> None:
        """``passed`` counts the seconds that have gone by, which no setting of a clock changes."""
        self._pressure = pressure or Pressure()
        self._store, self._policy, self._families = store, policy, families
        self._clock, self._name, self._on_decision = clock, name, on_decision
        self._floor = Floor()
        self._seen = 0
        self._again: tuple[ConversationId, ...] = ()
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._fence: int | None = None
        self._lease: Lease | None = None
        self._rival: Lease | None = None
        self._leased_since = self._rival_since = 0.0  # by `passed`
        self._counted_at: datetime | None = None
        self._foreseen_at: datetime | None = None
        self._passed = passed
        self.foresight: Foresight | None = None
        self.wake = Wake(asyncio.Event())

    @property
    def routing(self) -> bool:
        """Return whether this daemon holds the lease."""
        return self._fence is not None

    async def run(self) -> None:
        """Route until cancelled; a database that does not answer is waited for."""
        try:
            loop = asyncio.get_running_loop()
            while True:
                began = loop.time()
                try:
                    await self.once()
                except StoreUnavailable:
                    self._fence = None
                    log.warning("dispatch_waits_for_database")
                    await asyncio.sleep(_TICK.total_seconds())
                except Exception:  # routing must go on: from the tables, here or in another daemon
                    log.exception("dispatch_failed")
                    await self._step_back()
                await self._pressure.give_way(loop.time() - began)
                await self._rest()
        finally:
            with contextlib.suppress(StoreUnavailable):
                await self._store.transact(_let_go, self._name)

    async def _step_back(self) -> None:
        """Let another daemon route; if there is none, begin anew."""
        self._fence = self._lease = None
        with contextlib.suppress(StoreUnavailable):
            await self._store.transact(_let_go, self._name)
        await asyncio.sleep(2 * _TICK.total_seconds())

    async def once(self) -> None:
        """Bring the floor up to date, decide, and carry out; nothing if another daemon routes."""
        self.wake.bell.clear()
        lease = await self._leased()
        if lease is None:
            self._fence = None
            return
        if lease.fence != self._fence:
            self._floor, self._fence = Floor(), lease.fence
            self._counted_at = self._foreseen_at = None
            seen = await self._store.read(look_at_all, policy=self._policy, families=self._families)
            self._take(seen)
            log.info("dispatch_began", fence=lease.fence, seen=seen.seq)
        else:
            await self._catch_up()
        await self._foresee(lease.fence)
        await self._decide()

    async def _leased(self) -> Lease | None:
        """Return our lease, renewed once half of its time is over; None if another daemon has it.

        Nobody can take it before it ends, and each decision checks its fence. Clocks of machines
        differ and are set: another's lease that has not been renewed for as long as it lasts, by
        the time that has passed here, is over whatever its end says.
        """
        held, now, elapsed = self._lease, self._clock.now(), self._passed()
        fresh = elapsed - self._leased_since < (_LEASE_LASTS / 2).total_seconds()
        if (
            held is not None
            and self._fence is not None
            and fresh
            and held.until - now > _LEASE_LASTS / 2
        ):
            return held
        over = elapsed - self._rival_since >= _LEASE_LASTS.total_seconds()
        stands = await self._store.transact(
            _take_lease, self._name, self._clock, _LEASE_LASTS, over=self._rival if over else None
        )
        if stands.holder == self._name:
            self._lease, self._leased_since, self._rival = stands, elapsed, None
            return stands
        if stands != self._rival:
            self._rival, self._rival_since = stands, elapsed
        self._lease = None
        return None

    async def _rest(self) -> None:
        now = self._clock.now()
        deadline = next_deadline(self._floor, self._policy, now) if self.routing else None
        if self._rival is not None and self._rival.until > now:
            deadline = self._rival.until  # it is taken over the moment it ends
        pause = min(_TICK, deadline - now) if deadline else _TICK
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, pause.total_seconds())):
                await self.wake.bell.wait()

    def _take(self, seen: Seen) -> None:
        self._floor.pass_time(self._clock.now())
        for change in seen.changes:
            self._floor.apply(change)
        self._seen = max(self._seen, seen.seq)

    async def _catch_up(self) -> None:
        """Look at what has been touched, and at what was decided: it may not have come true."""
        more = True
        while more:
            seen, more = await self._store.read(
                _news,
                self._seen,
                self._again,
                policy=self._policy,
                families=self._families,
            )
            self._again = ()
            self._take(seen)

    async def _foresee(self, fence: int) -> None:
        """Count what came to need a person, and tell the floor what to expect."""
        now = self._clock.now()
        if self._counted_at is None or now - self._counted_at >= _COUNTS_EVERY:
            try:
                more = await self._store.transact(
                    tally,
                    policy=self._policy,
                    families=self._families,
                    lease=LEASE,
                    fence=fence,
                    at=now,
                )
            except Conflict as overtaken:
                log.info("demand_not_counted", why=str(overtaken))
                return
            self._counted_at = None if more else now
        if self._foreseen_at is None or now - self._foreseen_at >= _FORESEES_EVERY:
            self.foresight = await self._store.read(foreseen, policy=self._policy, at=now)
            self._foreseen_at = now
            seen = self.foresight
            self._floor.apply(Foreseen(forecast=None if seen is None else seen.forecast))

    async def _decide(self) -> None:
        choices = decide(self._floor, self._policy, self._clock.now())
        self._again = tuple(choice.conversation for choice in choices)
        ended = await asyncio.gather(*map(self._carry, choices), return_exceptions=True)
        for problem in ended:
            if problem is not None:
                raise problem

    async def _carry(self, choice: Decision) -> None:
        async with self._room:
            if await self._carried(choice):
                self._on_decision(choice)

    async def _carried(self, choice: Decision) -> bool:
        try:
            await self._store.transact(
                carry_out,
                choice,
                seen_seq=self._seen,
                fence=self._fence or 0,
                policy=self._policy,
                weights=self._weight,
                at=self._clock.now(),
            )
        except (Conflict, NotFound) as error:
            log.info(
                "decision_overtaken",
                decision=type(choice).__name__,
                conversation=choice.conversation,
                why=str(error),
            )
            return False
        log.info(
            "decision_carried_out",
            decision=type(choice).__name__,
            conversation=choice.conversation,
            agent=getattr(choice, "agent", None),
        )
        return True

    def _weight(self, account: AccountName) -> float:
        family = self._families.get(account, "im")
        return self._policy.routing.family_weight[family]


def _news(
    unit: Unit,
    seq: int,
    again: tuple[ConversationId, ...],
    *,
    policy: ShopPolicy,
    families: Mapping[AccountName, str],
) -> tuple[Seen, bool]:
    """Return what events after ``seq`` have touched, and ``again``; and whether there is more."""
    last = unit.journal.seq()
    logged = unit.journal.touching_since(seq, limit=_EVENTS)
    more = len(logged) == _EVENTS
    conversations = dict.fromkeys(again)
    persons: dict[ContactId, None] = {}
    for each in logged:
        if each.event.conversation is not None:
            conversations[each.event.conversation] = None
        if each.event.kind in _OF_PERSON and each.event.contact is not None:
            persons[each.event.contact] = None
    conversations.update(dict.fromkeys(unit.conversations.open_of_persons(persons)))
    staff = _touches_staff(logged)
    seen = look_at(unit, tuple(conversations), staff=staff, policy=policy, families=families)
    return replace(seen, seq=logged[-1].seq if more else last), more


def _touches_staff(logged: tuple[Logged, ...]) -> bool:
    return any(each.event.kind in _OF_STAFF for each in logged)


def _take_lease(
    unit: Unit, name: str, clock: Clock, lasts: timedelta, *, over: Lease | None
) -> Lease:
    """Return the lease as it stands: ours if it could be had. ``over`` is not believed any more."""
    now = clock.now()
    held = unit.journal.leased(LEASE)
    if held is not None and held.holder == name and lasts / 2 < held.until - now <= lasts:
        return held  # fresh enough: nothing to write
    ends = now if held is None or held != over else max(now, held.until)
    taken = unit.journal.lease(LEASE, holder=name, now=ends, until=now + lasts)
    if taken is not None:
        return taken
    stands = unit.journal.leased(LEASE)
    if stands is None:
        raise Conflict("the lease came and went")
    return stands


def _let_go(unit: Unit, name: str) -> None:
    unit.journal.release_lease(LEASE, holder=name)
