"""Pulls what bells have announced, page by page, one account beside the other."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from router.channel.accounts import Account
from router.channel.contract import (
    Accepted,
    Bell,
    Deferred,
    Malformed,
    Pulled,
    Pulls,
    Refused,
    Reply,
    TokenExpired,
)
from router.domain.ids import AccountName
from router.domain.policy import ShopPolicy
from router.service import pull
from router.service.arrivals import source_of
from router.service.enclosed import keep_enclosed
from router.service.ports import Clock, Ids, Store
from router.service.pull import Ringing
from router.service.records import RawDelivery
from router.transport.asker import Asker
from router.transport.settings import TransportSettings
from router.transport.waits import backoff

log = structlog.get_logger()

#: Pages of one bell in a row; the others then have their turn.
_MOST_PAGES = 50


class Unreadable(Exception):
    """The adapter could not read the page; ``reply`` is what came."""

    def __init__(self, why: str, reply: Reply) -> None:
        super().__init__(why)
        self.reply = reply


class Puller:
    """The work of the duty ``pull``. Whoever hears a bell committed wakes the duty."""

    def __init__(
        self,
        *,
        store: Store,
        accounts: Mapping[AccountName, Account],
        asker: Asker,
        policy: ShopPolicy,
        clock: Clock,
        ids: Ids,
        settings: TransportSettings,
    ) -> None:
        self._store, self._accounts, self._asker = store, accounts, asker
        self._policy, self._clock, self._ids = policy, clock, ids
        self._settings = settings
        self._failed: dict[tuple[AccountName, str], tuple[int, datetime]] = {}

    async def work(self) -> timedelta:
        """Pull what rings; return how long there is nothing to do, at the most."""
        now = self._clock.now()
        rings = await self._store.read(pull.ringing)
        still = {_key(bell) for bell in rings}
        self._failed = {key: each for key, each in self._failed.items() if key in still}
        bells = [
            bell
            for bell in rings
            if bell.account in self._accounts and self._not_before(bell) <= now
        ]
        room = asyncio.Semaphore(self._settings.chores_at_once)
        async with asyncio.TaskGroup() as tasks:
            for bell in bells:
                tasks.create_task(self._one(bell, room), name=f"pull {bell.account}")
        later = [until - self._clock.now() for _, until in self._failed.values()]
        return min([self._settings.poll, *later])

    def _not_before(self, bell: Ringing) -> datetime:
        return self._failed.get(_key(bell), (0, self._clock.now()))[1]

    async def _one(self, bell: Ringing, room: asyncio.Semaphore) -> None:
        async with room:
            try:
                await self._pages(bell)
            except Unreadable as error:
                await self._keep(bell, error)
                self._fail(bell, f"unreadable: {error}", None)
            except Exception as error:  # one account's trouble is its own
                log.exception("pull_failed", account=bell.account)
                self._fail(bell, type(error).__name__, None)

    async def _pages(self, bell: Ringing) -> None:
        account = self._accounts[bell.account]
        for _ in range(_MOST_PAGES):
            page = await self._page(account, bell)
            if not isinstance(page, Pulled):
                wait = page.retry_after if isinstance(page, Deferred) else None
                self._fail(bell, page.why, wait)
                return
            more = await self._store.transact(
                pull.take_page,
                source=source_of(account),
                bell=bell,
                page=page,
                files=await keep_enclosed(
                    page.files,
                    account=account.name,
                    folder=self._settings.media,
                    at=self._clock.now(),
                    most=self._settings.most_media,
                ),
                policy=self._policy,
                at=self._clock.now(),
            )
            self._failed.pop(_key(bell), None)
            log.info("page_pulled", account=bell.account, events=len(page.events), more=more)
            again = await self._still(bell) if more else None
            if again is None:
                return
            bell = again

    async def _still(self, bell: Ringing) -> Ringing | None:
        rings = await self._store.read(pull.ringing)
        return next((each for each in rings if _key(each) == _key(bell)), None)

    async def _page(self, account: Account, bell: Ringing) -> Pulled | Deferred | Refused:
        adapter = account.adapter
        if not isinstance(adapter, Pulls):
            return Deferred(why="this channel pulls nothing")
        rung = Bell(cursor_key=bell.key, hint=bell.hint, cursor=bell.cursor)

        def read(reply: Reply) -> Pulled | Accepted | Deferred | Refused | TokenExpired:
            try:
                return adapter.read_pull(rung, reply)
            except Malformed as error:
                raise Unreadable(str(error), reply) from error

        call = adapter.pull_call(rung, cursor=bell.cursor)
        page: Pulled | Accepted | Deferred | Refused = await self._asker.ask(account, call, read)
        return Deferred(why="the answer held no page") if isinstance(page, Accepted) else page

    def _fail(self, bell: Ringing, why: str, wait: timedelta | None) -> None:
        attempts = self._failed.get(_key(bell), (0, self._clock.now()))[0]
        chosen = backoff(
            attempts,
            first=self._settings.first_wait,
            longest=self._settings.longest_wait,
            chance=self._ids.entropy(4),
        )
        self._failed[_key(bell)] = (attempts + 1, self._clock.now() + (wait or chosen))
        log.warning("pull_deferred", account=bell.account, why=why, attempt=attempts + 1)

    async def _keep(self, bell: Ringing, error: Unreadable) -> None:
        """Keep the first page that could not be read; the same one comes again and again."""
        if _key(bell) in self._failed:
            return
        raw = RawDelivery(
            id=self._ids.new(),
            account=bell.account,
            at=self._clock.now(),
            state="unreadable",
            method="PULL",
            url=bell.key,
            headers={},
            body=error.reply.body,
            why=str(error),
        )
        await self._store.transact(pull.keep_unreadable, raw)


def _key(bell: Ringing) -> tuple[AccountName, str]:
    return bell.account, bell.key
