"""Each kind of bot answers, asks back, hands over and fails, over its real protocol."""

from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from router.domain.content import Menu, Text
from router.domain.conversation import Queued, WithBot
from router.service.botport import BotKind
from tests.bots.rig import (
    ASKED,
    INVOICE_ZH,
    KINDS,
    MENU_RASA,
    RETURN_ZH,
    SECRET,
    Answer,
    answering,
    answers,
    asks_back,
    completion,
    desk,
    drafted,
    hands_over,
    opened,
    press,
    publish,
    says,
    served,
    spec,
    too_late,
    words_of,
)
from tests.service.conftest import CHAT, Shop, phone
from tests.service.test_story import NUMBER


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
