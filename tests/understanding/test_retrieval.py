"""Finding the article that answers a question, and deciding whether to answer with it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.domain.ids import ArticleId
from router.domain.knowledge import (
    Answer,
    Answerable,
    AskBack,
    Candidate,
    HandOver,
    decide_answer,
)
from router.understanding.retrieval import ANSWER_AT, ASK_AT, Retrieval


def an_article(
    name: str, *questions: str, answer_zh: str = "好的", answer_en: str = ""
) -> Answerable:
    return Answerable(
        id=ArticleId(name),
        questions=questions,
        answer_zh=answer_zh,
        answer_en=answer_en,
        channels=frozenset(),
    )


def a_candidate(confidence: float, name: str = "one") -> Candidate:
    return Candidate(article=ArticleId(name), confidence=confidence, question="？")


SHOP = (
    an_article("ship", "下单后多久发货？", "How long until my order ships?"),
    an_article("refund", "退款多久到账？", "How long do refunds take?"),
    an_article("invoice", "怎么开发票？", "How do I get an invoice?"),
    an_article("lift", "大件送货上门吗？没有电梯怎么收费？", "Do you carry large items upstairs?"),
)


@pytest.mark.parametrize(
    ("question", "language", "article"),
    [
        ("退款多久到账", "zh", "refund"),
        ("退款多長時間到賬", "zh", "refund"),
        ("咋开票", "zh", "invoice"),
        ("没电梯送上楼收费吗", "zh", "lift"),
        ("when will I get my refund", "en", "refund"),
        ("i need an invoice", "en", "invoice"),
        ("order shiping time", "en", "ship"),
    ],
)
def test_the_article_that_answers_comes_first(question: str, language: str, article: str) -> None:
    assert Retrieval(SHOP).best(question, language=language)[0].article == article


def test_the_wording_shown_is_in_the_language_of_the_customer() -> None:
    shown = [
        Retrieval(SHOP).best("退款 refund", language=language)[0].question
        for language in ("zh", "en")
    ]
    assert shown == ["退款多久到账？", "How long do refunds take?"]


def test_a_question_in_its_own_words_is_surer_than_half_of_it() -> None:
    index = Retrieval(SHOP)
    exact, vague = (
        index.best(question, language="zh")[0].confidence
        for question in ("退款多久到账？", "颜色多久能换")
    )
    assert exact > ANSWER_AT > vague


@pytest.mark.parametrize("question", ["", "?!", "🙂", "zzzzqqqq"])
def test_nothing_known_finds_nothing(question: str) -> None:
    assert Retrieval(SHOP).best(question, language="zh") == ()


def test_an_empty_knowledge_base_finds_nothing() -> None:
    assert Retrieval(()).best("退款", language="zh") == ()


@settings(deadline=None)
@given(st.text(max_size=200), st.integers(1, 5))
def test_any_question_gets_at_most_as_many_candidates_as_wanted(question: str, limit: int) -> None:
    found = Retrieval(SHOP).best(question, language="en", limit=limit)
    assert len(found) <= min(limit, len(SHOP))
    assert len({each.article for each in found}) == len(found)
    assert [each.confidence for each in found] == sorted(
        (each.confidence for each in found), reverse=True
    )


def test_a_sure_candidate_is_answered() -> None:
    assert decide_answer([a_candidate(0.9)], answer_at=0.8, ask_at=0.3) == Answer(
        candidate=a_candidate(0.9)
    )


def test_unsure_candidates_are_asked_back_without_the_unlikely_ones() -> None:
    likely, unlikely = a_candidate(0.5), a_candidate(0.1, "two")
    decided = decide_answer([likely, unlikely], answer_at=0.8, ask_at=0.3)
    assert decided == AskBack(candidates=(likely,))


@pytest.mark.parametrize("candidates", [[], [a_candidate(0.1)]])
def test_what_nothing_answers_goes_to_a_person(candidates: list[Candidate]) -> None:
    assert decide_answer(candidates, answer_at=ANSWER_AT, ask_at=ASK_AT) == HandOver()


def test_thresholds_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 0 <= ask_at <= answer_at <= 1"):
        decide_answer([], answer_at=0.3, ask_at=0.8)


def test_an_untranslated_article_answers_in_the_language_it_has() -> None:
    article = an_article("ship", "多久发货", answer_zh="两天")
    assert (article.answer("zh"), article.answer("en")) == ("两天", "两天")
    assert article.is_for("wechat")
