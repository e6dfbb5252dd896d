"""The platforms' access tokens: kept in the store, renewed by one daemon at a time, unlogged."""

import asyncio
from datetime import datetime, timedelta

import structlog

from router.channel.accounts import Account
from router.channel.contract import Deferred, GrantsToken, Refused, Token
from router.domain.ids import AccountName
from router.service.ports import Clock, Store
from router.service.unit import Unit
from router.transport.http import Doubtful, Http, NotSent
from router.transport.settings import TransportSettings
from router.transport.waits import Wait

log = structlog.get_logger()


class Tokens:
    """Gives out tokens. Two that ask for one account at once cause one renewal."""

    def __init__(
        self,
        *,
        store: Store,
        http: Http,
        clock: Clock,
        name: str,
        settings: TransportSettings,
        wait: Wait = asyncio.sleep,
    ) -> None:
        self._store, self._http, self._clock, self._name = store, http, clock, name
        self._settings, self._wait = settings, wait
        self._known: dict[AccountName, Token] = {}
        self._failed: dict[AccountName, tuple[datetime, Deferred | Refused]] = {}
        self._locks: dict[AccountName, asyncio.Lock] = {}

    async def token(self, account: Account) -> Token | Deferred | Refused | None:
        """Return a token that is good now, None for platforms without, or why there is none.

        A platform that gave none is asked again after a moment, however many want one meanwhile.
        """
        if not isinstance(account.adapter, GrantsToken):
            return None
        async with self._locks.setdefault(account.name, asyncio.Lock()):
            known = self._known.get(account.name)
            if known is not None and self._lasts(known):
                return known
            if (why := self._why_not(account.name)) is not None:
                return why
            found = await self._renewed(account, account.adapter)
            if isinstance(found, Token):
                self._known[account.name] = found
                self._failed.pop(account.name, None)
            else:
                self._failed[account.name] = (self._clock.now(), found)
            return found

    def _why_not(self, account: AccountName) -> Deferred | Refused | None:
        """Return why there was no token a moment ago."""
        if account not in self._failed:
            return None
        at, why = self._failed[account]
        ago = self._clock.now() - at
        return why if timedelta(0) <= ago < self._settings.first_wait else None

    async def forget(self, account: Account, token: Token) -> None:
        """The platform says that ``token`` is over; a newer one of another daemon is kept."""
        known = self._known.get(account.name)
        if known is not None and known.value == token.value:
            del self._known[account.name]
        await self._store.transact(_forget, account.name, token)

    def _lasts(self, token: Token) -> bool:
        return token.expires_at - self._settings.token_margin > self._clock.now()

    async def _renewed(self, account: Account, grants: GrantsToken) -> Token | Deferred | Refused:
        """Return the token that the store has, or fetch one while no other daemon does."""
        lease = f"token:{account.name}"
        rounds = max(1, round(self._settings.claim / self._settings.token_poll))
        for _ in range(rounds):
            now = self._clock.now()
            until = now + self._settings.claim
            kept, ours = await self._store.transact(
                _kept_or_lease, account.name, lease, holder=self._name, now=now, until=until
            )
            if kept is not None and self._lasts(kept):
                if ours:
                    await self._store.transact(_release, lease, holder=self._name)
                return kept
            if ours:
                return await self._fetch(account, grants, lease)
            await self._wait(self._settings.token_poll.total_seconds())
        return Deferred(why="another daemon renews the token and has not finished")

    async def _fetch(
        self, account: Account, grants: GrantsToken, lease: str
    ) -> Token | Deferred | Refused:
        try:
            reply = await self._http.carry(grants.token_call())
        except (NotSent, Doubtful) as error:
            read: Token | Deferred | Refused = Deferred(why=f"token: {error}")
        else:
            read = grants.read_token(reply, now=self._clock.now())
        if isinstance(read, Token):
            await self._store.transact(_keep, account.name, read, lease, holder=self._name)
            log.info("token_renewed", account=account.name, expires_at=_shown(read.expires_at))
        else:
            await self._store.transact(_release, lease, holder=self._name)
            log.warning("token_not_renewed", account=account.name, why=read.why)
        return read


def _shown(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _kept_or_lease(
    unit: Unit, account: AccountName, lease: str, *, holder: str, now: datetime, until: datetime
) -> tuple[Token | None, bool]:
    ours = unit.journal.lease(lease, holder=holder, now=now, until=until)
    return unit.outbox.token(account), ours is not None


def _keep(unit: Unit, account: AccountName, token: Token, lease: str, *, holder: str) -> None:
    unit.outbox.keep_token(account, token)
    unit.journal.release_lease(lease, holder=holder)


def _release(unit: Unit, lease: str, *, holder: str) -> None:
    unit.journal.release_lease(lease, holder=holder)


def _forget(unit: Unit, account: AccountName, token: Token) -> None:
    kept = unit.outbox.token(account)
    if kept is not None and kept.value == token.value:
        unit.outbox.keep_token(account, None)
