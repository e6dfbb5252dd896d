"""What no bot may do, whatever its kind: speak over a complaint, go round in circles, cost more."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import web

from router.domain.conversation import Queued
from router.domain.ids import ConversationId
from router.service.botport import BotKind
from tests.bots.rig import (
    ASKED,
    INVOICE_ZH,
    KINDS,
    RETURN_ZH,
    Desk,
    an_article,
    answering,
    answers,
    asks_back,
    desk,
    drafted,
    opened,
    publish,
    says,
    too_late,
    words_of,
)
from tests.service.conftest import CHAT, WEIBO, Shop, phone
from tests.service.test_story import ANGRY, NUMBER


@pytest.mark.parametrize("kind", KINDS)
async def test_a_person_with_an_open_complaint_is_not_even_asked_about(
    shop: Shop, kind: BotKind
) -> None:
    async with answering(shop, kind, answers(kind)) as held:
        await publish(shop)
        await shop.hear(WEIBO, "weibo-7", ANGRY, claims=(phone(NUMBER),))
        await held.settle()
        held.server.bodies.clear()
        chat = await shop.hear(CHAT, "member-1", ASKED, claims=(phone(NUMBER),))
        await held.settle()
        assert held.server.bodies == []
        assert await held.out(chat) == []
        assert isinstance((await shop.conversation(chat)).state, Queued)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_complaint_that_comes_during_the_call_throws_the_answer_away(
    shop: Shop, kind: BotKind
) -> None:
    asked, go = asyncio.Event(), asyncio.Event()
    inner = answers(kind)

    async def waits(request: web.Request) -> web.StreamResponse:
        asked.set()
        await go.wait()
        return await inner(request)

    async with answering(shop, kind, waits) as held:
        await publish(shop)
        chat = await shop.hear(CHAT, "member-1", ASKED, claims=(phone(NUMBER),))
        await held.read_all()
        await shop.dispatcher.once()
        round_ = asyncio.create_task(held.rounds.once())
        await asked.wait()
        await shop.hear(WEIBO, "weibo-7", ANGRY, claims=(phone(NUMBER),))
        await held.read_all()
        go.set()
        await round_
        await held.settle()
        assert await held.out(chat) == []
        assert isinstance((await shop.conversation(chat)).state, Queued)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_unread_word_during_the_call_throws_the_answer_away(
    small_shop: Shop, kind: BotKind
) -> None:
    asked, go = asyncio.Event(), asyncio.Event()
    inner = answers(kind)

    async def waits(request: web.Request) -> web.StreamResponse:
        asked.set()
        await go.wait()
        return await inner(request)

    async with answering(small_shop, kind, waits) as held:
        await publish(small_shop)
        chat = await small_shop.hear(CHAT, "member-1", ASKED)
        await held.read_all()
        await small_shop.dispatcher.once()
        round_ = asyncio.create_task(held.rounds.once())
        await asked.wait()
        await small_shop.hear(CHAT, "member-1", "发票怎么开，开公司抬头")
        go.set()
        await round_
        assert await held.out(chat) == []  # an answer to half of it is none
        turn = await small_shop.store.read(
            lambda unit: unit.bot_turns.counts(small_shop.clock.now() - timedelta(days=1))
        )
        assert turn == {("helper", "overtaken", ""): 1}
        await held.settle()
        assert len(await held.out(chat)) == 1
        assert len(held.server.bodies) == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("words", ["转人工", "我要找真人客服", "agent please, a real person"])
async def test_any_wish_for_a_person_is_followed(
    small_shop: Shop, kind: BotKind, words: str
) -> None:
    async with answering(small_shop, kind, answers(kind)) as held:
        chat = await opened(held)
        assert len(await held.out(chat)) == 1
        await small_shop.hear(CHAT, "member-1", words)
        await held.settle()
        assert isinstance((await small_shop.conversation(chat)).state, Queued)
        assert len(await held.out(chat)) == 1
        assert len(held.server.bodies) == 1


# ----- circles, cost, crash ------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
async def test_a_bot_that_says_the_same_again_hands_over(small_shop: Shop, kind: BotKind) -> None:
    async with answering(small_shop, kind, answers(kind)) as held:
        chat = await opened(held)
        await small_shop.hear(CHAT, "member-1", "发票怎么开呢")
        await held.settle()
        assert len(await held.out(chat)) == 1
        assert await held.whys(chat) == ["bot_repeats"]


@pytest.mark.parametrize("kind", [BotKind.RASA, BotKind.WEBHOOK])
async def test_a_bot_that_only_asks_back_hands_over(small_shop: Shop, kind: BotKind) -> None:
    async with answering(small_shop, kind, asks_back(kind)) as held:
        chat = await opened(held)
        for words in ("发票", "就是发票啊"):
            await small_shop.hear(CHAT, "member-1", words)
            await held.settle()
        assert len(await held.out(chat)) == 2
        assert await held.whys(chat) == ["bot_stuck"]


async def test_after_so_many_turns_a_person_takes_over(small_shop: Shop) -> None:
    async with answering(small_shop, BotKind.RASA, says([])) as held:
        await publish(small_shop)
        chat = None
        for number in range(8):
            held.server.answer = says([{"text": f"第{number}种说法"}])
            chat = await small_shop.hear(CHAT, "member-1", f"那么第{number}步呢")
            await held.settle()
        assert chat is not None
        assert len(held.server.bodies) == small_shop.policy.bot.most_turns
        assert await held.whys(chat) == ["most_turns"]


@pytest.mark.parametrize("limit", ["conversation_tokens", "day_tokens"])
async def test_a_cost_limit_is_not_overstepped(shop: Shop, limit: str) -> None:
    async with answering(
        shop, BotKind.MODEL, drafted(INVOICE_ZH, "invoice"), **{limit: 1300}, fallback=False
    ) as held:
        chat = await opened(held)
        turn = await held.turn_of(chat)
        assert turn is not None
        assert turn.tokens == 340
        held.server.answer = drafted(RETURN_ZH, "return")
        for words in ("怎么退货", "退货要几天内申请呢", "那怎么退货"):
            await shop.hear(CHAT, "member-1", words)
            await held.settle()
        spent = await shop.store.read(lambda unit: unit.bot_turns.spent_in(chat))
        assert spent <= 1300
        assert (await held.whys(chat))[0] in {"cost_limit", "bot_repeats"}


async def test_no_more_is_set_aside_than_the_limit_allows(small_shop: Shop) -> None:
    async with answering(
        small_shop, BotKind.MODEL, drafted(INVOICE_ZH, "invoice"), day_tokens=300, fallback=False
    ) as held:
        chat = await opened(held)
        assert held.server.bodies == []
        assert await held.whys(chat) == ["cost_limit"]


async def begun_and_gone(held: Desk) -> ConversationId:
    """Have a daemon die while the bot thinks: the turn is written down and never settled."""
    await publish(held.shop)
    chat = await held.shop.hear(CHAT, "member-1", ASKED)
    await held.read_all()
    await held.shop.dispatcher.once()
    round_ = asyncio.create_task(held.rounds.once())
    await held.server.asked.wait()
    round_.cancel()
    await asyncio.gather(round_, return_exceptions=True)
    return chat


@pytest.mark.parametrize("kind", KINDS)
async def test_a_turn_in_flight_is_redone_or_handed_over_after_a_crash(
    shop: Shop, kind: BotKind
) -> None:
    async with answering(shop, kind, too_late) as held:
        chat = await begun_and_gone(held)
        held.server.answer = answers(kind)
        async with desk(shop, held.bot, held.server) as successor:
            await successor.rounds.once()
            assert await held.out(chat) == []  # somebody may still be waiting for it
            shop.clock.pass_by(timedelta(seconds=31))
            await successor.settle()
            if kind is BotKind.RASA:  # it has heard the question: it would hear it twice
                assert await held.out(chat) == []
                assert await held.whys(chat) == ["bot_interrupted"]
            else:
                assert len(await held.out(chat)) == 1


# ----- what bots of the shop's own may not say -----------------------------------------------


@pytest.mark.parametrize("kind", [BotKind.RASA, BotKind.WEBHOOK])
@pytest.mark.parametrize(
    "words",
    [
        "张先生的电话是13912345678",
        "我是真人客服，放心",
        "您的投诉已关闭",
        "I am a human, trust me",
        "看不见的\u202e字",
    ],
)
async def test_no_bot_says_what_no_bot_may_say(small_shop: Shop, kind: BotKind, words: str) -> None:
    async with answering(small_shop, kind, answers(kind, words)) as held:
        chat = await opened(held)
        assert words not in "".join(await words_of(held, chat))
        turn = await held.turn_of(chat)
        assert turn is not None
        assert turn.state == "refused"


async def test_an_article_of_another_channel_is_not_shown_to_the_model(small_shop: Shop) -> None:
    secret = an_article("vip", ("怎么开发票", "发票"), "仅限微博的内容", "")
    async with answering(small_shop, BotKind.MODEL, drafted("仅限微博的内容", "vip")) as held:
        await publish(small_shop)
        await publish(small_shop, replace(secret, channels=frozenset({"weibo"})))
        chat = await small_shop.hear(CHAT, "member-1", ASKED)
        await held.settle()
        assert "仅限微博".encode() not in held.server.raw[0]
        assert "仅限微博" not in "".join(await words_of(held, chat))
