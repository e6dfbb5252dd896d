"""The floors under reading and answering, on the authored messages and questions.

The reader's lexicon was written with these messages in view, so the floors guard against loss;
what to expect of unseen text is told in docs/UNDERSTANDING.md.
"""

from functools import cache
from pathlib import Path

import pytest

from router.understanding.evaluate import (
    AnswerScores,
    Article,
    Extraction,
    Message,
    MessageScores,
    Question,
    cross_validated,
    load,
    score_answers,
    score_extraction,
    score_messages,
)
from router.understanding.reader import RuleReader
from router.understanding.retrieval import ANSWER_AT, ASK_AT

AUTHORED = Path(__file__).parent.parent / "data" / "authored"


@cache
def message_scores(language: str) -> MessageScores:
    messages = load(AUTHORED / "messages_dev.jsonl", Message)
    return score_messages([each for each in messages if each.lang == language], RuleReader().read)


@cache
def answer_scores() -> AnswerScores:
    tried = cross_validated(
        load(AUTHORED / "faq_kb.jsonl", Article),
        load(AUTHORED / "faq_questions_dev.jsonl", Question),
    )
    return score_answers(tried, answer_at=ANSWER_AT, ask_at=ASK_AT)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_complaints_are_not_missed(language: str) -> None:
    scores = message_scores(language)
    assert scores.complaint_recall.value >= 0.97
    assert scores.alert_recall.value >= 0.71
    assert scores.grave_recall.value == 1.0


@pytest.mark.parametrize("language", ["zh", "en"])
def test_false_alarms_stay_few(language: str) -> None:
    scores = message_scores(language)
    assert scores.false_alarms_plain.value <= 0.09
    assert scores.false_alarms_hard.value <= 0.13
    assert scores.alert_precision.value >= 0.96
    assert scores.average_precision >= 0.96


@pytest.mark.parametrize("language", ["zh", "en"])
def test_topic_wish_and_mood_are_read(language: str) -> None:
    scores = message_scores(language)
    assert scores.intent.value >= 0.82
    assert scores.intent_macro_f1 >= 0.78
    assert scores.human_recall.value >= 0.97
    assert scores.human_precision.value >= 0.95
    assert scores.sentiment >= 0.85
    assert scores.language.value >= 0.98


def test_numbers_are_extracted() -> None:
    rows = load(AUTHORED / "extraction_dev.jsonl", Extraction)
    reader = RuleReader()
    precision, recall = score_extraction(rows, lambda text: reader.read(text).entities)
    assert (precision.value, recall.value) >= (0.96, 0.96)


def test_common_questions_are_answered_and_strangers_are_not() -> None:
    scores = answer_scores()
    assert scores.common_right.value >= 0.70
    assert scores.common_precision.value >= 0.95
    assert scores.hard_precision.value >= 0.83
    assert scores.outside_answered.value <= 0.04
