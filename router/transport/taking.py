"""Takes in what comes over a connection of ours: prove, read, commit; then it may be answered.

It does for publishes and stream frames what the web room does for webhooks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from router.channel.accounts import Account
from router.channel.contract import (
    Call,
    Decoded,
    Malformed,
    Moment,
    Presence,
    Request,
    Response,
    Unverified,
)
from router.domain.ids import AccountName
from router.service.accept import Intake
from router.service.arrivals import Delivery, source_of
from router.service.ports import Clock, Ids, Store
from router.service.records import RawDelivery
from router.service.unit import Unit
from router.transport.asker import ENTROPY

log = structlog.get_logger()

#: Has calls made after a commit.
After = Callable[[AccountName, Sequence[Call]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """Takes in for one account."""

    account: Account
    intake: Intake
    store: Store
    after: After
    clock: Clock
    ids: Ids

    def request(self, *, method: str, url: str, headers: dict[str, str], body: bytes) -> Request:
        """Return what came now as adapters see it."""
        moment = Moment(now=self.clock.now(), entropy=self.ids.entropy(ENTROPY))
        return Request(method=method, url=url, headers=headers, body=body, moment=moment)

    async def take(self, request: Request) -> tuple[Response | None, tuple[Call, ...]]:
        """Return the answer to what came, once it is committed, and the calls that it wants.

        What nobody has proven, and what cannot be read, is answered as the adapter says, or not
        at all; the latter is kept. Raises Busy or StoreUnavailable, and then nothing was promised.
        """
        adapter, name = self.account.adapter, self.account.name
        try:
            decoded: Decoded = adapter.decode(adapter.verify(request))
        except Unverified as error:
            log.warning("delivery_unverified", account=name, why=str(error))
            return None, ()
        except Malformed as error:
            await self._keep(request, str(error)[:500])
            return error.answer, ()
        except Exception as error:  # kept: it would come again for ever
            log.exception("delivery_failed", account=name)
            await self._keep(request, f"our fault: {type(error).__name__}")
            return None, ()
        await self._commit(request, decoded)
        return decoded.response, decoded.calls

    async def _commit(self, request: Request, decoded: Decoded) -> None:
        lasting = any(not isinstance(event, Presence) for event in decoded.events)
        delivery = Delivery(
            source=source_of(self.account),
            events=decoded.events,
            received_at=self.clock.now(),
            raw=self._raw(request, "taken") if lasting else None,
        )
        taken = await self.intake.accept(delivery)
        log.info(
            "delivery_taken_in",
            account=self.account.name,
            new=len(taken.added),
            known=taken.known,
            ignored=taken.ignored,
        )

    async def _keep(self, request: Request, why: str) -> None:
        raw = self._raw(request, "unreadable", why=why)
        await self.store.transact(_keep, raw)
        log.warning("delivery_unreadable", account=self.account.name, delivery=raw.id)

    def _raw(self, request: Request, state: str, *, why: str = "") -> RawDelivery:
        return RawDelivery(
            id=self.ids.new(),
            account=self.account.name,
            at=request.moment.now,
            state=state,
            method=request.method,
            url=request.url,
            headers=request.headers,
            body=request.body,
            why=why,
        )


def _keep(unit: Unit, raw: RawDelivery) -> None:
    unit.journal.keep_delivery(raw)
    unit.journal.count(raw.account, "unreadable")
