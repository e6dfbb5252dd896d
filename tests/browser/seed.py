"""A furniture shop on a real store behind the real application, with customers as wanted."""

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from aiohttp import web
from argon2 import PasswordHasher

from router.channel.accounts import Account, open_account
from router.channel.contract import CallEnded, Event, Received, Speaker, Turn
from router.channel.registry import channels
from router.domain.content import Text
from router.domain.conversation import Offered
from router.domain.identity import Claim, ClaimKind
from router.domain.ids import (
    AccountName,
    AgentId,
    ConversationId,
    QueueName,
    ReservationId,
    Skill,
)
from router.domain.policy import ShopPolicy
from router.domain.workforce import Agent, Presence, Role
from router.readers.small import Small
from router.service.accept import Intake
from router.service.arrivals import Delivery, Source
from router.service.desk import accept
from router.service.dispatch import Dispatcher
from router.service.intake import take_in
from router.service.library import Library
from router.service.reading import meant, take_note, unread_runs
from router.service.unit import Unit
from router.settings.load import load
from router.sim.jobs import Jobs
from router.store.engine import SqlStore, open_store
from router.understanding.grouping import near
from router.understanding.reader import RuleReader
from router.understanding.retrieval import Retrieval
from router.web.app import build_app
from router.web.deps import Deps, WebSettings
from router.web.live import HUB, Hub

PASSWORD = "sofa-lamp-table"
CHAT, WEIBO, PHONE, WECHAT, PAGE = (
    AccountName(name)
    for name in ("spruce-chat", "spruce-weibo", "hotline", "spruce-wechat", "spruce-page")
)
ANGRY = "你们的沙发送来就是坏的，打了三次电话没人管，我要投诉！"
ANGRIER = "说好三天换货，现在一个星期了还没人联系我，骗子，再不处理我就打12315"
NUMBER = "+8613800138000"

_ACCOUNTS: Mapping[AccountName, tuple[str, dict[str, str]]] = {
    CHAT: ("webchat", {"site": "spruce", "secret": "not-a-secret-of-any-real-shop-0001"}),
    WECHAT: ("wechat", {"token": "t", "appid": "wx0", "app_secret": "s"}),
    WEIBO: ("weibo", {"app_secret": "s", "access_token": "t"}),
    PHONE: ("transcript", {"api_key": "k"}),
    PAGE: ("messenger", {"app_secret": "s", "verify_token": "v", "access_token": "t"}),
}


@dataclass
class RunningClock:
    """The machine's clock, moved by as much as wanted."""

    ahead: timedelta = timedelta(0)

    def now(self) -> datetime:
        """Return the moved time."""
        return datetime.now(UTC) + self.ahead  # noqa: TID251  pages tick by the machine's clock


@dataclass
class Numbers:
    """Ids in order."""

    last: int = 0

    def new(self) -> str:
        """Return the next."""
        self.last += 1
        return f"{self.last:08d}"

    def entropy(self, size: int) -> bytes:
        """Return bytes that differ from call to call."""
        return (self.new().encode() * size)[-size:]


@dataclass
class Shop:
    """The services of a shop, driven step by step, and the address of its pages."""

    store: SqlStore
    clock: RunningClock
    ids: Numbers
    policy: ShopPolicy
    accounts: Mapping[AccountName, Account]
    dispatcher: Dispatcher
    library: Library
    hub: Hub
    url: str = ""
    reader: Small = field(default_factory=partial(Small, RuleReader()))

    async def deliver(self, account: AccountName, *events: Event) -> tuple[ConversationId, ...]:
        """Take in what came on an account; return the conversations it belongs to."""
        held = self.accounts[account]
        source = Source(
            account=account,
            channel=held.channel.name,  # type: ignore[arg-type]
            family=held.channel.family,
            queue=held.queue,
            capabilities=held.channel.capabilities,
        )
        delivery = Delivery(source=source, events=events, received_at=self.clock.now())
        taken = await self.store.transact(take_in, delivery, self.policy)
        return taken.conversations

    async def hear(
        self,
        account: AccountName,
        sender: str,
        words: str,
        *,
        name: str = "",
        phone: str = "",
        ago: timedelta = timedelta(0),
    ) -> ConversationId:
        """Take in one message; ``ago`` lets it have come earlier."""
        claims = (phone_claim(phone),) if phone else ()
        self.clock.ahead -= ago
        received = Received(
            external_id=f"m{self.ids.new()}",
            sender=sender,
            sender_name=name,
            at=self.clock.now(),
            content=Text(text=words),
            claims=claims,
            opens_window="message",
        )
        (conversation,) = await self.deliver(account, received)
        self.clock.ahead += ago
        return conversation

    async def call(self, number: str, words: str, *, ago: timedelta) -> ConversationId:
        """Take in a phone call in which the customer said ``words``; nobody has to call back."""
        call, claims = f"call{self.ids.new()}", (phone_claim(number),)
        self.clock.ahead -= ago
        at = self.clock.now()
        turn = Turn(
            external_id=f"{call}:1",
            call=call,
            sender=number,
            at=at,
            offset=timedelta(0),
            by=Speaker.CONTACT,
            text=words,
            claims=claims,
        )
        ended = CallEnded(external_id=f"{call}:end", call=call, sender=number, at=at, claims=claims)
        conversation, *_same = await self.deliver(PHONE, turn, ended)
        await self.read()
        self.clock.ahead += ago
        return conversation

    async def read(self) -> None:
        """Let the reader understand all that is unread."""
        while found := await self.store.read(unread_runs, limit=50):
            understood = tuple(
                meant(said, heard, answerable=False)
                for each in found
                for said, heard in zip(each.said, self.reader.hear(each.run), strict=True)
            )
            await self.store.transact(
                take_note, understood, policy=self.policy, at=self.clock.now()
            )

    async def route(self) -> None:
        """Read everything and make the offers that can be made."""
        await self.read()
        await self.dispatcher.once()

    async def staff(self, name: str, shown: str = "", **changes: object) -> AgentId:
        """Bring in an agent whose login is ``name`` and whose password is `PASSWORD`."""
        agent = Agent(
            id=AgentId(name),
            login=name,
            name=shown or name.title(),
            role=Role.AGENT,
            skills={Skill(name): 3 for name in self.policy.skills},
            families=frozenset(),
            languages=frozenset(),
            capacity=1.0,
            presence=Presence.AVAILABLE,
            presence_since=self.clock.now(),
            active=True,
        )
        agent = replace(agent, **changes)  # type: ignore[arg-type]
        await self.store.transact(_add, agent)
        return agent.id

    async def accept_all(self, agent: AgentId) -> int:
        """Let an agent accept whatever is offered; return how many that were."""
        held = await self.store.read(_offers, agent)
        for reservation in held:
            await self.store.transact(
                accept, reservation=reservation, by=agent, at=self.clock.now()
            )
        return len(held)


#: One hash for everybody: Argon2 is slow on purpose.
def _hash() -> str:
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


def _add(unit: Unit, agent: Agent) -> None:
    unit.workforce.add(agent, password_hash=_hash(), must_change_password=False)


def _offers(unit: Unit, agent: AgentId) -> tuple[ReservationId, ...]:
    states = (each.state for each in unit.conversations.held_by(agent))
    return tuple(state.reservation for state in states if isinstance(state, Offered))


def phone_claim(number: str) -> Claim:
    """Return the claim that a phone number is somebody's, proven."""
    return Claim(kind=ClaimKind.PHONE, value=number, verified=True, source="caller_id")


def open_accounts() -> dict[AccountName, Account]:
    """Return an account of each kind of channel."""
    known = channels()
    return {
        name: open_account(
            known[channel],
            name=name,
            queue=QueueName("general"),
            settings=settings,
            path_secret="unguessable-0123456789",
        )
        for name, (channel, settings) in _ACCOUNTS.items()
    }


@asynccontextmanager
async def opened(database_url: str, folder: Path, *, port: int = 0) -> AsyncIterator[Shop]:
    """Run the shop's pages on a loopback port until the end of the block."""
    clock, ids = RunningClock(), Numbers()
    store = open_store(database_url, clock=clock, ids=ids)
    policy, accounts = load(environ={}).policy, open_accounts()
    families = {name: held.channel.family for name, held in accounts.items()}
    library = Library(Retrieval, clock)
    store.listen(library.hear)
    dispatcher = Dispatcher(store, policy=policy, families=families, clock=clock, name="test")
    settings = WebSettings(
        public_url="http://127.0.0.1",
        cookie_key=base64.urlsafe_b64encode(bytes(32)),
        media=folder,
        secure_cookies=False,
    )
    deps = Deps(
        store=store,
        listens=store,
        clock=clock,
        ids=ids,
        policy=policy,
        accounts=accounts,
        intake=Intake(store, policy),
        knows=library,
        near=near,
        plans=Jobs(),
        settings=settings,
        after=lambda _account, _calls: None,
    )
    app = build_app(deps)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    host, chosen = runner.addresses[0][:2]
    try:
        yield Shop(
            store=store,
            clock=clock,
            ids=ids,
            policy=policy,
            accounts=accounts,
            dispatcher=dispatcher,
            library=library,
            hub=app[HUB],
            url=f"http://{host}:{chosen}",
        )
    finally:
        await runner.cleanup()
        await store.close()
