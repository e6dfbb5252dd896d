"""Calls that an adapter wants made once a delivery is committed; nobody waits for their answers."""

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from router.channel.accounts import Account
from router.channel.contract import Accepted, Call, Deferred, HttpCall, Outcome, Refused, Reply
from router.domain.ids import AccountName
from router.transport.asker import Asker
from router.transport.carrier import Carrier
from router.transport.http import Doubtful, NotSent

log = structlog.get_logger()

#: More calls than this do not wait; they are courtesies, and what must not be lost is in the store.
_MOST = 1000


class Afterwards:
    """An owned task that makes such calls, one after the other."""

    def __init__(
        self, *, accounts: Mapping[AccountName, Account], asker: Asker, carrier: Carrier
    ) -> None:
        self._accounts, self._asker, self._carrier = accounts, asker, carrier
        self._calls: asyncio.Queue[tuple[AccountName, Call]] = asyncio.Queue(_MOST)

    def after(self, account: AccountName, calls: Sequence[Call]) -> None:
        """Have ``calls`` made soon; one that finds no room is logged and left out."""
        for call in calls:
            try:
                self._calls.put_nowait((account, call))
            except asyncio.QueueFull:
                log.warning("call_left_out", account=account)

    async def run(self) -> None:
        """Make calls until cancelled."""
        while True:
            name, call = await self._calls.get()
            try:
                outcome = await self._make(self._accounts[name], call)
            except Exception:  # the task that must survive
                log.exception("call_broke", account=name)
            else:
                log.info("call_made", account=name, outcome=type(outcome).__name__.lower())
            finally:
                self._calls.task_done()

    async def idle(self) -> None:
        """Wait until every call that was asked for is made."""
        await self._calls.join()

    async def _make(self, account: Account, call: Call) -> Accepted | Deferred | Refused:
        if not isinstance(call, HttpCall):
            try:
                reply = await self._carrier.carry(account.name, call)
            except (NotSent, Doubtful) as error:
                return Deferred(why=str(error))
            outcome: Accepted | Deferred | Refused = account.adapter.interpret(call, reply)
            return outcome

        def read(reply: Reply) -> Outcome:
            said: Outcome = account.adapter.interpret(call, reply)
            return said

        found: Accepted | Deferred | Refused = await self._asker.ask(account, call, read)
        return found
