"""Articles, their publications and uses, products and open questions: kept on both databases."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from router.domain.article import Ending, Publication, ended
from router.domain.ids import (
    AccountName,
    ArticleId,
    ConversationId,
    InteractionId,
    ProductId,
    PublicationId,
)
from router.domain.product import ProductState
from router.domain.question import OpenQuestion, QuestionState
from router.domain.timeline import Direction
from router.service.ports import Conflict, NotFound
from router.store.engine import SqlStore
from router.store.unit import SqlUnit
from tests.builders import NOW, a_product, an_article, an_interaction

HOUR = timedelta(hours=1)


def a_publication(number: int = 1, **changes: Any) -> Publication:
    plain = Publication(
        id=PublicationId(f"p-{number}"),
        article=ArticleId("returns"),
        number=number,
        category="after-sales",
        questions=("怎么退货?",),
        answer_zh="七天无理由。",
        answer_en="",
        channels=frozenset({"wechat"}),
        accounts=frozenset({AccountName("shop-wechat")}),
        products=frozenset({ProductId("sofa")}),
        recommends=True,
        published_at=NOW,
        published_by="wang",
        begins_at=NOW,
    )
    return replace(plain, **changes)


async def test_an_article_is_written_once_and_then_only_over_what_was_read(
    store: SqlStore,
) -> None:
    def save(unit: SqlUnit, **changes: Any) -> Any:
        saved = unit.knowledge.save_article(an_article(**changes))
        return saved, unit.knowledge.article("returns")

    saved, first = await store.transact(save)
    assert saved == first == an_article(version=1)
    wide = {
        "accounts": frozenset({AccountName("shop-wechat")}),
        "products": frozenset({ProductId("sofa")}),
        "recommends": True,
        "valid_from": NOW,
        "valid_until": NOW + HOUR,
        "submitted_by": "li",
        "live": PublicationId("p-1"),
    }
    _saved, second = await store.transact(save, version=1, **wide)
    assert second == an_article(version=2, **wide)
    for stale in (0, 1):
        with pytest.raises(Conflict):
            await store.transact(save, version=stale)
    with pytest.raises(NotFound):
        await store.read(lambda unit: unit.knowledge.article("none"))


async def test_what_was_published_stays_word_for_word_and_ends_once(store: SqlStore) -> None:
    first, second = a_publication(), a_publication(2, begins_at=NOW + HOUR)

    def keep(unit: SqlUnit) -> None:
        unit.knowledge.add_publication(first)
        unit.knowledge.add_publication(second)

    await store.transact(keep)
    assert await store.read(lambda unit: unit.knowledge.publications("returns")) == (second, first)
    with pytest.raises(Conflict):
        await store.transact(lambda unit: unit.knowledge.add_publication(first))
    lapsed = await store.read(lambda unit: unit.knowledge.lapsed(NOW))
    assert lapsed == ()
    assert await store.read(lambda unit: unit.knowledge.lapsed(NOW + HOUR)) == (first,)
    over = ended(first, ending=Ending.SUPERSEDED, at=NOW + HOUR)
    await store.transact(lambda unit: unit.knowledge.end(over))
    with pytest.raises(Conflict):
        await store.transact(lambda unit: unit.knowledge.end(over))
    assert await store.read(lambda unit: unit.knowledge.publication(first.id)) == over
    assert await store.read(lambda unit: unit.knowledge.standing()) == (second,)


async def test_an_answer_names_the_publication_it_came_from(store: SqlStore) -> None:
    said = an_interaction(
        "answer-1", direction=Direction.OUT, author="bot", sources=(PublicationId("p-1"),)
    )

    def say(unit: SqlUnit) -> None:
        unit.conversations.append(said)
        unit.conversations.append(said)  # the same again changes nothing

    await store.transact(say)
    assert (await store.read(lambda unit: unit.conversations.interaction(said.id))) == said
    (use,) = await store.read(lambda unit: unit.knowledge.uses(PublicationId("p-1")))
    assert (use.interaction, use.conversation, use.author) == (said.id, said.conversation, "bot")
    assert await store.read(lambda unit: unit.knowledge.count_uses(PublicationId("p-1"))) == 1


async def test_a_product_is_kept_with_its_state_and_statement(store: SqlStore) -> None:
    sofa = a_product(
        "sofa",
        state=ProductState.RECALLED,
        words=("沙发",),
        notice={"zh": "停用", "en": "Stop"},
        successor=ProductId("bed"),
    )
    saved = await store.transact(lambda unit: unit.knowledge.save_product(sofa))
    assert await store.read(lambda unit: unit.knowledge.products()) == (saved,)
    assert saved == replace(sofa, version=1)
    with pytest.raises(Conflict):
        await store.transact(lambda unit: unit.knowledge.save_product(sofa))
    with pytest.raises(NotFound):
        await store.read(lambda unit: unit.knowledge.product(ProductId("none")))


async def test_a_question_is_kept_once_settled_and_forgotten(store: SqlStore) -> None:
    def question(number: int) -> OpenQuestion:
        return OpenQuestion(
            id=InteractionId(f"i-{number}"),
            conversation=ConversationId("c-1"),
            text="能开专票吗\0",
            language="zh",
            channel="wechat",
            at=NOW + number * HOUR,
        )

    first, second = question(1), question(2)
    assert await store.transact(lambda unit: unit.knowledge.ask(first))
    assert not await store.transact(lambda unit: unit.knowledge.ask(first))
    await store.transact(lambda unit: unit.knowledge.ask(second))
    open_ones = await store.read(lambda unit: unit.knowledge.questions())
    assert [each.id for each in open_ones] == [second.id, first.id]

    def draft(unit: SqlUnit) -> int:
        return unit.knowledge.settle_questions(
            [first.id, second.id], QuestionState.DRAFTED, article=ArticleId("a-1")
        )

    assert await store.transact(draft) == 2
    assert await store.transact(draft) == 0
    assert await store.read(lambda unit: unit.knowledge.questions()) == ()
    before = NOW + 2 * HOUR
    assert await store.transact(lambda unit: unit.knowledge.forget_questions(before=before)) == 1
