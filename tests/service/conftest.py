"""A shop on a real store: policy, reader, and the loops' work done step by step."""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from router.channel.contract import Capabilities, Event, Family, Received, Speaker, Window
from router.domain.content import Text, plain_text
from router.domain.conversation import Conversation
from router.domain.events import Happened
from router.domain.identity import Claim, ClaimKind
from router.domain.ids import AccountName, AgentId, ChannelName, ConversationId, QueueName, Skill
from router.domain.policy import ShopPolicy
from router.domain.timeline import Interaction
from router.domain.workforce import Agent, Presence, Role
from router.readers.small import Small
from router.service import answer
from router.service.arrivals import Delivery, Source, TakenIn
from router.service.dispatch import Dispatcher
from router.service.hearing import Heard
from router.service.intake import take_in
from router.service.library import Library
from router.service.reading import meant, take_note, unread_runs
from router.service.unit import Unit
from router.settings.load import load
from router.store.engine import SqlStore, open_store
from router.understanding.reader import RuleReader
from router.understanding.retrieval import Retrieval
from tests.support.postgres import Postgres

START = datetime(2026, 11, 11, 2, 0, tzinfo=UTC)
CHAT, WEIBO, PHONE, WECHAT = (AccountName(name) for name in ("chat", "weibo", "phone", "wechat"))
FAMILY = {
    CHAT: Family.WEBCHAT,
    WEIBO: Family.SOCIAL,
    PHONE: Family.VOICE,
    WECHAT: Family.IM,
}
ABLE: Mapping[AccountName, Capabilities] = {
    CHAT: Capabilities(replies=True),
    WEIBO: Capabilities(replies=True),
    PHONE: Capabilities(replies=False),
    WECHAT: Capabilities(
        replies=True, windows=(Window(kind="message", lasts=timedelta(hours=48), sends=5),)
    ),
}


@dataclass
class Now:
    """A clock that the test moves."""

    moment: datetime = START

    def now(self) -> datetime:
        return self.moment

    def pass_by(self, time: timedelta) -> None:
        self.moment += time


@dataclass
class Numbers:
    """Ids in order."""

    last: int = 0

    def new(self) -> str:
        self.last += 1
        return f"{self.last:08d}"

    def entropy(self, size: int) -> bytes:
        return bytes(size)


@dataclass
class Shop:
    """The whole of a shop's services on one store, driven step by step."""

    store: SqlStore
    clock: Now
    policy: ShopPolicy
    library: Library
    dispatcher: Dispatcher
    reader: Small = field(default_factory=partial(Small, RuleReader()))
    last_message: int = 0
    any_question: bool = False

    def source(self, account: AccountName) -> Source:
        return Source(
            account=account,
            channel=ChannelName(account),
            family=FAMILY[account],
            queue=QueueName("general"),
            capabilities=ABLE[account],
        )

    async def deliver(
        self, account: AccountName, *events: Event, urgent: frozenset[str] = frozenset()
    ) -> TakenIn:
        delivery = Delivery(
            source=self.source(account),
            events=events,
            received_at=self.clock.now(),
            urgent=urgent,
        )
        return await self.store.transact(take_in, delivery, self.policy)

    async def hear(
        self,
        account: AccountName,
        sender: str,
        words: str,
        *,
        claims: tuple[Claim, ...] = (),
        external_id: str = "",
    ) -> ConversationId:
        """Take in one message of a contact and return its conversation."""
        taken = await self.say(account, sender, words, claims=claims, external_id=external_id)
        return taken.conversations[0]

    async def say(
        self,
        account: AccountName,
        sender: str,
        words: str,
        *,
        claims: tuple[Claim, ...] = (),
        external_id: str = "",
        urgent: bool = False,
    ) -> TakenIn:
        """Take in one message of a contact."""
        self.last_message += 1
        name = external_id or f"m{self.last_message}"
        return await self.deliver(
            account,
            Received(
                external_id=name,
                sender=sender,
                at=self.clock.now(),
                content=Text(text=words),
                by=Speaker.CONTACT,
                claims=claims,
                opens_window="message",
            ),
            urgent=frozenset({name} if urgent else ()),
        )

    async def read_all(self) -> None:
        while found := await self.store.read(unread_runs, limit=50):
            understood = tuple(
                meant(said, heard, answerable=self._knows(said, heard))
                for each in found
                for said, heard in zip(each.said, self.reader.hear(each.run), strict=True)
            )
            await self.store.transact(
                take_note, understood, policy=self.policy, at=self.clock.now()
            )

    def _knows(self, said: Interaction, heard: Heard) -> bool:
        if self.any_question or self.library.is_recalled(plain_text(said.content)):
            return True
        found = self.library.best(
            plain_text(said.content),
            language=heard.reading.language,
            limit=1,
            channel=said.channel,
        )
        return bool(found) and found[0].confidence >= self.policy.bot.ask_at

    async def bot_turns(self) -> None:
        given = {"policy": self.policy, "families": FAMILY}
        for turn in await self.store.read(answer.due, **given):  # type: ignore[arg-type]
            found = self.library.best(
                answer.question_of(turn), language=turn.language, channel=turn.channel
            )
            said = answer.compose(
                turn,
                found,
                self.library.published(),
                products=self.library.products(),
                policy=self.policy,
            )
            await self.store.transact(
                answer.say,
                turn=turn,
                utterance=said,
                policy=self.policy,
                capabilities=ABLE,
                at=self.clock.now(),
            )

    async def settle(self) -> None:
        """Read, route and let the bot speak until nothing more happens."""
        for _ in range(4):
            await self.read_all()
            await self.dispatcher.once()
            await self.bot_turns()

    async def staff(self, name: str, **changes: object) -> AgentId:
        agent = Agent(
            id=AgentId(name),
            login=name,
            name=name.title(),
            role=Role.AGENT,
            skills={Skill("complaint"): 3, Skill("logistics"): 3, Skill("returns"): 3},
            families=frozenset(),
            languages=frozenset(),
            capacity=1.0,
            presence=Presence.AVAILABLE,
            presence_since=self.clock.now(),
            active=True,
        )
        agent = replace(agent, **changes)  # type: ignore[arg-type]

        def add(unit: Unit) -> None:
            unit.workforce.add(agent, password_hash="", must_change_password=False)
            unit.record(Happened(kind="agent_changed", agent=agent.id), at=self.clock.now())

        await self.store.transact(add)
        return agent.id

    async def conversation(self, conversation: ConversationId) -> Conversation:
        def get(unit: Unit) -> Conversation:
            return unit.conversations.get(conversation)

        return await self.store.read(get)

    async def timeline(self, conversation: ConversationId) -> tuple[Interaction, ...]:
        def ask(unit: Unit) -> tuple[Interaction, ...]:
            held = unit.conversations.get(conversation)
            return unit.conversations.timeline(unit.contacts.members(held.contact))

        return await self.store.read(ask)


def phone(number: str) -> Claim:
    return Claim(kind=ClaimKind.PHONE, value=number, verified=True, source="caller_id")


async def open_shop(database_url: str) -> Shop:
    """Return a shop on an empty database."""
    clock = Now()
    store = open_store(database_url, clock=clock, ids=Numbers())
    policy = load(environ={}).policy
    dispatcher = Dispatcher(store, policy=policy, families=FAMILY, clock=clock, name="test")
    library = Library(Retrieval, clock)
    store.listen(library.hear)
    return Shop(store=store, clock=clock, policy=policy, library=library, dispatcher=dispatcher)


@pytest.fixture
async def shop(database_url: str) -> AsyncIterator[Shop]:
    opened = await open_shop(database_url)
    yield opened
    await opened.store.close()


@pytest.fixture
def fresh_database(
    request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path
) -> Iterator[Callable[[str], str]]:
    """Return what makes an empty database of a kind, as often as it is asked."""
    numbers = count(1)
    made: list[tuple[Postgres, str]] = []

    def make(kind: str) -> str:
        number = next(numbers)
        if kind == "sqlite":
            path = tmp_path / f"fresh-{number}.db"
            shutil.copyfile(sqlite_template, path)
            return f"sqlite:///{path}"
        server: Postgres = request.getfixturevalue("postgres_server")
        template: str = request.getfixturevalue("postgres_template")
        name = f"fresh_{number}"
        server.create(name, template=template)
        made.append((server, name))
        return server.url(name)

    yield make
    for server, name in made:
        server.drop(name)
