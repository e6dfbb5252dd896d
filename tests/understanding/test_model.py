"""The trained reader: what it notices, what it never clears, and what happens without its parts.

The weights were trained with the authored messages among others, so the floors on them guard
against loss; what to expect of unseen text is told in docs/UNDERSTANDING.md.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from time import thread_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.domain.reading import Alarm, Intent
from router.understanding.encoder import WIDTH, Floats32, ModelUnavailable, open_encoder
from router.understanding.evaluate import Message, MessageScores, load, score_messages
from router.understanding.model import open_model, shipped
from router.understanding.reader import RuleReader
from router.understanding.tiers import open_reader
from router.understanding.trained import TrainedReader

AUTHORED = Path(__file__).parent.parent / "data" / "authored"


@cache
def reader() -> TrainedReader:
    opened, warning = open_reader()
    assert warning is None
    assert isinstance(opened, TrainedReader)
    return opened


@cache
def scores(language: str) -> MessageScores:
    messages = load(AUTHORED / "messages_dev.jsonl", Message)
    return score_messages([each for each in messages if each.lang == language], reader().read)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_was_learned_is_kept(language: str) -> None:
    told = scores(language)
    assert told.complaint_recall.value >= 0.98
    assert told.grave_recall.value == 1.0
    assert told.average_precision >= 0.96
    assert told.alert_precision.value >= 0.9
    assert told.intent.value >= 0.9
    assert told.human_recall.value >= 0.95
    assert told.sentiment >= 0.8


@pytest.mark.parametrize(
    "text",
    [
        "第三次给你们打电话了，柜门还是关不上",
        "这服务我真是领教了，下次绕着走",
        "客服说的周二上门，今天周五了，连个电话都没有",
        "your driver left the mattress out in the rain and it is soaked",
        'so the "express" delivery means three weeks now, lovely',
        "nobody has answered my last four emails about the broken lamp",
    ],
)
def test_a_complaint_in_new_words_is_noticed(text: str) -> None:
    assert reader().read(text).complaint is not Alarm.NONE


@pytest.mark.parametrize(
    "text",
    [
        "请问这款有没有灰色的",
        "这个插座小孩子会不会触电呀",
        "想问下发票抬头怎么改",
        "好的谢谢，辛苦啦",
        "does the desk come in walnut?",
        "is the fabric fire resistant?",
        "thanks, that worked perfectly",
    ],
)
def test_an_ordinary_question_raises_no_alert(text: str) -> None:
    assert reader().read(text).complaint is not Alarm.ALERT


@pytest.mark.parametrize(
    "text",
    ["我要打12315投诉你们", "再不退钱我就起诉", "I'm filing a chargeback with my bank"],
)
def test_a_threat_alerts_and_says_why(text: str) -> None:
    reading = reader().read(text)
    assert (reading.complaint, reading.severity) == (Alarm.ALERT, 3)
    assert any(each.startswith("complaint:") for each in reading.because)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=400))
def test_it_never_clears_what_a_hard_trigger_raised(text: str) -> None:
    grave = f"{text} 我要去法院起诉你们"
    if RuleReader().read(grave).severity == 3:
        assert reader().read(grave).complaint is not Alarm.NONE


def test_topic_and_wish_are_read() -> None:
    reading = reader().read("快递到哪了，帮我转人工查一下")
    assert reading.intent in {Intent.LOGISTICS, Intent.HUMAN_REQUEST}
    assert reading.wants_human


def test_numbers_are_found_as_by_the_rules() -> None:
    text = "订单 TB20240001 打我电话 13800138000"
    assert reader().read(text).entities == RuleReader().read(text).entities


def test_the_reading_names_its_reader_and_what_decided() -> None:
    reading = reader().read("说好的赠品没有收到")
    assert reading.reader == "trained/3"
    assert reading.because[0] == f"model:complaint {reading.complaint_score:.2f}"
    assert any(each.startswith("words:") for each in reading.because)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=()), max_size=300))
def test_any_text_is_read(text: str) -> None:
    reading = reader().read(text)
    assert 0 <= reading.complaint_score <= 1
    assert -1 <= reading.sentiment <= 1
    assert (reading.severity == 0) is (reading.complaint is Alarm.NONE)


def test_a_very_long_text_takes_bounded_time_and_its_end_is_read() -> None:
    text = "请问这款沙发有没有现货，" * 8000 + "你们就是骗人，我要投诉"
    began = thread_time()
    assert reader().read(text).complaint is not Alarm.NONE
    assert thread_time() - began < 5


def test_without_weights_the_rules_read_and_health_is_told(tmp_path: Path) -> None:
    opened, warning = open_reader(tmp_path)
    assert isinstance(opened, RuleReader)
    assert warning is not None
    assert "cannot be read" in warning


def test_changed_weights_are_refused_by_their_hash(tmp_path: Path) -> None:
    for name in ("reader.npz", "reader.sha256"):
        (tmp_path / name).write_bytes(shipped().joinpath(name).read_bytes())
    with (tmp_path / "reader.npz").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ModelUnavailable, match="has the hash"):
        open_model(tmp_path)


def test_a_file_that_holds_no_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "reader.npz").write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    (tmp_path / "reader.sha256").write_text(f"{empty}  reader.npz\n", encoding="ascii")
    with pytest.raises(ModelUnavailable, match="holds no weights"):
        open_model(tmp_path)


class AnotherEncoder:
    """An encoder whose vectors mean something else than those trained with."""

    def encode(self, texts: Sequence[str]) -> Floats32:
        return np.full((len(texts), WIDTH), WIDTH**-0.5, dtype=np.float32)


def test_an_encoder_that_embeds_otherwise_is_refused() -> None:
    with pytest.raises(ModelUnavailable, match="vectors differ"):
        TrainedReader(model=open_model(), encoder=AnotherEncoder(), rules=RuleReader())


def test_the_encoder_brings_one_meaning_together_across_languages() -> None:
    rows = open_encoder().encode(["什么时候发货", "when will it ship", "这个有红色吗"])
    assert rows[0] @ rows[1] > rows[0] @ rows[2]


def test_the_card_names_the_weights_that_ship() -> None:
    card = shipped().joinpath("CARD.md").read_text(encoding="utf-8")
    digest = shipped().joinpath("reader.sha256").read_text(encoding="ascii").split()[0]
    assert f"`{digest}`" in card
    assert open_model().name in card
