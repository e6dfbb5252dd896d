"""Asks platforms who somebody is, when a contact first begins a conversation; nobody waits for it.

A platform's union id may show that two contacts are one person, so it matters more than a name.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from router.channel.accounts import Account
from router.channel.contract import (
    Accepted,
    Deferred,
    Identified,
    LooksUpProfile,
    Reason,
    Refused,
    Reply,
    TokenExpired,
)
from router.domain.events import Logged
from router.domain.identity import Identity
from router.domain.ids import AccountName, ConversationId
from router.domain.policy import ShopPolicy
from router.service import delivery, profile
from router.service.ports import Clock, Ids, Store
from router.transport.asker import Asker
from router.transport.settings import TransportSettings
from router.transport.waits import backoff

log = structlog.get_logger()

_BATCH = 32
#: More than this is not kept in mind; the open conversations are looked through instead.
_MOST_HEARD = 4096


def wakes(event: Logged) -> bool:
    """Return whether ``event`` may have brought somebody new."""
    return event.event.kind == "conversation_opened"


class Profiles:
    """The work of the duty ``profiles``. It is told of commits by `heard` as well."""

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
        self._store, self._asker, self._policy = store, asker, policy
        self._clock, self._ids, self._settings = clock, ids, settings
        self._accounts = {
            name: account
            for name, account in accounts.items()
            if isinstance(account.adapter, LooksUpProfile)
        }
        self._heard: dict[ConversationId, None] = {}
        self._look_through = True  # what began before we heard of it
        self._waiting: dict[Identity, tuple[int, datetime]] = {}

    def heard(self, events: Sequence[Logged]) -> None:
        """Keep in mind which conversations began."""
        for each in events:
            if wakes(each) and each.event.conversation is not None:
                self._heard[each.event.conversation] = None
        if len(self._heard) > _MOST_HEARD:
            self._heard.clear()
            self._look_through = True

    async def work(self) -> timedelta:
        """Ask about a few people; return how long there is nothing to do, at the most."""
        people = await self._people()
        now, room = self._clock.now(), asyncio.Semaphore(self._settings.chores_at_once)
        due = [each for each in people if self._waiting.get(each, (0, now))[1] <= now]
        async with asyncio.TaskGroup() as tasks:
            for each in due:
                tasks.create_task(self._one(each, room), name="profile")
        if self._heard:
            return timedelta(0)
        later = [until - self._clock.now() for _, until in self._waiting.values()]
        return min([self._settings.poll, *later])

    async def _people(self) -> list[Identity]:
        """Return whom to ask about: those who wait for another attempt, and the next new ones."""
        if not self._accounts:
            self._heard.clear()
            return []
        if self._look_through:
            found = await self._store.read(profile.open_now, accounts=self._accounts.keys())
            self._heard.update(dict.fromkeys(found))
            self._look_through = False
        batch = list(self._heard)[:_BATCH]
        for each in batch:
            del self._heard[each]
        new = await self._store.read(
            profile.unasked, conversations=batch, accounts=self._accounts.keys()
        )
        return [*self._waiting, *(each for each in new if each not in self._waiting)]

    async def _one(self, identity: Identity, room: asyncio.Semaphore) -> None:
        async with room:
            try:
                found = await self._ask(identity)
            except Exception as error:  # what one adapter does is no other's trouble
                log.exception("profile_failed", account=identity.account)
                found = Deferred(why=type(error).__name__)
            await self._settle(identity, found)

    async def _ask(self, identity: Identity) -> Identified | Deferred | Refused:
        account = self._accounts[identity.account]
        adapter: LooksUpProfile = account.adapter
        external_id = identity.external_id
        call = adapter.profile_call(external_id)
        if call is None:
            return _nothing()

        def read(reply: Reply) -> Identified | Accepted | Deferred | Refused | TokenExpired:
            return adapter.read_profile(external_id, reply, now=self._clock.now())

        found: Identified | Accepted | Deferred | Refused = await self._asker.ask(
            account, call, read
        )
        return _nothing() if isinstance(found, Accepted) else found

    async def _settle(self, identity: Identity, found: Identified | Deferred | Refused) -> None:
        now, ours = self._clock.now(), isinstance(found, Refused) and found.reason in delivery.OURS
        if isinstance(found, Identified):
            self._waiting.pop(identity, None)
            await self._store.transact(
                profile.learnt, identity, found=found, policy=self._policy, at=now
            )
            log.info("profile_learnt", account=identity.account, claims=len(found.claims))
            return
        attempts = self._waiting.get(identity, (0, now))[0] + 1
        if isinstance(found, Deferred) and attempts < self._settings.chore_attempts:
            self._waiting[identity] = (attempts, now + (found.retry_after or self._wait(attempts)))
            return
        self._waiting.pop(identity, None)
        if not ours and not isinstance(found, Deferred):
            await self._store.transact(profile.without_profile, identity, at=now)
        log.warning("profile_refused", account=identity.account, why=found.why)

    def _wait(self, attempts: int) -> timedelta:
        return backoff(
            attempts,
            first=self._settings.first_wait,
            longest=self._settings.longest_wait,
            chance=self._ids.entropy(4),
        )


def _nothing() -> Refused:
    return Refused(reason=Reason.RECIPIENT, why="there is no profile to look up")
