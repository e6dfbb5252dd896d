"""Puts the transport room together for the daemon: one session, one sender, and the chores."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from router.channel.accounts import Account
from router.channel.contract import Push, Reply
from router.domain.ids import AccountName
from router.service.ports import Clock, Ids, Store
from router.transport.asker import Asker
from router.transport.carrier import PushPort
from router.transport.http import open_http
from router.transport.sender import Sender, make_sender
from router.transport.settings import TransportSettings
from router.transport.tokens import Tokens


@dataclass(slots=True)
class LatePush:
    """The way to the sockets of web chat, which stands only once the web room is built."""

    port: PushPort | None = None

    async def __call__(self, account: AccountName, call: Push) -> Reply:
        """Push a frame; 503 as long as there are no sockets."""
        if self.port is None:
            return Reply(status=503, body=b"")
        return await self.port(account, call)


@dataclass(slots=True, kw_only=True)
class Transport:
    """The room as it stands: who sends, and how frames reach our sockets."""

    sender: Sender
    push: LatePush


@asynccontextmanager
async def open_transport(
    *,
    store: Store,
    accounts: Mapping[AccountName, Account],
    clock: Clock,
    ids: Ids,
    name: str,
    settings: TransportSettings,
) -> AsyncIterator[Transport]:
    """Open the one HTTP session and build what uses it, until the end of the block."""
    async with open_http(settings) as http:
        tokens = Tokens(store=store, http=http, clock=clock, name=name, settings=settings)
        asker = Asker(http=http, tokens=tokens, clock=clock, ids=ids)
        push = LatePush()
        sender = make_sender(
            store=store,
            accounts=accounts,
            http=http,
            tokens=tokens,
            asker=asker,
            clock=clock,
            ids=ids,
            name=name,
            settings=settings,
            push=push,
        )
        yield Transport(sender=sender, push=push)
