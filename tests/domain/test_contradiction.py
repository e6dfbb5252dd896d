"""Texts that contradict: other numbers, another answer, a translation that says otherwise."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from router.domain.article import Publication
from router.domain.contradiction import Sign, contradictions
from router.domain.ids import ArticleId, InteractionId, PublicationId
from router.domain.quantities import differing, quantities
from router.domain.question import OpenQuestion, grouped, wording
from router.understanding.grouping import near
from tests.builders import NOW


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("7天无理由退货", {("hours", 168.0)}),
        ("七天内，或一周", {("hours", 168.0)}),
        ("24小时内 or within one day", {("hours", 24.0)}),
        ("within 3-5 working days", {("working days", 5.0)}),
        ("十五个工作日", {("working days", 15.0)}),
        ("满99元包邮，运费￥10", {("money", 99.0), ("money", 10.0)}),
        ("质保两年", {("months", 24.0)}),
        ("百分之十的定金，九折", {("percent", 10.0), ("discount", 9.0)}),
        ("1,299元", {("money", 1299.0)}),
        ("半小时", {("hours", 0.5)}),
        ("欢迎光临，生产日期见包装", set()),
    ],
)
def test_what_a_text_states_in_numbers_is_found(text: str, found: set[tuple[str, float]]) -> None:
    assert quantities(text) == found


def test_numbers_differ_only_where_both_speak_of_the_same_and_share_none() -> None:
    assert differing("7天可退", "15天可退") == ((("hours", 168.0), ("hours", 360.0)),)
    assert differing("7天可退", "一周可退") == ()
    assert differing("7天可退", "运费10元") == ()
    assert differing("7天，特殊15天", "15天") == ()


def a_text(article: str, question: str, zh: str, **changes: Any) -> Publication:
    plain = Publication(
        id=PublicationId(f"p-{article}"),
        article=ArticleId(article),
        number=1,
        category="",
        questions=(question,),
        answer_zh=zh,
        answer_en="",
        channels=frozenset(),
        published_at=NOW,
        published_by="wang",
        begins_at=NOW,
    )
    return replace(plain, **changes)


WEEK = a_text("a", "几天可以退货？", "签收后7天内可以退货。")
HALF_MONTH = a_text("b", "几天可以退货", "签收后15天内可以退货。")


def test_two_answers_in_other_numbers_to_one_question_contradict() -> None:
    (found,) = contradictions([WEEK, HALF_MONTH], near=near, at=NOW)
    assert (found.sign, found.one.article, found.other.article) == (Sign.NUMBERS, "a", "b")
    assert found.differs == ((("hours", 168.0), ("hours", 360.0)),)


@pytest.mark.parametrize(
    "other",
    [
        replace(HALF_MONTH, answer_zh=WEEK.answer_zh),
        replace(HALF_MONTH, questions=("怎么开发票",)),
        replace(HALF_MONTH, article=WEEK.article),
        replace(HALF_MONTH, ended_at=NOW),
        replace(HALF_MONTH, valid_until=NOW),
    ],
)
def test_what_does_not_meet_does_not_contradict(other: Publication) -> None:
    assert contradictions([WEEK, other], near=near, at=NOW) == ()


def test_other_places_and_other_times_may_have_other_answers() -> None:
    mine = replace(WEEK, channels=frozenset({"taobao"}))
    theirs = replace(HALF_MONTH, channels=frozenset({"jd"}))
    assert contradictions([mine, theirs], near=near, at=NOW) == ()
    until = NOW + timedelta(days=1)
    later = replace(HALF_MONTH, begins_at=until)
    assert contradictions([replace(WEEK, valid_until=until), later], near=near, at=NOW) == ()
    assert len(contradictions([WEEK, later], near=near, at=NOW)) == 1


def test_an_article_that_says_otherwise_in_english_contradicts_itself() -> None:
    text = replace(WEEK, answer_en="Return it within 15 days.")
    (found,) = contradictions([text], near=near, at=NOW)
    assert (found.sign, found.one) == (Sign.TRANSLATION, text)


def test_another_answer_without_numbers_is_pointed_out_too() -> None:
    yes = replace(WEEK, answer_zh="可以，联系客服即可办理。")
    no = replace(HALF_MONTH, answer_zh="定制商品不支持退货。")
    (found,) = contradictions([yes, no], near=near, at=NOW)
    assert found.sign is Sign.ANSWERS


def asked(number: int, text: str) -> OpenQuestion:
    return OpenQuestion(
        id=InteractionId(f"i-{number}"),
        conversation="c",  # type: ignore[arg-type]
        text=text,
        language="zh",
        channel="wechat",
        at=NOW,
    )


def test_the_same_question_in_other_words_is_one_group() -> None:
    texts = [
        "支持以旧换新吗",
        "你们支持以旧换新吗？",
        "以旧换新支持吗",
        "能开专用发票吗",
        "送货上楼吗",
    ]
    held = [asked(number, text) for number, text in enumerate(texts)]
    first, *rest = grouped(held, near(texts, 0.5))
    assert {each.text for each in first.questions} == set(texts[:3])
    assert [len(each.questions) for each in rest] == [1, 1]
    assert set(first.wordings()) == set(texts[:3])


def test_a_wording_carries_nobodys_numbers() -> None:
    text = "我的电话13800138000，订单 2026 1111 0001，邮箱 li@example.com，7天能到吗"
    assert wording(text) == "我的电话…，订单 …，邮箱 …，7天能到吗"
