"""Articles and the bot: only what holds is said, each answer can be traced, nothing unsaleable."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from router.domain.article import Article, ArticleState, Ending
from router.domain.content import Text, plain_text
from router.domain.conversation import Offered, Queued
from router.domain.errors import IllegalStep, Invalid, OwnWork
from router.domain.ids import AccountName, AgentId, ConversationId, ProductId, PublicationId
from router.domain.product import ProductState
from router.domain.timeline import Direction, Interaction
from router.service import answer, clocks, products
from router.service.desk import accept
from router.service.knowledge import put, set_state, write
from router.service.ports import Conflict, NotFound
from router.service.reply import reply
from tests.builders import a_product, an_article
from tests.service.conftest import ABLE, CHAT, FAMILY, START, WEIBO, Shop

HOUR = timedelta(hours=1)
ASKED = "怎么开发票"


def invoice(**changes: Any) -> Article:
    plain = an_article(
        "invoice",
        questions=("怎么开发票", "发票怎么开", "How do I get an invoice?"),
        answer_zh="在“我的订单”里申请。",
        answer_en="",
        channels=frozenset(),
    )
    return replace(plain, **changes)


@pytest.fixture(autouse=True)
def _sure(shop: Shop) -> None:
    """Let the bot answer where there is one article and nothing to tell it from."""
    shop.policy = replace(shop.policy, bot=replace(shop.policy.bot, answer_at=0.35))


async def publish(shop: Shop, article: Article, by: str = "wang") -> Article:
    saved: Article = await shop.store.transact(
        put, article=article, by=by, four_eyes=False, at=shop.clock.now()
    )
    await shop.library.refresh(shop.store)
    return saved


async def move(shop: Shop, state: str, by: str = "wang", *, four_eyes: bool = False) -> Article:
    moved: Article = await shop.store.transact(
        set_state,
        article="invoice",
        state=state,
        by=by,
        four_eyes=four_eyes,
        at=shop.clock.now(),
    )
    await shop.library.refresh(shop.store)
    return moved


async def ring(shop: Shop) -> None:
    at = shop.clock.now()
    if await shop.store.read(clocks.anything_due, policy=shop.policy, at=at):
        await shop.store.transact(clocks.ring, policy=shop.policy, at=at)


async def said(shop: Shop, conversation: ConversationId) -> tuple[Interaction, ...]:
    held = await shop.store.read(lambda unit: unit.conversations.said_in(conversation))
    return tuple(each for each in held if each.direction is Direction.OUT)


async def ask(shop: Shop, words: str, person: str = "member-1") -> ConversationId:
    conversation = await shop.hear(CHAT, person, words)
    await shop.settle()
    return conversation


async def test_an_answer_can_be_traced_to_the_text_it_came_from_also_when_that_is_replaced(
    shop: Shop,
) -> None:
    first = await publish(shop, invoice())
    chat = await ask(shop, ASKED)
    (spoken,) = await said(shop, chat)
    assert spoken.sources == (first.live,)
    (decided,) = await shop.store.read(
        lambda unit: [each for each in unit.journal.decisions(chat) if each.kind == "bot_turn"]
    )
    assert decided.because["publication"] == first.live

    second = await publish(
        shop, replace(first, state=ArticleState.PUBLISHED, answer_zh="发邮件给我们。")
    )
    assert second.live != first.live
    old = await shop.store.read(lambda unit: unit.knowledge.publication(first.live))
    assert (old.answer_zh, old.ending) == ("在“我的订单”里申请。", Ending.SUPERSEDED)
    assert plain_text(spoken.content).count(old.answer_zh) == 1
    (use,) = await shop.store.read(lambda unit: unit.knowledge.uses(first.live))
    assert use.interaction == spoken.id


async def test_a_draft_beside_a_published_text_changes_no_answer(shop: Shop) -> None:
    first = await publish(shop, invoice())
    draft = await shop.store.transact(
        write, article=replace(first, answer_zh="草稿。"), by="li", at=START
    )
    assert (draft.state, draft.live) == (ArticleState.DRAFT, first.live)
    await shop.library.refresh(shop.store)
    assert shop.library.published()["invoice"].answer_zh == "在“我的订单”里申请。"


async def test_four_eyes_see_an_article_before_it_is_published(shop: Shop) -> None:
    made = await shop.store.transact(
        put, article=invoice(), by="li", four_eyes=True, at=shop.clock.now()
    )
    assert (made.state, made.live) == (ArticleState.IN_REVIEW, None)
    with pytest.raises(OwnWork):
        await move(shop, "published", by="li", four_eyes=True)
    assert (await move(shop, "draft", by="wang")).state is ArticleState.DRAFT
    with pytest.raises(IllegalStep):
        await move(shop, "published", by="wang", four_eyes=True)
    await move(shop, "in_review", by="li", four_eyes=True)
    assert (await move(shop, "published", by="wang", four_eyes=True)).live is not None


async def test_the_bot_answers_only_within_the_time_of_a_text(shop: Shop) -> None:
    until = START + 2 * HOUR
    await publish(shop, invoice(valid_from=START + HOUR, valid_until=until))
    assert shop.library.published() == {}
    shop.clock.pass_by(HOUR)
    await shop.library.refresh(shop.store)
    assert set(shop.library.published()) == {"invoice"}
    shop.clock.pass_by(HOUR)
    assert shop.library.published() == {}  # also before anybody has rung the clock
    assert shop.library.best(ASKED, language="zh") == ()
    await ring(shop)
    held = await shop.store.read(lambda unit: unit.knowledge.article("invoice"))
    assert (held.state, held.live) == (ArticleState.WITHDRAWN, None)
    (over,) = await shop.store.read(lambda unit: unit.knowledge.publications("invoice"))
    assert over.ending is Ending.EXPIRED


async def test_a_text_that_ends_while_the_bot_thinks_is_not_said(shop: Shop) -> None:
    await publish(shop, invoice(valid_until=START + HOUR))
    chat = await shop.hear(CHAT, "member-1", ASKED)
    await shop.read_all()
    await shop.dispatcher.once()
    (turn,) = await shop.store.read(answer.due, policy=shop.policy, families=FAMILY)
    found = shop.library.best(ASKED, language="zh")
    thought = answer.compose(turn, found, shop.library.published(), products={}, policy=shop.policy)
    assert thought.content is not None
    shop.clock.pass_by(HOUR)
    with pytest.raises(Conflict):
        await shop.store.transact(
            answer.say,
            turn=turn,
            utterance=thought,
            policy=shop.policy,
            capabilities=ABLE,
            at=shop.clock.now(),
        )
    assert await said(shop, chat) == ()


async def test_a_planned_text_takes_over_at_its_time_and_not_before(shop: Shop) -> None:
    first = await publish(shop, invoice())
    planned = replace(
        first,
        state=ArticleState.PUBLISHED,
        answer_zh="双十一后统一开具。",
        valid_from=START + HOUR,
    )
    await publish(shop, planned)
    assert shop.library.published()["invoice"].id == first.live
    shop.clock.pass_by(HOUR)
    await ring(shop)
    await shop.library.refresh(shop.store)
    assert shop.library.published()["invoice"].answer_zh == "双十一后统一开具。"
    states = await shop.store.read(lambda unit: unit.knowledge.publications("invoice"))
    assert [each.ending for each in states] == [None, Ending.SUPERSEDED]


async def test_a_withdrawn_text_is_not_said_again(shop: Shop) -> None:
    await publish(shop, invoice())
    await move(shop, "withdrawn")
    assert shop.library.published() == {}
    await move(shop, "draft")
    with pytest.raises(IllegalStep):
        await move(shop, "withdrawn")


async def test_an_article_of_one_shop_is_not_an_answer_in_another(shop: Shop) -> None:
    await publish(shop, invoice(accounts=frozenset({AccountName(WEIBO)})))
    assert shop.library.best(ASKED, language="zh", channel=CHAT, account=CHAT) == ()
    (found,) = shop.library.best(ASKED, language="zh", channel=WEIBO, account=WEIBO)
    assert found.article == "invoice"


async def sell(shop: Shop, state: ProductState, **changes: Any) -> None:
    notice = {"zh": "请停止使用云朵沙发并联系我们。", "en": "Stop using the cloud sofa."}
    sofa = a_product(
        "sofa",
        state=state,
        title={"zh": "云朵沙发", "en": "Cloud sofa"},
        words=("云朵沙发",),
        notice=notice,
    )
    product = replace(sofa, **changes)
    await shop.store.transact(products.write, product=product, by="wang", at=START)
    await shop.library.refresh(shop.store)


@pytest.mark.parametrize("state", [each for each in ProductState if each != "on_sale"])
async def test_what_is_not_on_sale_is_neither_answered_with_nor_suggested(
    shop: Shop, state: ProductState
) -> None:
    await sell(shop, state)
    tip = an_article(
        "tip",
        questions=("有什么沙发推荐", "推荐一款沙发"),
        answer_zh="推荐云朵沙发。",
        channels=frozenset(),
        products=frozenset({ProductId("sofa")}),
        recommends=True,
    )
    await publish(shop, tip)
    assert shop.library.best("推荐一款沙发", language="zh") == ()
    chat = await ask(shop, "推荐一款沙发")
    assert all("云朵" not in plain_text(each.content) for each in await said(shop, chat))


async def test_who_asks_about_a_recalled_product_gets_the_statement_once_and_then_a_person(
    shop: Shop,
) -> None:
    await sell(shop, ProductState.RECALLED)
    chat = await ask(shop, "云朵沙发怎么清洗")
    (stated,) = await said(shop, chat)
    assert "\n请停止使用云朵沙发并联系我们。\n" in plain_text(stated.content)
    await ask(shop, "云朵沙发多少钱")
    assert len(await said(shop, chat)) == 1
    assert isinstance((await shop.conversation(chat)).state, Queued)


async def test_who_asks_about_what_is_no_longer_sold_is_told_so_first(shop: Shop) -> None:
    await sell(shop, ProductState.DISCONTINUED)
    care = an_article(
        "care",
        questions=("云朵沙发怎么清洗", "云朵沙发脏了怎么办"),
        answer_zh="用湿布擦拭。",
        channels=frozenset(),
        products=frozenset({ProductId("sofa")}),
    )
    await publish(shop, care)
    chat = await ask(shop, "云朵沙发怎么清洗")
    (spoken,) = await said(shop, chat)
    assert "云朵沙发已停售。\n用湿布擦拭。" in plain_text(spoken.content)


async def test_an_article_names_only_products_that_there_are(shop: Shop) -> None:
    with pytest.raises(Invalid, match="products: 'none' is not a product"):
        await publish(shop, invoice(products=frozenset({ProductId("none")})))


async def test_what_the_bot_cannot_answer_is_kept_for_the_writers(shop: Shop) -> None:
    chat = await ask(shop, "你们支持以旧换新吗")
    (kept,) = await shop.store.read(lambda unit: unit.knowledge.questions())
    assert (kept.text, kept.conversation, kept.language) == ("你们支持以旧换新吗", chat, "zh")


async def test_an_agents_answer_names_its_source_and_only_one_that_there_is(shop: Shop) -> None:
    made = await publish(shop, invoice())
    await shop.staff("lin")
    chat = await shop.hear(CHAT, "member-1", "人工")
    await shop.settle()
    state = (await shop.conversation(chat)).state
    assert isinstance(state, Offered)
    await shop.store.transact(
        accept, reservation=state.reservation, by=AgentId("lin"), at=shop.clock.now()
    )

    async def send(source: PublicationId) -> None:
        await shop.store.transact(
            reply,
            conversation=chat,
            by=AgentId("lin"),
            content=Text(text="在订单里申请。"),
            capabilities=ABLE[CHAT],
            at=shop.clock.now(),
            sources=(source, source),
        )

    with pytest.raises(NotFound):
        await send(PublicationId("none"))
    assert made.live is not None
    await send(made.live)
    (sent,) = [each for each in await said(shop, chat) if each.author == "lin"]
    assert sent.sources == (made.live,)
