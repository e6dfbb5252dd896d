"""A model sums up a handover: only what the timeline says is shown, and never more is paid."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from router.bots.assembly import open_bots, writer_named
from router.domain.ids import ConversationId
from router.service.botport import BotKind
from router.service.briefing import Briefings
from router.service.handover import Handover, handover
from tests.bots.rig import Answer, Served, completion, says, served, spec, too_late
from tests.service.conftest import CHAT, WEIBO, Shop, phone
from tests.service.test_story import ANGRY, NUMBER

SAID = "订单20261111001234的沙发少了两颗螺丝，电话13800138000"
ASKED = "什么时候能补发螺丝？"
GOOD = [
    {"text": "客户投诉订单20261111001234的沙发少了两颗螺丝。", "facts": ["f2"]},
    {"text": "客户询问什么时候能补发螺丝。", "facts": ["f4"]},
]


def sums_up(*lines: Any) -> Answer:
    """Answer as a model that was asked for lines."""
    return says(completion({"lines": list(lines)}))


@asynccontextmanager
async def summing_up(
    shop: Shop, answer: Answer, **changes: Any
) -> AsyncIterator[tuple[Briefings, Served]]:
    """Let a model, whose server does ``answer``, sum up what a shop's agents take over."""
    async with served(answer) as server:
        bot = spec(BotKind.MODEL, server.url, **changes)
        async with open_bots({bot.name: bot}) as bots:
            writer = writer_named(bot.name, bots)
            held = Briefings(store=shop.store, writer=writer, clock=shop.clock, name="test")
            shop.store.listen(held.ring)
            yield held, server


async def queued(shop: Shop, *words: str) -> ConversationId:
    """Let somebody talk until a person is to be found."""
    chat = await shop.hear(CHAT, "member", "在吗", claims=(phone(NUMBER),))
    for each in words:
        await shop.hear(CHAT, "member", each, claims=(phone(NUMBER),))
    await shop.staff("lin")
    await shop.settle()
    return chat


async def turns(shop: Shop) -> dict[tuple[str, str, str], int]:
    """Return how the model's turns ended."""
    since = shop.clock.now() - timedelta(days=1)
    return dict(await shop.store.read(lambda unit: unit.bot_turns.counts(since)))


async def given(shop: Shop, conversation: ConversationId) -> Handover:
    return await shop.store.read(handover, conversation)


async def test_the_agent_reads_the_models_lines_and_who_wrote_them(shop: Shop) -> None:
    async with summing_up(shop, sums_up(*GOOD)) as (briefings, server):
        chat = await queued(shop, SAID, "人呢", ASKED)
        await briefings.once()
        found = await given(shop, chat)
        assert found.written == tuple(each["text"] for each in GOOD)
        assert found.writer == "helper"
        assert found.points, "the built-in lines stay"
        told = server.bodies[0]["messages"][1]["content"]
        assert "13800138000" not in told
        assert "20261111001234" in told
        (decided,) = await shop.store.read(lambda unit: kinds(unit, chat))
        assert decided["bot"] == "helper"

        await shop.hear(CHAT, "member", "算了，我要退货")
        assert (await given(shop, chat)).written == (), "what is older than the last word is gone"


def kinds(unit: Any, chat: ConversationId) -> list[dict[str, Any]]:
    decided = unit.journal.decisions(chat)
    return [dict(each.because) for each in decided if each.kind == "handover"]


async def test_what_was_said_on_another_channel_is_among_the_facts(small_shop: Shop) -> None:
    await small_shop.hear(WEIBO, "weibo-7", ANGRY, claims=(phone(NUMBER),))
    line = {"text": "客户在微博投诉，电话没人管。", "facts": ["c1", "f1"]}
    async with summing_up(small_shop, sums_up(line)) as (briefings, server):
        chat = await queued(small_shop, SAID, ASKED)
        await briefings.once()
        facts = server.bodies[0]["messages"][1]["content"]
        assert '"by":"case"' in facts
        assert ANGRY[:6] in facts
        assert (await given(small_shop, chat)).written == (line["text"],)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ({"text": "客户要求赔偿三千元。", "facts": ["f2"]}, "number_not_in_article"),
        ({"text": "客户住在杭州西湖区文三路。", "facts": ["f2"]}, "words_not_in_article"),
        ({"text": "客户询问补发螺丝。", "facts": []}, "cites_nothing"),
        ({"text": "客户询问补发螺丝。", "facts": ["f99"]}, "cites_unknown"),
        ({"text": "查看 https://evil.example/x", "facts": ["f2"]}, "address_not_in_article"),
        ({"text": "螺丝" * 100, "facts": ["f2"]}, "too_long"),
        ({"text": "<b>螺丝</b>", "facts": ["f2"]}, "hidden_or_marked_up"),
    ],
)
async def test_one_line_beyond_the_facts_and_the_built_in_lines_stay(
    small_shop: Shop, line: dict[str, Any], why: str
) -> None:
    async with summing_up(small_shop, sums_up(GOOD[0], line)) as (briefings, _server):
        chat = await queued(small_shop, SAID, "人呢", ASKED)
        await briefings.once()
        found = await given(small_shop, chat)
        assert (found.written, found.writer) == ((), "")
        assert found.points
        assert await turns(small_shop) == {("helper", "refused", why): 1}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (says({}, status=500), "bot_error"),
        (says(completion("not JSON")), "bot_malformed"),
        (too_late, "bot_slow"),
    ],
)
async def test_a_model_that_fails_leaves_the_built_in_lines(
    small_shop: Shop, answer: Answer, why: str
) -> None:
    limit = timedelta(milliseconds=200)
    async with summing_up(small_shop, answer, time_limit=limit) as (briefings, server):
        chat = await queued(small_shop, SAID, "人呢", ASKED)
        await briefings.once()
        found = await given(small_shop, chat)
        assert found.written == ()
        assert found.points
        assert len(server.bodies) == 1
        assert await turns(small_shop) == {("helper", "failed", why): 1}


@pytest.mark.parametrize("limit", ["conversation_tokens", "day_tokens"])
async def test_what_would_cost_too_much_is_not_asked(small_shop: Shop, limit: str) -> None:
    async with summing_up(small_shop, sums_up(*GOOD), **{limit: 100}) as (briefings, server):
        chat = await queued(small_shop, SAID, "人呢", ASKED)
        await briefings.once()
        assert server.bodies == []
        assert (await given(small_shop, chat)).points


async def test_a_short_talk_is_its_own_summary_and_two_daemons_ask_once(shop: Shop) -> None:
    async with summing_up(shop, sums_up(*GOOD)) as (briefings, server):
        await queued(shop, ASKED)
        await briefings.once()
        assert server.bodies == []
        asked = asyncio.Event()

        async def slowly(_: web.Request) -> web.StreamResponse:
            asked.set()
            return web.json_response(completion({"lines": GOOD}))

        server.answer = slowly
        other = Briefings(store=shop.store, writer=briefings.writer, clock=shop.clock, name="other")
        shop.store.listen(other.ring)
        await shop.hear(CHAT, "second", "在吗")
        for words in (SAID, "人呢", ASKED):
            await shop.hear(CHAT, "second", words)
        await shop.settle()
        await asyncio.gather(briefings.once(), other.once())
        assert len(server.bodies) == 1
