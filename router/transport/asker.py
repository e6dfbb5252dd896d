"""Calls that ask a platform for something and can be repeated: uploads, downloads, look-ups."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from router.channel.accounts import Account
from router.channel.contract import (
    Accepted,
    Deferred,
    HttpCall,
    Moment,
    Reason,
    Refused,
    Reply,
    TokenExpired,
)
from router.service.ports import Clock, Ids
from router.transport.http import Doubtful, Http, NotSent
from router.transport.tokens import Tokens

T = TypeVar("T")
ENTROPY = 16


class Asker:
    """Signs, carries and reads; renews a token once."""

    def __init__(self, *, http: Http, tokens: Tokens, clock: Clock, ids: Ids) -> None:
        self._http, self._tokens = http, tokens
        self._clock, self._ids = clock, ids

    def moment(self) -> Moment:
        """Return what an adapter may borrow from the world now."""
        return Moment(now=self._clock.now(), entropy=self._ids.entropy(ENTROPY))

    def now(self) -> datetime:
        return self._clock.now()

    async def ask(
        self,
        account: Account,
        call: HttpCall,
        read: Callable[[Reply], T | Accepted | Deferred | Refused | TokenExpired],
        *,
        most: int | None = None,
    ) -> T | Accepted | Deferred | Refused:
        """Return what ``read`` makes of the answer; a failure of the network is `Deferred`.

        ``call`` is signed here. ``most`` is the largest answer in bytes, if not the usual.
        """
        for last in (False, True):
            token = await self._tokens.token(account)
            if isinstance(token, Deferred | Refused):
                return token
            signed = account.adapter.sign(call, token=token, moment=self.moment())
            carry = self._http.get if call.method == "GET" else self._http.carry
            try:
                reply = await carry(signed, most=most)
            except (NotSent, Doubtful) as error:
                return Deferred(why=str(error))
            found = read(reply)
            if not isinstance(found, TokenExpired):
                return found
            if token is not None:
                await self._tokens.forget(account, token)
            if last or token is None:
                return Refused(reason=Reason.CREDENTIALS, why=found.why)
        raise AssertionError("unreachable")
