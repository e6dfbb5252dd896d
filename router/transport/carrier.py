"""Carries a call of any kind: HTTP to a platform, a push to our sockets, a publish, a mail."""

from collections.abc import Awaitable, Callable
from typing import assert_never

from router.channel.contract import Call, HttpCall, MailCall, Publish, Push, Reply
from router.domain.ids import AccountName
from router.transport.http import Http

#: Pushes a frame to the sockets of one person on one account; `router.web.chat` fulfils it.
PushPort = Callable[[AccountName, Push], Awaitable[Reply]]
#: Publishes on the broker of an account.
PublishPort = Callable[[AccountName, Publish], Awaitable[Reply]]
#: Hands a mail to its server.
MailPort = Callable[[MailCall], Awaitable[Reply]]


class NoWay(Exception):
    """Nothing here carries calls of this kind; nothing has left."""


class Carrier:
    """Sends each call the way its kind wants."""

    def __init__(
        self,
        *,
        http: Http,
        push: PushPort | None = None,
        publish: PublishPort | None = None,
        mail: MailPort | None = None,
    ) -> None:
        self._http, self._push, self._publish, self._mail = http, push, publish, mail

    async def carry(self, account: AccountName, call: Call) -> Reply:
        """Return the answer to ``call``.

        Raises `NoWay` if nothing here carries it, `NotSent` or `Doubtful` as `Http.carry` does.
        """
        match call:
            case HttpCall():
                return await self._http.carry(call)
            case Push():
                if self._push is None:
                    raise NoWay("no web chat runs here")
                return await self._push(account, call)
            case Publish():
                if self._publish is None:
                    raise NoWay("no broker is configured for this account")
                return await self._publish(account, call)
            case MailCall():
                if self._mail is None:
                    raise NoWay("nothing here sends mails")
                return await self._mail(call)
            case _ as never:
                assert_never(never)
