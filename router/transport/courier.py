"""Takes one answer to its platform: uploads, encodes once, then call by call until it is settled.

Between the platform's yes and our note of it lies one commit. If its echo or receipt is quicker
than that, `service.intake` does not yet know the platform's id of our message: so nothing but that
commit is done first when a call is accepted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from time import perf_counter

import stamina
import structlog

from router.channel.accounts import Account
from router.channel.contract import (
    Accepted,
    Call,
    Deferred,
    HttpCall,
    Moment,
    Outcome,
    Reason,
    Refused,
    Reply,
    TokenExpired,
)
from router.domain.ids import AccountName
from router.service import delivery
from router.service.ports import Clock, Ids, Store, StoreUnavailable
from router.service.records import OutboxRow
from router.transport.asker import ENTROPY
from router.transport.carrier import Carrier, NoWay
from router.transport.http import Doubtful, NotSent
from router.transport.settings import TransportSettings
from router.transport.tokens import Tokens
from router.transport.uploads import Uploads
from router.transport.waits import Pace, Wait, backoff

log = structlog.get_logger()

_FAILED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """The call may have arrived; nobody knows."""

    why: str


@dataclass(frozen=True, slots=True)
class Lost:
    """Somebody else holds the row now; nothing was sent."""


class Courier:
    """Delivers rows that its daemon has claimed."""

    def __init__(
        self,
        *,
        store: Store,
        accounts: Mapping[AccountName, Account],
        carrier: Carrier,
        tokens: Tokens,
        uploads: Uploads,
        clock: Clock,
        ids: Ids,
        settings: TransportSettings,
        wait: Wait,
    ) -> None:
        self._store, self._accounts, self._carrier = store, accounts, carrier
        self._tokens, self._uploads = tokens, uploads
        self._clock, self._ids = clock, ids
        self._settings, self._wait = settings, wait
        self._paces: dict[AccountName, Pace] = {}
        self._stopping = False

    def stop(self) -> None:
        """Let the calls that are under way come to their end, and make no more."""
        self._stopping = True

    async def deliver(self, row: OutboxRow) -> Refused | Deferred | None:
        """Bring ``row`` as far as it goes now; return what stood in its way, if something did."""
        account = self._accounts.get(row.account)
        if account is None:
            gone = Refused(reason=Reason.ACCOUNT, why="no account of this name is configured")
            return await self._ends(row, gone)
        made = await self._encoded(account, row)
        if not isinstance(made, OutboxRow):
            return await self._ends(row, made)
        kept = bool(row.calls)
        for part in range(made.next_call, len(made.calls)):
            if self._stopping:
                await self._store.transact(delivery.released, row.id, by=row.claimed_by)
                return None
            outcome = await self._say(account, made, part, keep=not kept)
            kept = True
            if not isinstance(outcome, Accepted):
                return await self._ends(made, outcome)
            await self._accepted(made, part, outcome)
        return None

    async def fault(self, row: OutboxRow, why: str) -> None:
        """Something of ours broke: keep the row from being lost, doubled or tried for ever."""
        now = self._clock.now()
        await self._store.transact(
            delivery.faulted,
            row.id,
            by=row.claimed_by,
            until=now + self._backoff(row),
            most=self._settings.most_attempts,
            why=why,
            at=now,
        )

    # ----- saying it ---------------------------------------------------------------------------

    async def _encoded(self, account: Account, row: OutboxRow) -> OutboxRow | Deferred | Refused:
        """Return the row with its calls. They are made once, so that a later part stays the same.

        Calls that name an upload are kept at once; others when the first of them leaves.
        """
        if row.calls:
            return row
        if not account.channel.capabilities.replies:
            return Refused(reason=Reason.UNSUPPORTED, why="the channel takes no replies")
        message = await self._uploads.uploaded(account, row.message)
        if isinstance(message, Deferred | Refused):
            return message
        calls: tuple[Call, ...] | Refused = account.adapter.encode(message)
        if isinstance(calls, Refused):
            return calls
        if not calls:
            return Refused(reason=Reason.CONTENT, why="there is nothing in it to send")
        if message is not row.message:
            await self._store.transact(delivery.keep_calls, row.id, calls=calls)
        return replace(row, calls=calls)

    async def _say(
        self, account: Account, row: OutboxRow, part: int, *, keep: bool
    ) -> Outcome | Doubt | Lost:
        """Make one call, with a fresh token once if the platform wants one."""
        call = row.calls[part]
        for last in (False, True):
            token = await self._tokens.token(account)
            if isinstance(token, Deferred | Refused):
                return token
            await self._pace(account).turn()
            signed = account.adapter.sign(call, token=token, moment=self._moment())
            calls = row.calls if keep and not last else ()
            if not await self._departs(row, calls):
                return Lost()
            outcome = await self._carried(account, row, call, signed)
            if not isinstance(outcome, TokenExpired):
                return outcome
            if token is not None:
                await self._tokens.forget(account, token)
            if last or token is None:
                return Refused(reason=Reason.CREDENTIALS, why=outcome.why)
        raise AssertionError("unreachable")

    async def _departs(self, row: OutboxRow, calls: tuple[Call, ...]) -> bool:
        at = self._clock.now()
        return await self._store.transact(
            delivery.depart,
            row.id,
            by=row.claimed_by,
            until=at + self._settings.claim,
            at=at,
            calls=calls,
        )

    async def _carried(
        self, account: Account, row: OutboxRow, call: Call, signed: Call
    ) -> Outcome | Doubt:
        """Carry the signed call and say what came of it; logs its one line."""
        began = perf_counter()
        outcome: Outcome | Doubt
        try:
            reply = await self._carrier.carry(account.name, signed)
        except NotSent as error:
            outcome = Deferred(why=f"not reached: {error}")
        except NoWay as error:
            outcome = Refused(reason=Reason.ACCOUNT, why=str(error))
        except Doubtful as error:
            again = account.channel.capabilities.idempotent_sends
            why = f"no answer: {error}"
            outcome = Deferred(why=why) if again else Doubt(why=why)
        else:
            outcome = _sure(account, signed, reply, account.adapter.interpret(call, reply))
        log.info(
            "call_made",
            account=account.name,
            call=row.id,
            conversation=row.conversation,
            outcome=type(outcome).__name__.lower(),
            attempt=row.attempts + 1,
            took_ms=round((perf_counter() - began) * 1000),
        )
        return outcome

    # ----- what came of it ---------------------------------------------------------------------

    async def _accepted(self, row: OutboxRow, part: int, outcome: Accepted) -> None:
        """Note a yes. The database is asked again for a while: else the yes would become a doubt.

        Raises StoreUnavailable when it stays away.
        """
        async for attempt in stamina.retry_context(
            on=StoreUnavailable, attempts=None, timeout=self._settings.claim_margin / 2
        ):
            with attempt:
                await self._store.transact(
                    delivery.accepted,
                    row.id,
                    part=part,
                    parts=len(row.calls),
                    platform_id=outcome.external_id,
                    at=self._clock.now(),
                )

    async def _ends(
        self, row: OutboxRow, outcome: Outcome | Doubt | Lost
    ) -> Refused | Deferred | None:
        """Write down why ``row`` goes no further now."""
        facts = {"account": row.account, "call": row.id, "conversation": row.conversation}
        now = self._clock.now()
        match outcome:
            case Refused(reason=reason, why=why, code=code):
                words = " ".join(part for part in (code, why) if part)
                await self._store.transact(
                    delivery.refused, row.id, by=row.claimed_by, reason=reason, why=words, at=now
                )
                log.warning("call_refused", **facts, why=reason.value, code=code)
                return outcome
            case Doubt(why=why):
                await self._store.transact(
                    delivery.doubted, row.id, by=row.claimed_by, why=why, at=now
                )
                log.warning("call_in_doubt", **facts, why=why)
                return Deferred(why=why)  # others may wait until the platform is well again
            case Deferred():
                await self._defer(row, outcome)
                return outcome
            case Lost():
                log.warning("claim_lost", **facts)
            case Accepted() | TokenExpired():
                raise AssertionError("settled before")
        return None

    async def _defer(self, row: OutboxRow, outcome: Deferred) -> None:
        now, facts = self._clock.now(), {"account": row.account, "call": row.id}
        attempts = row.attempts + 1
        tired = attempts > 1 and now - row.created_at >= self._settings.oldest
        if tired or attempts >= self._settings.most_attempts:
            await self._store.transact(
                delivery.dead,
                row.id,
                by=row.claimed_by,
                why=outcome.why,
                reason="unreachable",
                at=now,
            )
            log.error("call_given_up", **facts, attempt=attempts, why=outcome.why)
            return
        wait = outcome.retry_after
        until = now + (self._backoff(row) if wait is None else wait)
        await self._store.transact(
            delivery.deferred, row.id, by=row.claimed_by, until=until, why=outcome.why
        )
        log.info("call_deferred", **facts, attempt=attempts, why=outcome.why)

    def _backoff(self, row: OutboxRow) -> timedelta:
        return backoff(
            row.attempts,
            first=self._settings.first_wait,
            longest=self._settings.longest_wait,
            chance=self._ids.entropy(4),
        )

    def _moment(self) -> Moment:
        return Moment(now=self._clock.now(), entropy=self._ids.entropy(ENTROPY))

    def _pace(self, account: Account) -> Pace:
        rate = account.channel.capabilities.sends_per_second
        return self._paces.setdefault(account.name, Pace(rate, wait=self._wait))


def _sure(account: Account, call: Call, reply: Reply, outcome: Outcome) -> Outcome | Doubt:
    """Return what came of a call, or that nobody knows and it must not be repeated by itself.

    A server that failed (5xx) may have failed after it had done what it was asked.
    """
    if not isinstance(outcome, Deferred) or account.channel.capabilities.idempotent_sends:
        return outcome
    failed = isinstance(call, HttpCall) and reply.status >= _FAILED
    return Doubt(why=outcome.why) if outcome.unsure or failed else outcome
