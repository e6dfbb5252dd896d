"""What turns come to: anger that lingers, repeats, trends, and the call for a person."""

from functools import cache
from pathlib import Path

import pytest

from router.understanding.conversation import Course, Trend, course_of
from router.understanding.encoder import SentenceEncoder, open_encoder
from router.understanding.evaluate import Talk, load, score_talks
from router.understanding.reader import RuleReader
from router.understanding.retrieval import ANSWER_AT, Retrieval
from router.understanding.tiers import open_reader
from tests.understanding.test_retrieval import SHOP, an_article

AUTHORED = Path(__file__).parent.parent / "data" / "authored"
OWN = Path(__file__).parent.parent / "data" / "own"


@cache
def encoder() -> SentenceEncoder:
    return open_encoder()


def course(*texts: str) -> Course:
    rules = RuleReader()
    return course_of(texts, [rules.read(text) for text in texts], encoder=None)


def test_conversations_are_followed_as_labelled() -> None:
    reader, _ = open_reader()
    talks = []
    for talk in load(AUTHORED / "conversations_dev.jsonl", Talk):
        texts = [turn.text for turn in talk.turns]
        readings = [reader.read(text, language=talk.lang) for text in texts]
        talks.append((talk, course_of(texts, readings, encoder=encoder())))
    told = score_talks(talks)
    assert told.escalate_recall.value == 1.0
    assert told.escalate_precision.value >= 0.75
    assert told.repeat_f1.value >= 0.6
    assert told.trend.value >= 0.6


def test_conversations_of_another_hand_are_followed() -> None:
    reader, _ = open_reader()
    talks = []
    for talk in load(OWN / "conversations.jsonl", Talk):
        texts = [turn.text for turn in talk.turns]
        readings = [reader.read(text, language=talk.lang) for text in texts]
        talks.append((talk, course_of(texts, readings, encoder=encoder())))
    told = score_talks(talks)
    assert told.escalate_recall.value >= 0.9
    assert told.escalate_precision.value >= 0.75
    assert told.repeat_f1.value >= 0.6
    assert told.trend.value >= 0.6


def test_a_threat_calls_a_person() -> None:
    assert course("在吗", "再不退钱我就去12315投诉").escalate


def test_a_calm_talk_calls_nobody_and_stays() -> None:
    told = course("积分怎么用", "有礼盒吗")
    assert (told.trend, told.escalate) == (Trend.STABLE, False)


def test_no_turns_come_to_nothing() -> None:
    assert course() == Course(turns=(), trend=Trend.STABLE, escalate=False)


def test_asking_again_is_a_repeat() -> None:
    assert [turn.repeat for turn in course("发票什么时候开", "到底什么时候开发票").turns] == [
        False,
        True,
    ]


def test_anger_lingers_until_a_kind_word() -> None:
    told = course("你们就是骗子", "嗯", "谢谢，处理得很快")
    angers = [turn.anger for turn in told.turns]
    assert angers[0] > angers[1] > 0
    assert angers[2] == 0
    assert told.trend is Trend.FALLING


@pytest.mark.parametrize(
    ("question", "language", "article"),
    [
        ("钱怎么还没退到卡里", "zh", "refund"),
        ("when does the money get back to my card", "en", "refund"),
        ("六楼给搬吗", "zh", "lift"),
    ],
)
def test_with_an_encoder_meaning_finds_what_words_do_not(
    question: str, language: str, article: str
) -> None:
    index = Retrieval(SHOP, encoder())
    assert index.best(question, language=language)[0].article == article
    assert index.answer_at < ANSWER_AT


def test_with_an_encoder_confidence_falls_down_the_list() -> None:
    found = Retrieval(SHOP, encoder()).best("退款多久到账", language="zh")
    confidences = [each.confidence for each in found]
    assert confidences == sorted(confidences, reverse=True)
    assert found[0].article == "refund"


def test_one_article_is_an_index_too() -> None:
    index = Retrieval([an_article("ship", "多久发货", "how long to ship")], encoder())
    assert index.best("什么时候发货", language="zh")[0].article == "ship"
