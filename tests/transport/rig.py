"""What the tests of the way out share: a shop with accounts, a sender, and how to wait for it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from adapters.wechat import CHANNEL as WECHAT
from adapters.weibo import CHANNEL as WEIBO
from router.channel.accounts import Account, open_account
from router.channel.contract import Capabilities
from router.domain.content import Content, Text
from router.domain.conversation import WithAgent
from router.domain.events import Logged
from router.domain.ids import AccountName, AgentId, ContactId, ConversationId, OutboxId, QueueName
from router.domain.timeline import Interaction
from router.service.records import Alert, OutboxRow, OutboxState
from router.service.reply import reply
from router.store.engine import SqlStore
from router.transport.asker import Asker
from router.transport.http import Http, open_http
from router.transport.sender import Sender, make_sender
from router.transport.settings import TransportSettings
from router.transport.tokens import Tokens
from tests.builders import a_contact, a_conversation, a_known_identity, an_agent, an_identity
from tests.support.fakes import CountingIds, FixedClock

PATIENCE = 20.0
SHOP, NEWS = AccountName("shop-wechat"), AccountName("shop-weibo")
AGENT = AgentId("agent-1")


def settings(folder: Path, **changes: Any) -> TransportSettings:
    """Return settings under which nothing waits long."""
    quick = TransportSettings(
        media=folder,
        private_links=True,
        connect=timedelta(seconds=10),
        total=timedelta(seconds=15),
        poll=timedelta(milliseconds=200),
        claim_margin=timedelta(seconds=10),
        token_poll=timedelta(milliseconds=5),
    )
    return replace(quick, **changes)


def wechat(url: str, *, name: AccountName = SHOP, **changes: Any) -> Account:
    """Return a WeChat account whose platform is at ``url``; ``changes`` are capabilities."""
    return open_account(
        replace(WECHAT, capabilities=replace(WECHAT.capabilities, **changes)),
        name=name,
        queue=QueueName("general"),
        settings={"token": "t", "appid": "wx1", "app_secret": "s", "api_base": url},
        path_secret="0123456789abcdef",
    )


def weibo(url: str) -> Account:
    """Return a Weibo account whose platform is at ``url``."""
    return open_account(
        WEIBO,
        name=NEWS,
        queue=QueueName("general"),
        settings={
            "app_secret": "s",
            "access_token": "weibo-token",
            "api_base": url,
            "media_base": url,
        },
        path_secret="0123456789abcdef",
    )


@dataclass(slots=True)
class Rig:
    """One daemon's way out."""

    store: SqlStore
    clock: FixedClock
    ids: CountingIds
    http: Http
    accounts: Mapping[AccountName, Account]
    settings: TransportSettings
    tokens: Tokens
    asker: Asker

    def sender(self, name: str = "daemon-1", **changes: Any) -> Sender:
        """Return a sender that hears what this store commits."""
        given: dict[str, Any] = {
            "store": self.store,
            "accounts": self.accounts,
            "http": self.http,
            "tokens": self.tokens,
            "asker": self.asker,
            "clock": self.clock,
            "ids": self.ids,
            "name": name,
            "settings": self.settings,
        }
        made = make_sender(**{**given, **changes})
        self.store.listen(made.heard)
        return made

    async def rows(self) -> dict[str, OutboxRow]:
        """Return the whole outbox by id."""
        return await self.store.read(_rows)

    async def row(self, of: str) -> OutboxRow:
        return (await self.rows())[of]

    async def said(self, of: str) -> Interaction:
        """Return an answer as it stands on the timeline."""
        return await self.store.read(lambda unit: unit.conversations.interaction(of))

    async def alerts(self) -> tuple[Alert, ...]:
        """Return what the agent and the supervisors are told."""
        return await self.store.read(
            lambda unit: unit.journal.alerts(AGENT, supervisor=True, limit=100)
        )

    async def until(self, holds: Callable[[dict[str, OutboxRow]], bool]) -> dict[str, OutboxRow]:
        """Wait for commits until ``holds`` of the outbox; return the outbox."""
        async with asyncio.timeout(PATIENCE), heard(self.store) as news:
            while True:
                rows = await self.rows()
                if holds(rows):
                    return rows
                with suppress(TimeoutError):  # what another process commits is not heard
                    async with asyncio.timeout(0.05):
                        await news.wait()
                news.clear()

    async def tried(self, row: str, times: int) -> dict[str, OutboxRow]:
        """Wait until a row was tried so often and waits for its next attempt."""
        return await self.until(lambda found: found[row].attempts == times)

    async def settled(self, *rows: str) -> dict[str, OutboxRow]:
        """Wait until these rows have come to an end, or all."""
        return await self.until(
            lambda found: all(found[each].settled_at for each in (rows or found))
        )


def _rows(unit: Any) -> dict[str, OutboxRow]:
    return {row.id: row for row in unit.outbox.listed(tuple(OutboxState), limit=1000)}


@asynccontextmanager
async def heard(store: SqlStore) -> AsyncIterator[asyncio.Event]:
    """Return what is set whenever the store has committed something."""
    news = asyncio.Event()

    def listener(_: Sequence[Logged]) -> None:
        news.set()

    store.listen(listener)
    yield news


@asynccontextmanager
async def a_rig(
    store: SqlStore,
    clock: FixedClock,
    ids: CountingIds,
    *,
    accounts: Sequence[Account],
    given: TransportSettings,
) -> AsyncIterator[Rig]:
    """Build the way out of one daemon."""
    async with open_http(given) as http:
        tokens = Tokens(store=store, http=http, clock=clock, name="daemon-1", settings=given)
        yield Rig(
            store=store,
            clock=clock,
            ids=ids,
            http=http,
            accounts={account.name: account for account in accounts},
            settings=given,
            tokens=tokens,
            asker=Asker(http=http, tokens=tokens, clock=clock, ids=ids),
        )


@asynccontextmanager
async def sending(sender: Sender) -> AsyncIterator[Sender]:
    """Run a sender until the end of the block."""
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(sender.run(), name="sender")
        try:
            yield sender
        finally:
            sender.stop()
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await asyncio.wait([running])
            running.cancel()


async def meet(
    store: SqlStore, person: str = "o-lin", *, account: AccountName = SHOP
) -> ConversationId:
    """Let somebody be in conversation with our agent."""
    return await store.transact(_meet, person, account)


def _meet(unit: Any, person: str, account: AccountName) -> ConversationId:
    at = unit.now()
    contact = ContactId(f"contact-{person}")
    unit.contacts.add(a_contact(contact))
    unit.contacts.attach(
        replace(
            a_known_identity(person),
            identity=replace(an_identity(person), account=account),
            contact=contact,
        )
    )
    if unit.workforce.by_login("agent-1") is None:
        unit.workforce.add(an_agent(), password_hash="x", must_change_password=False)
    met = a_conversation(
        f"with-{person}",
        contact=contact,
        external_id=person,
        account=account,
        state=WithAgent(agent=AGENT, since=at),
    )
    unit.conversations.add(met)
    return met.id


ANYTHING_GOES = Capabilities(replies=True)


async def say(
    rig: Rig, conversation: ConversationId, words: str | Content, *, key: str = ""
) -> OutboxId:
    """Answer in a conversation; return the answer's row."""
    content = Text(text=words) if isinstance(words, str) else words
    said = await rig.store.transact(
        reply,
        conversation=conversation,
        by=AGENT,
        content=content,
        capabilities=ANYTHING_GOES,
        at=rig.clock.now(),
        key=key,
    )
    return said.outbox
