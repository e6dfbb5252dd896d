"""A bot's server on the loopback address, and a shop whose bots speak with it."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from router.bots.assembly import open_bots
from router.channel.contract import Received, Speaker
from router.domain.article import Article
from router.domain.content import Pressed, Text
from router.domain.ids import ConversationId
from router.domain.timeline import Direction, Interaction
from router.service.botport import BotChoice, BotKind, BotSpec, BotTurn
from router.service.knowledge import put
from router.service.rounds import Rounds
from tests.service.conftest import ABLE, CHAT, FAMILY, START, Shop

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
SECRET = f"whsec_{base64.b64encode(bytes(range(32))).decode()}"
INVOICE_ZH = "在“我的订单”里点“申请发票”，一个工作日内发到您的邮箱。"
RETURN_ZH = "签收后7天内，商品完好可以申请退货，退款原路返回。"


@dataclass(slots=True)
class Served:
    """What the bot's server was asked; ``answer`` is what it does."""

    answer: Answer
    url: str = ""
    bodies: list[Any] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.raw.append(body)
        self.bodies.append(json.loads(body))
        self.headers.append(dict(request.headers))
        self.paths.append(request.path)
        self.asked.set()
        return await self.answer(request)


def says(value: Any, *, status: int = 200) -> Answer:
    """Answer with JSON."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(value, status=status)

    return answer


def completion(content: Any, **changes: Any) -> Any:
    """Return a chat completion that says ``content`` (text, or a value as JSON)."""
    words = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": words, "refusal": None},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 300, "completion_tokens": 40, "total_tokens": 340},
        **changes,
    }


def drafted(words: str, *articles: str, action: str = "answer") -> Answer:
    """Answer as a model that was asked for our JSON."""
    return says(completion({"action": action, "answer": words, "articles": list(articles)}))


async def too_late(_: web.Request) -> web.StreamResponse:
    """Answer after everybody has gone."""
    await asyncio.sleep(1.5)
    return web.json_response([])


@asynccontextmanager
async def served(answer: Answer) -> AsyncIterator[Served]:
    """Run a bot's server until the end of the block."""
    held = Served(answer=answer)
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", held.handle)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    held.url = str(server.make_url("")).rstrip("/")
    try:
        yield held
    finally:
        await server.close()


def spec(kind: BotKind, url: str, **changes: Any) -> BotSpec:
    """Return a bot of a kind, with the defaults of bot.toml."""
    plain = BotSpec(
        name="helper",
        kind=kind,
        url=f"{url}/bot" if kind is BotKind.WEBHOOK else url,
        time_limit=timedelta(seconds=20),
        any_question=kind is not BotKind.MODEL,
        fallback=kind is BotKind.MODEL,
        secret=SECRET if kind is BotKind.WEBHOOK else "key-1",
        model="small" if kind is BotKind.MODEL else "",
    )
    return replace(plain, **changes)


@dataclass(slots=True)
class Desk:
    """A shop whose conversations are answered by a bot outside."""

    shop: Shop
    rounds: Rounds
    bot: BotSpec
    server: Served

    async def settle(self) -> None:
        """Read, route and let the bot speak until nothing more happens."""
        for _ in range(4):
            await self.read_all()
            await self.shop.dispatcher.once()
            await self.rounds.once()

    async def go_round(self) -> None:
        """Read, route and let the bot speak once."""
        await self.read_all()
        await self.shop.dispatcher.once()
        await self.rounds.once()

    async def read_all(self) -> None:
        self.shop.any_question = self.bot.any_question
        await self.shop.read_all()

    async def out(self, conversation: ConversationId) -> list[Interaction]:
        """Return what our side said, oldest first."""
        said = reversed(await self.shop.timeline(conversation))
        return [each for each in said if each.direction is Direction.OUT]

    async def whys(self, conversation: ConversationId) -> list[str]:
        """Return why the conversation was given to a person, each time."""
        history = await self.shop.store.read(
            lambda unit: unit.journal.history(conversation=conversation)
        )
        return [
            str((logged.event.facts or {}).get("why"))
            for _, logged in history
            if logged.event.kind == "handed_to_human"
        ]

    async def turn_of(self, conversation: ConversationId) -> BotTurn | None:
        """Return how the bot's last turn in a conversation is remembered."""
        said = await self.shop.timeline(conversation)
        (*_, last) = [each for each in reversed(said) if each.direction is Direction.IN]
        return await self.shop.store.read(lambda unit: unit.bot_turns.get(last.id))


@asynccontextmanager
async def answering(
    shop: Shop, kind: BotKind, answer: Answer, **changes: Any
) -> AsyncIterator[Desk]:
    """Let a bot of a kind, whose server does ``answer``, answer in a shop."""
    async with (
        served(answer) as server,
        desk(shop, spec(kind, server.url, **changes), server) as it,
    ):
        yield it


@asynccontextmanager
async def desk(shop: Shop, bot: BotSpec, server: Served) -> AsyncIterator[Desk]:
    """Let ``bot`` answer in a shop until the end of the block."""
    async with open_bots({bot.name: bot}) as bots:
        rounds = Rounds(
            store=shop.store,
            knowledge=shop.library,
            bots=bots,
            choice=BotChoice(specs={bot.name: bot}, shop=bot.name),
            policy=shop.policy,
            capabilities=ABLE,
            families=FAMILY,
            clock=shop.clock,
            name="test",
        )
        yield Desk(shop=shop, rounds=rounds, bot=bot, server=server)


def an_article(name: str, questions: tuple[str, ...], zh: str, en: str) -> Article:
    return Article(
        id=name,
        state="published",
        category="general",
        questions=questions,
        answer_zh=zh,
        answer_en=en,
        channels=frozenset(),
        updated_at=START,
        updated_by="lin",
        version=0,
    )


ARTICLES = (
    an_article(
        "invoice",
        ("怎么开发票", "发票怎么开", "How do I get an invoice?"),
        INVOICE_ZH,
        "Open the order and choose “Request invoice”; it is mailed within one working day.",
    ),
    an_article(
        "return",
        ("怎么退货", "退货要几天内申请", "How do I return something?"),
        RETURN_ZH,
        "Within 7 days of delivery you can return undamaged goods; the refund goes back the way "
        "it was paid.",
    ),
)


async def publish(shop: Shop, *articles: Article) -> None:
    """Publish articles, and know them."""
    for each in articles or ARTICLES:
        await shop.store.transact(put, article=each, by="lin", four_eyes=False, at=START)
    await shop.library.refresh(shop.store)


# ----- what each kind of bot says, and how a conversation begins ----------------------------------

KINDS = tuple(BotKind)
ASKED = "请问怎么开发票"
MENU_RASA = [{"text": "哪一个？", "buttons": [{"title": "查发票", "payload": "/invoice"}]}]
MENU_OWN = {"text": "哪一个？", "options": [{"id": "/invoice", "label": "查发票"}]}


def answers(kind: BotKind, words: str = INVOICE_ZH) -> Answer:
    match kind:
        case BotKind.MODEL:
            return drafted(words, "invoice")
        case BotKind.RASA:
            return says([{"recipient_id": "1", "text": words}])
        case BotKind.WEBHOOK:
            return says({"text": words, "articles": ["invoice"]})


def asks_back(kind: BotKind) -> Answer:
    match kind:
        case BotKind.MODEL:
            return drafted("", "invoice", "made-up", action="ask_back")
        case BotKind.RASA:
            return says(MENU_RASA)
        case BotKind.WEBHOOK:
            return says(MENU_OWN)


def hands_over(kind: BotKind) -> Answer:
    match kind:
        case BotKind.MODEL:
            return drafted("", action="hand_over")
        case BotKind.RASA:
            return says([{"text": "请稍等"}, {"custom": {"hand_over": True}}])
        case BotKind.WEBHOOK:
            return says({"hand_over": True})


async def opened(held: Desk, words: str = ASKED) -> ConversationId:
    await publish(held.shop)
    chat = await held.shop.hear(CHAT, "member-1", words)
    await held.settle()
    return chat


async def words_of(held: Desk, chat: ConversationId) -> list[str]:
    return [each.content.text for each in await held.out(chat) if isinstance(each.content, Text)]


async def press(held: Desk, _chat: ConversationId, payload: str) -> None:
    held.shop.last_message += 1
    await held.shop.deliver(
        CHAT,
        Received(
            external_id=f"m{held.shop.last_message}",
            sender="member-1",
            at=held.shop.clock.now(),
            content=Pressed(payload=payload, label="查发票"),
            by=Speaker.CONTACT,
            opens_window="message",
        ),
    )
    await held.settle()


# ----- the guarantee: no bot alone -----------------------------------------------------------
