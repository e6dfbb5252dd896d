"""Ratings: asked where the shop wants it, never over a complaint; a press or a number answers."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.domain.content import Menu, Pressed, Text
from router.domain.conversation import Closed
from router.domain.ids import AgentId, ConversationId
from router.domain.rating import Rating, RatingState, answered, pressed, question
from router.domain.timeline import Direction
from router.service import desk, rating
from router.service.cases import open_by_hand
from router.service.reply import reply
from tests.service.conftest import ABLE, CHAT, Shop
from tests.service.test_scripts import in_hand

LIN = AgentId("lin")


@pytest.fixture(autouse=True)
def _always(shop: Shop) -> None:
    wished = replace(shop.policy.knowledge, ask_rating="always")
    shop.policy = replace(shop.policy, knowledge=wished)


async def close(shop: Shop) -> ConversationId:
    chat = await in_hand(shop)
    await shop.store.transact(
        reply,
        conversation=chat,
        by=LIN,
        content=Text(text="已经为您处理。"),
        capabilities=ABLE[CHAT],
        at=shop.clock.now(),
    )
    await shop.store.transact(
        desk.wrap_up,
        conversation=chat,
        by=LIN,
        disposition="answered",
        text="",
        at=shop.clock.now(),
    )
    assert isinstance((await shop.conversation(chat)).state, Closed)
    shop.clock.pass_by(timedelta(seconds=1))
    return chat


async def ask(shop: Shop) -> int:
    if not await shop.store.read(rating.any_to_do, policy=shop.policy, at=shop.clock.now()):
        return 0
    asked: int = await shop.store.transact(
        rating.ask_due, policy=shop.policy, capabilities=ABLE, at=shop.clock.now()
    )
    return asked


async def about(shop: Shop, chat: ConversationId) -> Rating:
    (held,) = await shop.store.read(lambda unit: unit.ratings.about([chat]))
    return held


async def test_a_contact_is_asked_once_and_a_number_is_the_answer(shop: Shop) -> None:
    chat = await close(shop)
    assert (await ask(shop), await ask(shop)) == (1, 0)
    said = await shop.store.read(lambda unit: unit.conversations.said_in(chat))
    assert isinstance(said[-1].content, Menu)
    answer = await shop.hear(CHAT, "member-1", "5分")
    await shop.read_all()
    assert ((await about(shop, chat)).state, (await about(shop, chat)).score) == (
        RatingState.GIVEN,
        5,
    )
    held = await shop.conversation(answer)
    assert (isinstance(held.state, Closed), held.disposition) == (True, "rated")


async def test_a_complaint_in_place_of_a_number_is_a_complaint(shop: Shop) -> None:
    chat = await close(shop)
    await ask(shop)
    await shop.hear(CHAT, "member-1", "1分都不想给，你们骗人，我要投诉到12315！")
    await shop.read_all()
    assert (await about(shop, chat)).state is RatingState.ASKED
    assert len(await shop.store.read(lambda unit: unit.cases.all_open())) == 1


async def test_nobody_is_asked_over_an_open_complaint(shop: Shop) -> None:
    chat = await close(shop)
    contact = (await shop.conversation(chat)).contact
    await shop.store.transact(
        open_by_hand,
        contact=contact,
        severity=2,
        topic="product",
        summary="坏了",
        by=LIN,
        policy=shop.policy,
        at=shop.clock.now(),
    )
    assert await ask(shop) == 0
    shop.clock.pass_by(timedelta(days=2))
    assert await ask(shop) == 0
    assert (await about(shop, chat)).state is RatingState.OVER


@pytest.mark.parametrize("wished", ["never", "trials"])
async def test_nobody_is_asked_where_the_shop_does_not_want_it(shop: Shop, wished: str) -> None:
    knowledge = replace(shop.policy.knowledge, ask_rating=wished)
    shop.policy = replace(shop.policy, knowledge=knowledge)
    await close(shop)
    assert await ask(shop) == 0


def test_a_press_is_an_answer_to_its_own_question_only() -> None:
    menu = question("r-1", "zh")
    assert [pressed(Pressed(payload=each.id), "r-1") for each in menu.options] == [1, 2, 3, 4, 5]
    assert pressed(Pressed(payload=menu.options[0].id), "r-2") is None
    assert pressed(Pressed(payload="rating:r-1:9"), "r-1") is None


@pytest.mark.parametrize(
    ("words", "score"),
    [("5", 5), (" 4 分！", 4), ("3/5", 3), ("2 stars", 2), ("5分 非常满意", 5), ("55", None)],
)
def test_a_bare_number_is_a_score_and_anything_more_is_not(words: str, score: int | None) -> None:
    assert answered(Text(text=words)) == score
    assert answered(Text(text=f"{words}，还有个问题")) is None


async def test_what_the_shop_says_is_no_rating(shop: Shop) -> None:
    chat = await close(shop)
    await ask(shop)
    said = await shop.store.read(lambda unit: unit.conversations.said_in(chat))
    ours = replace(said[-1], content=Text(text="5"), direction=Direction.OUT)
    await shop.store.transact(rating.hear, ours, at=shop.clock.now())
    assert (await about(shop, chat)).score == 0
