"""Articles: what may be published by whom, and what holds when."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.article import (
    Article,
    ArticleState,
    Publication,
    checked,
    holding,
    published,
    submitted,
)
from router.domain.errors import IllegalStep, Invalid, OwnWork
from router.domain.ids import ArticleId, ProductId, PublicationId
from tests.builders import NOW, an_article

HOUR = timedelta(hours=1)


def publish(article: Article, **changes: Any) -> tuple[Article, Publication]:
    plain = {"publication": PublicationId("p-1"), "number": 1, "by": "wang", "at": NOW}
    return published(article, **{**plain, "four_eyes": False, **changes})


def test_a_published_text_is_word_for_word_the_articles() -> None:
    article, made = publish(an_article(state=ArticleState.DRAFT))
    assert (article.state, article.live) == (ArticleState.PUBLISHED, made.id)
    assert (made.questions, made.answer_zh) == (article.questions, article.answer_zh)
    assert made.holds(NOW)


def test_with_four_eyes_nobody_publishes_their_own_words() -> None:
    draft = an_article(state=ArticleState.DRAFT, updated_by="li")
    with pytest.raises(IllegalStep):
        publish(draft, four_eyes=True)
    waiting = submitted(draft, by="li")
    with pytest.raises(OwnWork):
        publish(waiting, by="li", four_eyes=True)
    with pytest.raises(OwnWork):
        publish(submitted(replace(draft, updated_by="wang"), by="li"), four_eyes=True)
    article, _made = publish(waiting, by="wang", four_eyes=True)
    assert article.state is ArticleState.PUBLISHED


def test_what_is_published_is_not_published_again_unchanged() -> None:
    article, _made = publish(an_article(state=ArticleState.DRAFT))
    with pytest.raises(IllegalStep):
        publish(article)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"questions": (" ",)}, "questions"),
        ({"valid_from": NOW, "valid_until": NOW}, "valid_until"),
        ({"recommends": True}, "products"),
    ],
)
def test_what_cannot_be_an_article_is_refused_by_its_field(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid, match=f"^{field}:"):
        checked(an_article(**changes))


def test_without_an_answer_a_draft_goes_no_further() -> None:
    empty = checked(an_article(state=ArticleState.DRAFT, answer_zh="", answer_en=" "))
    with pytest.raises(Invalid, match=r"^answer:"):
        submitted(empty, by="li")
    with pytest.raises(Invalid, match=r"^answer:"):
        publish(empty)


def test_what_is_over_already_is_not_published() -> None:
    with pytest.raises(Invalid, match="valid_until"):
        publish(an_article(state=ArticleState.DRAFT, valid_until=NOW - HOUR))


def test_a_scope_without_names_is_everywhere() -> None:
    _article, made = publish(an_article(state=ArticleState.DRAFT, channels=frozenset()))
    assert made.is_for(channel="weibo", account="shop-weibo")
    narrow = replace(made, channels=frozenset({"wechat"}))
    assert not narrow.is_for(channel="weibo")
    assert narrow.is_for()


@given(
    st.lists(
        st.tuples(
            st.integers(0, 20), st.none() | st.integers(1, 20), st.none() | st.integers(0, 20)
        ),
        max_size=6,
    ),
    st.integers(0, 25),
)
def test_of_an_article_one_publication_holds_at_most_and_only_in_its_time(
    spans: list[tuple[int, int | None, int | None]], hour: int
) -> None:
    _article, plain = publish(an_article(state=ArticleState.DRAFT))
    made = [
        replace(
            plain,
            id=PublicationId(f"p-{number}"),
            article=ArticleId("one"),
            number=number,
            begins_at=NOW + begins * HOUR,
            valid_until=None if lasts is None else NOW + (begins + lasts) * HOUR,
            ended_at=None if ended is None else NOW + ended * HOUR,
        )
        for number, (begins, lasts, ended) in enumerate(spans, 1)
    ]
    at = NOW + hour * HOUR
    found = holding(made, at)
    able = [each for each in made if each.holds(at)]
    assert bool(found) == bool(able)
    for each in found.values():
        assert each.begins_at <= at
        assert each.begins_at == max(other.begins_at for other in able)


def test_products_are_kept_with_what_is_published() -> None:
    sofa = frozenset({ProductId("sofa")})
    _article, made = publish(an_article(state=ArticleState.DRAFT, products=sofa, recommends=True))
    assert (made.products, made.recommends) == (sofa, True)
