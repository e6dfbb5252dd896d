"""Drains the outbox: claims what is due, account by account, and gives each row to the courier.

One account's trouble is its own: each has its room for calls at once, rests alone when its
platform refuses it, and slows down alone when nothing gets through. Order for one recipient is kept
by the claim.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from router.channel.accounts import Account
from router.channel.contract import Deferred, Reason, Refused
from router.domain.events import Logged
from router.domain.ids import AccountName
from router.service import delivery
from router.service.ports import Clock, Ids, Store, StoreUnavailable
from router.service.records import OutboxRow, OutboxState
from router.transport.asker import Asker
from router.transport.carrier import Carrier, MailPort, PublishPort, PushPort
from router.transport.courier import Courier
from router.transport.http import Http
from router.transport.settings import TransportSettings
from router.transport.tokens import Tokens
from router.transport.uploads import Uploads
from router.transport.waits import Wait

log = structlog.get_logger()

#: The shortest rest: a row that another daemon is just taking looks due until it is taken.
_SHORTEST = timedelta(milliseconds=20)
_MOST_DOUBLINGS = 16


class Sender:
    """The owned task that sends. ``name`` is this daemon's.

    Every claim is made under a name of its own. So a task whose claim ran out while it waited (for
    a token, or because the machine slept) is not mistaken for the one that has the row by now,
    be it in this very process.
    """

    def __init__(
        self,
        *,
        store: Store,
        accounts: Mapping[AccountName, Account],
        courier: Courier,
        clock: Clock,
        ids: Ids,
        name: str,
        settings: TransportSettings,
    ) -> None:
        self._store, self._accounts, self._courier = store, accounts, courier
        self._clock, self._ids, self._name = clock, ids, name
        self._settings = settings
        self._some = asyncio.Event()
        self._stopping = False
        self._busy: Counter[AccountName] = Counter()
        self._rests: dict[AccountName, datetime] = {}
        self._slowed: dict[AccountName, datetime] = {}
        self._failing: Counter[AccountName] = Counter()
        self._strangers: frozenset[AccountName] = frozenset()
        self._recover_at: datetime | None = None

    # ----- from outside ------------------------------------------------------------------------

    def heard(self, events: Sequence[Logged]) -> None:
        """Listen to what was committed, here or elsewhere."""
        if any(each.event.kind == "reply_queued" for each in events):
            self.wake()

    def wake(self) -> None:
        """Look into the outbox now."""
        self._some.set()

    def stop(self) -> None:
        """Finish what has been begun and begin nothing more; `run` returns after that."""
        self._stopping = True
        self._courier.stop()
        self._some.set()

    def resume(self, account: AccountName) -> None:
        """Let an account that rests send again: somebody has put it right."""
        self._rests.pop(account, None)
        self._slowed.pop(account, None)
        self.wake()

    @property
    def resting(self) -> Mapping[AccountName, datetime]:
        """Return the accounts to which nothing is sent now, and until when.

        Their platform refuses them, or lets nothing through.
        """
        now, both = self._clock.now(), (*self._slowed.items(), *self._rests.items())
        return {account: until for account, until in both if until > now}

    # ----- the loop ----------------------------------------------------------------------------

    async def run(self) -> None:
        """Send until stopped."""
        async with asyncio.TaskGroup() as tasks:
            while not self._stopping:
                self._some.clear()
                rest = await self._round(tasks)
                await self._sleep(rest)

    async def _sleep(self, rest: timedelta) -> None:
        if self._stopping:
            return
        try:
            async with asyncio.timeout(max(rest, _SHORTEST).total_seconds()):
                await self._some.wait()
        except TimeoutError:
            return

    async def _round(self, tasks: asyncio.TaskGroup) -> timedelta:
        """Claim and begin; return how long there is nothing to do."""
        try:
            await self._recover()
            claimed = await self._claim()
        except StoreUnavailable:
            log.warning("outbox_not_reached")
            return self._settings.poll
        except Exception:  # the task that must survive
            log.exception("outbox_round_failed")
            return self._settings.poll
        for row in claimed.rows:
            self._busy[row.account] += 1
            tasks.create_task(self._one(row), name=f"send {row.id}")
        return self._until_next(claimed.due)

    async def _claim(self) -> delivery.Claimed:
        now = self._clock.now()
        resting = self.resting
        rooms = {
            account: room
            for account in (*self._accounts, *self._strangers)
            if account not in resting and (room := self._room(account)) > 0
        }
        return await self._store.transact(
            delivery.claim,
            by=f"{self._name}/{self._ids.new()}",
            now=now,
            until=now + self._settings.claim,
            rooms=rooms,
        )

    def _room(self, account: AccountName) -> int:
        return self._settings.at_once - self._busy[account]

    async def _recover(self) -> None:
        """Now and then take up what daemons that died have left behind."""
        now = self._clock.now()
        if self._recover_at is not None and now < self._recover_at:
            return
        self._recover_at = now + self._settings.poll
        repeatable = frozenset(
            name
            for name, account in self._accounts.items()
            if account.channel.capabilities.idempotent_sends
        )
        self._strangers = await self._store.read(
            delivery.unclaimable, accounts=self._accounts.keys()
        )
        taken_up = await self._store.transact(delivery.recover, now=now, repeatable=repeatable)
        for row, state in taken_up:
            tell = log.warning if state is OutboxState.IN_DOUBT else log.info
            tell("call_recovered", account=row.account, call=row.id, state=state.value)

    def _until_next(self, due: Mapping[AccountName, datetime]) -> timedelta:
        """Return the time until a row is due, or an account has rested."""
        now = self._clock.now()
        starts = (*due.values(), *self.resting.values())
        return min([self._settings.poll, *(start - now for start in starts)])

    async def _one(self, row: OutboxRow) -> None:
        """Deliver one row; whatever goes wrong with it stays with it."""
        try:
            hindered = await self._courier.deliver(row)
            if isinstance(hindered, Refused) and hindered.reason in delivery.OURS:
                await self._rest(row.account, hindered.reason)
            self._breathe(row.account, hindered)
        except StoreUnavailable:
            log.warning("delivery_not_noted", account=row.account, call=row.id)
        except Exception as error:  # the task that must survive
            log.exception("delivery_broke", account=row.account, call=row.id)
            await self._fault(row, type(error).__name__)
        finally:
            self._busy[row.account] -= 1
            # A claim of one row costs as much as of many: what ends together makes room together.
            asyncio.get_running_loop().call_later(_SHORTEST.total_seconds(), self._some.set)

    async def _fault(self, row: OutboxRow, why: str) -> None:
        try:
            await self._courier.fault(row, why)
        except Exception:  # its claim runs out, then it is recovered
            log.exception("delivery_not_noted", account=row.account, call=row.id)

    async def _rest(self, account: AccountName, reason: Reason) -> None:
        """Leave the account alone for a while and tell the supervisors, once."""
        now = self._clock.now()
        if self._rests.get(account, now) > now:
            return
        until = now + self._settings.pause
        self._rests[account] = until
        log.error("account_rests", account=account, why=reason.value)
        await self._store.transact(
            delivery.account_refused, account, reason=reason, until=until, at=now
        )

    def _breathe(self, account: AccountName, hindered: Refused | Deferred | None) -> None:
        """Slow an account down when as many calls as it may make at once failed in a row.

        So an outage does not use up the attempts of all that waits, nor a quota its last calls.
        """
        if not isinstance(hindered, Deferred):
            self._failing[account] = 0
            return
        self._failing[account] += 1
        times, rest = divmod(self._failing[account], self._settings.at_once)
        if rest:
            return
        doubled = self._settings.first_wait * (1 << min(times, _MOST_DOUBLINGS))
        wait = min(hindered.retry_after or doubled, self._settings.pause)
        self._slowed[account] = self._clock.now() + wait
        log.warning("account_slowed", account=account, failed=self._failing[account])


def make_sender(
    *,
    store: Store,
    accounts: Mapping[AccountName, Account],
    http: Http,
    tokens: Tokens,
    asker: Asker,
    clock: Clock,
    ids: Ids,
    name: str,
    settings: TransportSettings,
    push: PushPort | None = None,
    publish: PublishPort | None = None,
    mail: MailPort | None = None,
    wait: Wait = asyncio.sleep,
) -> Sender:
    """Put a sender together from what the daemon has."""
    courier = Courier(
        store=store,
        accounts=accounts,
        carrier=Carrier(http=http, push=push, publish=publish, mail=mail),
        tokens=tokens,
        uploads=Uploads(store=store, asker=asker, settings=settings),
        clock=clock,
        ids=ids,
        settings=settings,
        wait=wait,
    )
    return Sender(
        store=store,
        accounts=accounts,
        courier=courier,
        clock=clock,
        ids=ids,
        name=name,
        settings=settings,
    )
