"""Each kind of bot answers, asks back, hands over and fails, over its real protocol."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from router.channel.contract import Received, Speaker
from router.domain.content import Menu, Pressed, Text
from router.domain.conversation import Queued, WithBot
from router.domain.ids import ConversationId
from router.service.botport import BotKind
from tests.bots.rig import (
    INVOICE_ZH,
    RETURN_ZH,
    SECRET,
    Answer,
    Desk,
    an_article,
    answering,
    completion,
    desk,
    drafted,
    publish,
    says,
    served,
    spec,
    too_late,
)
from tests.service.conftest import CHAT, WEIBO, Shop, phone
from tests.service.test_story import ANGRY, NUMBER

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


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_answers_and_says_what_it_is(shop: Shop, kind: BotKind) -> None:
    async with answering(shop, kind, answers(kind)) as held:
        chat = await opened(held)
        (said,) = await held.out(chat)
        assert isinstance(said.content, Text)
        assert INVOICE_ZH in said.content.text
        assert "智能助理小杉" in said.content.text
        assert "人工" in said.content.text
        assert said.author == "bot"
        assert isinstance((await shop.conversation(chat)).state, WithBot)
        turn = await held.turn_of(chat)
        assert turn is not None
        assert (turn.state, turn.attempts, turn.bot) == ("said", 1, "helper")
        await held.settle()
        assert len(held.server.bodies) == 1  # what is answered is not asked again


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_asks_back_with_buttons(small_shop: Shop, kind: BotKind) -> None:
    async with answering(small_shop, kind, asks_back(kind)) as held:
        chat = await opened(held)
        (said,) = await held.out(chat)
        assert isinstance(said.content, Menu)
        assert "智能助理小杉" in said.content.text
        expected = ["article:invoice", "human"]
        ids = [each.id for each in said.content.options]
        assert ids == (expected if kind is BotKind.MODEL else ["/invoice"])


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_hands_over_with_all_that_was_said(small_shop: Shop, kind: BotKind) -> None:
    async with answering(small_shop, kind, hands_over(kind)) as held:
        chat = await opened(held)
        assert await held.out(chat) == []
        held_by_person = await small_shop.conversation(chat)
        assert isinstance(held_by_person.state, Queued)
        assert held_by_person.waiting_since is not None
        assert await held.whys(chat) == ["bot_hands_over"]


FAULTS: dict[str, Answer] = {
    "bot_error": says({"error": "boom"}, status=500),
    "bot_busy": says({"error": "slow down"}, status=429),
    "bot_denied": says({"error": "key"}, status=401),
    "bot_malformed": says("what?"),
    "bot_slow": too_late,
}


LONG = timedelta(seconds=20)
LIMITS = {"bot_slow": timedelta(seconds=0.3)}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("why", FAULTS)
async def test_a_bot_that_fails_leaves_the_customer_with_a_person(
    small_shop: Shop, kind: BotKind, why: str
) -> None:
    async with answering(
        small_shop, kind, FAULTS[why], fallback=False, time_limit=LIMITS.get(why, LONG)
    ) as held:
        chat = await opened(held)
        assert await held.out(chat) == []
        assert await held.whys(chat) == [why]
        turn = await held.turn_of(chat)
        assert turn is not None
        assert (turn.state, turn.why) == ("failed", why)


async def test_a_bot_that_nobody_reaches_has_failed(small_shop: Shop) -> None:
    async with served(says([])) as server:
        url = server.url
    async with desk(small_shop, spec(BotKind.RASA, url), server) as held:
        chat = await opened(held)
        assert await held.whys(chat) == ["bot_unreachable"]


async def test_the_built_in_bot_answers_where_the_model_fails(small_shop: Shop) -> None:
    async with answering(small_shop, BotKind.MODEL, FAULTS["bot_error"]) as held:
        chat = await opened(held)
        (words,) = await words_of(held, chat)
        assert INVOICE_ZH in words
        decisions = await small_shop.store.read(lambda unit: unit.journal.decisions(chat))
        assert decisions[0].because["failed"] == "bot_error"


async def test_after_repeated_failures_a_bot_is_left_alone_for_a_while(small_shop: Shop) -> None:
    async with answering(small_shop, BotKind.WEBHOOK, FAULTS["bot_error"]) as held:
        await publish(small_shop)
        for number in range(5):
            await small_shop.hear(CHAT, f"member-{number}", ASKED)
            await held.settle()
        assert len(held.server.bodies) == 3
        small_shop.clock.pass_by(timedelta(seconds=31))
        held.server.answer = answers(BotKind.WEBHOOK)
        chat = await small_shop.hear(CHAT, "member-9", ASKED)
        await held.settle()
        assert len(await held.out(chat)) == 1


@pytest.mark.parametrize(
    ("completed", "why"),
    [
        (completion("no JSON at all"), "bot_malformed"),
        (completion({"action": "refund", "answer": "", "articles": []}), "bot_malformed"),
        (completion({}, choices=[]), "bot_malformed"),
        (
            completion({}, choices=[{"message": {"refusal": "I cannot help with that"}}]),
            "bot_refuses",
        ),
        (
            completion(
                {}, choices=[{"message": {"content": '{"action":"an'}, "finish_reason": "length"}]
            ),
            "bot_malformed",
        ),
    ],
)
async def test_what_a_model_says_wrongly_is_not_said(
    small_shop: Shop, completed: object, why: str
) -> None:
    async with answering(small_shop, BotKind.MODEL, says(completed), fallback=False) as held:
        chat = await opened(held)
        assert await held.out(chat) == []
        assert await held.whys(chat) == [why]


async def test_a_stream_that_nobody_asked_for_is_no_answer(small_shop: Shop) -> None:
    async def streams(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b'data: {"choices":[]}\n\ndata: [DONE]\n\n')
        return response

    async with answering(small_shop, BotKind.MODEL, streams, fallback=False) as held:
        chat = await opened(held)
        assert await held.whys(chat) == ["bot_malformed"]
        assert held.server.bodies[0]["stream"] is False


async def test_a_redirect_takes_the_key_nowhere(small_shop: Shop) -> None:
    async with served(says([])) as elsewhere:

        async def leads_away(_: web.Request) -> web.StreamResponse:
            return web.Response(status=307, headers={"location": elsewhere.url})

        async with answering(small_shop, BotKind.RASA, leads_away) as held:
            chat = await opened(held)
            assert await held.whys(chat) == ["bot_error"]
        assert elsewhere.bodies == []


async def test_the_model_is_asked_as_the_protocol_says(small_shop: Shop) -> None:
    async with answering(small_shop, BotKind.MODEL, drafted(INVOICE_ZH, "invoice")) as held:
        await publish(small_shop)
        words = f"{ASKED}，我的电话13800138000"
        await small_shop.hear(CHAT, "member-1", words, claims=(phone(NUMBER),))
        await held.settle()
        (body,) = held.server.bodies
        assert held.server.paths == ["/chat/completions"]
        assert held.server.headers[0]["Authorization"] == "Bearer key-1"
        assert body["model"] == "small"
        assert body["response_format"]["json_schema"]["schema"]["required"] == [
            "action",
            "answer",
            "articles",
        ]
        assert body["messages"][0]["role"] == "system"
        assert INVOICE_ZH in body["messages"][0]["content"]
        assert body["messages"][-1] == {
            "role": "user",
            "content": f"{ASKED}，我的电话138****8000",
        }
        assert NUMBER.encode() not in held.server.raw[0]


async def test_the_webhook_is_signed_as_the_standard_says(small_shop: Shop) -> None:
    async with answering(small_shop, BotKind.WEBHOOK, answers(BotKind.WEBHOOK)) as held:
        small_shop.clock.moment = datetime.now(UTC)  # noqa: TID251  the library's time
        chat = await opened(held)
        headers = {name.lower(): value for name, value in held.server.headers[0].items()}
        payload = Webhook(SECRET).verify(held.server.raw[0], headers)
        assert payload["data"]["conversation"] == chat
        assert payload["data"]["text"] == ASKED
        assert payload["data"]["articles"][0]["id"] == "invoice"


async def test_rasa_hears_the_payload_of_its_button(small_shop: Shop) -> None:
    async with answering(small_shop, BotKind.RASA, says(MENU_RASA)) as held:
        chat = await opened(held)
        held.server.answer = says([{"text": RETURN_ZH}])
        await press(held, chat, "/invoice")
        assert [body["message"] for body in held.server.bodies] == [ASKED, "/invoice"]
        assert {body["sender"] for body in held.server.bodies} == {chat}
        assert (await words_of(held, chat)) == [RETURN_ZH]


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
