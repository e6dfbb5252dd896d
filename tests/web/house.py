"""The web room on a loopback port, with real channels, a real store and nobody else."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from aiohttp import (
    ClientResponse,
    ClientSession,
    ClientWebSocketResponse,
    CookieJar,
    WSMsgType,
    web,
)
from aiohttp.test_utils import TestServer
from argon2 import PasswordHasher
from cryptography.fernet import Fernet

from router.channel.accounts import Account, open_account
from router.channel.contract import Call
from router.channel.registry import channels
from router.domain.conversation import Conversation
from router.domain.ids import AccountName, AgentId, ConversationId, QueueName, Skill
from router.domain.timeline import Interaction
from router.domain.workforce import Agent, Presence, Role
from router.service import people, supervise
from router.service.accept import Intake
from router.service.cases import open_by_hand
from router.service.library import Library
from router.service.unit import Unit
from router.settings.load import load
from router.sim.jobs import Jobs
from router.store.engine import SqlStore
from router.understanding.grouping import near
from router.understanding.retrieval import Retrieval
from router.web.app import build_app
from router.web.deps import Deps, InsideTheDaemon, ReaderState, WebSettings
from tests.builders import an_agent
from tests.support.fakes import CountingIds, FixedClock

PASSWORD = "a long enough password"
PATH_SECRET = "0123456789abcdef"
API_KEY = "phone-system-key-0001"
SITE = "shop-site"
SHOP_SECRET = "pam-webchat-identity-secret-0001-32b"
_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

WECHAT_SETTINGS = {
    "token": "pamtest_Token01",
    "appid": "wx7f3c9a1b5d2e4680",
    "app_secret": "wxAppSecretDemo00112233445566778",
}
#: The vector wechat-handshake: plain mode does not sign the body.
WECHAT_QUERY = (
    "signature=218d6054833bff0f67d8a0628fde06cbff05891b&timestamp=1760000000&nonce=1523490876"
)


def wechat_text(words: str, message: int = 24810000000000001, sender: str = "oQx3Z5hT9k") -> str:
    """Return WeChat's push of one line of text, in plain mode."""
    return (
        "<xml><ToUserName><![CDATA[gh_4b1d7e90c2aa]]></ToUserName>"
        f"<FromUserName><![CDATA[{sender}]]></FromUserName><CreateTime>1760000000</CreateTime>"
        f"<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{words}]]></Content>"
        f"<MsgId>{message}</MsgId></xml>"
    )


def accounts() -> dict[AccountName, Account]:
    """Return one account of each kind of transport that the web room serves."""
    known = channels()
    given = (
        ("wechat", "wechat", WECHAT_SETTINGS, PATH_SECRET),
        ("chat", "webchat", {"site": SITE, "secret": SHOP_SECRET, "origins": ["*"]}, ""),
        ("phone", "transcript", {"api_key": API_KEY}, ""),
    )
    return {
        AccountName(name): open_account(
            known[channel],
            name=AccountName(name),
            queue=QueueName("general"),
            settings=settings,
            path_secret=secret,
        )
        for name, channel, settings, secret in given
    }


@dataclass
class Talking:
    """A visitor's browser at the other end of a socket."""

    socket: ClientWebSocketResponse

    async def say(self, op: str, **fields: Any) -> None:
        await self.socket.send_str(json.dumps({"v": 1, "op": op, **fields}))

    async def hear(self) -> dict[str, Any]:
        async with asyncio.timeout(5):
            message = await self.socket.receive()
        assert message.type is WSMsgType.TEXT, message
        heard: dict[str, Any] = json.loads(message.data)
        return heard

    async def hear_op(self, op: str) -> dict[str, Any]:
        """Return the next frame of one kind; others before it are passed over."""
        while True:
            frame = await self.hear()
            if frame["op"] == op:
                return frame

    async def hello(self, **resume: Any) -> dict[str, Any]:
        await self.say("hello", resume=resume or None)
        return await self.hear()

    async def closed_with(self) -> int | None:
        """Return the code that the other side closes with."""
        async with asyncio.timeout(5):
            while True:
                message = await self.socket.receive()
                if message.type in {WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING}:
                    return self.socket.close_code


@dataclass
class Stream:
    """What a page hears."""

    answer: ClientResponse
    heard: list[str] = field(default_factory=list)

    async def next(self) -> tuple[str, int]:
        """Return the next event's name and the number in its id (0: none)."""
        name, seq = "", 0
        async with asyncio.timeout(5):
            async for raw in self.answer.content:
                line = raw.decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("id: "):
                    seq = int(line.removeprefix("id: "))
                elif not line and name:
                    self.heard.append(name)
                    return name, seq
        raise AssertionError("the stream has ended")

    async def until(self, wanted: str) -> int:
        while True:
            name, seq = await self.next()
            if name == wanted:
                return seq


@asynccontextmanager
async def listening(client: ClientSession, topics: str, **headers: str) -> AsyncIterator[Stream]:
    async with client.get(f"/live?topics={topics}", headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.content_type == "text/event-stream"
        yield Stream(answer)


@dataclass
class House:
    """The running application and what a test needs to look behind it."""

    app: web.Application
    deps: Deps
    store: SqlStore
    clock: FixedClock
    address: str
    wanted: list[tuple[AccountName, tuple[Call, ...]]] = field(default_factory=list)

    # ----- people ----------------------------------------------------------------------------

    async def agent(
        self, name: str, role: Role = Role.AGENT, *, must_change: bool = False, **changes: Any
    ) -> Agent:
        """Make a person who signs in with `PASSWORD`."""
        agent = an_agent(
            name,
            login=name,
            name=name.title(),
            role=role,
            skills={Skill("complaint"): 3},
            families=frozenset(),
            languages=frozenset(),
            presence=Presence.AVAILABLE,
            presence_since=self.clock.now(),
            **changes,
        )

        def add(unit: Unit) -> None:
            hashed = _CHEAP.hash(PASSWORD)
            unit.workforce.add(agent, password_hash=hashed, must_change_password=must_change)

        await self.store.transact(add)
        return agent

    async def token(self, agent: Agent) -> dict[str, str]:
        """Return the header with which a program speaks for an agent."""
        token = f"mst_{agent.id}-token"
        await self.store.transact(
            people.create_token,
            agent=agent.id,
            name="test",
            sha256=hashlib.sha256(token.encode()).hexdigest(),
            at=self.clock.now(),
        )
        return {"Authorization": f"Bearer {token}"}

    # ----- customers -------------------------------------------------------------------------

    async def wechat_says(
        self, client: ClientSession, words: str, message: int = 1, sender: str = "o-lin"
    ) -> ConversationId:
        """Let a customer write on WeChat; return the conversation."""
        answer = await client.post(
            f"/hooks/wechat/{PATH_SECRET}?{WECHAT_QUERY}",
            data=wechat_text(words, message, sender).encode(),
        )
        assert answer.status == 200, await answer.text()
        held = await self.open()
        return next(each.id for each in held if each.external_id == sender)

    async def open(self) -> tuple[Conversation, ...]:
        """Return every open conversation."""

        def ask(unit: Unit) -> tuple[Conversation, ...]:
            return unit.conversations.open()

        return await self.store.read(ask)

    async def said(self, conversation: ConversationId) -> tuple[Interaction, ...]:
        """Return what was said in a conversation."""

        def ask(unit: Unit) -> tuple[Interaction, ...]:
            return unit.conversations.said_in(conversation)

        return await self.store.read(ask)

    async def give(self, conversation: ConversationId, agent: Agent) -> None:
        """Put a conversation into an agent's hands."""
        await self.store.transact(
            supervise.take_over,
            conversation=conversation,
            by=agent.id,
            seen_seq=0,
            at=self.clock.now(),
        )

    async def complaint(self, conversation: ConversationId, by: Agent, words: str) -> str:
        """Write a complaint down for the person of a conversation; return the case's id."""

        def write(unit: Unit) -> str:
            contact = unit.conversations.get(conversation).contact
            return open_by_hand(
                unit,
                contact=contact,
                severity=2,
                topic="logistics",
                summary=words,
                by=AgentId(by.id),
                policy=self.deps.policy,
                at=self.clock.now(),
            ).id

        return await self.store.transact(write)

    # ----- clients ---------------------------------------------------------------------------

    @asynccontextmanager
    async def browser(self, **headers: str) -> AsyncIterator[ClientSession]:
        """Open a client that keeps cookies and follows nothing by itself."""
        jar = CookieJar(unsafe=True)  # the address is a number
        async with ClientSession(self.address, cookie_jar=jar, headers=headers) as client:
            yield client

    @asynccontextmanager
    async def visitor(
        self, client: ClientSession, *, query: str = "", **options: Any
    ) -> AsyncIterator[Talking]:
        """Open a web-chat socket."""
        path = f"/ws/v1?site={SITE}{query}"
        async with client.ws_connect(path, protocols=("pam.v1",), **options) as socket:
            yield Talking(socket)


async def sign_in(client: ClientSession, login: str, password: str = PASSWORD) -> str:
    """Sign in by the form and return the session's CSRF token, as the pages hold it."""
    answer = await client.post(
        "/signin", data={"login": login, "password": password}, allow_redirects=False
    )
    assert answer.status == 303, await answer.text()
    page = await (await client.get("/password")).text()
    return page.split('name="csrf" value="')[1].split('"')[0]


@asynccontextmanager
async def a_house(
    store: SqlStore,
    clock: FixedClock,
    ids: CountingIds,
    folder: Path,
    *,
    more: Mapping[AccountName, Account] = MappingProxyType({}),
    readers: ReaderState | None = None,
    environ: Mapping[str, str] = MappingProxyType({}),
    **changes: Any,
) -> AsyncIterator[House]:
    """Run the web room on a free port of the loopback address, with ``more`` accounts."""
    policy = load(environ={"MAINSTEM_DATA": str(folder / "data"), **environ}).policy
    intake = Intake(store, policy)
    wanted: list[tuple[AccountName, tuple[Call, ...]]] = []
    given: dict[str, Any] = {
        "public_url": "https://mainstem.example",
        "cookie_key": Fernet.generate_key(),
        "media": folder / "media",
        "secure_cookies": False,
        **changes,
    }
    deps = Deps(
        store=store,
        listens=store,
        clock=clock,
        ids=ids,
        policy=policy,
        accounts=accounts() | dict(more),
        intake=intake,
        knows=Library(Retrieval, clock),
        near=near,
        plans=Jobs(),
        readers=readers or InsideTheDaemon(),
        settings=WebSettings(**given),
        version="0.0.test",
        after=lambda account, calls: wanted.append((account, calls)),
    )
    app = build_app(deps)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server(access_log=None)  # as the daemon: addresses stay out
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(intake.run(), name="intake")
        try:
            address = str(server.make_url("/"))
            yield House(
                app=app, deps=deps, store=store, clock=clock, address=address, wanted=wanted
            )
        finally:
            intake.stop()
            await server.close()
