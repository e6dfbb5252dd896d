"""Training: that held-out scores are honest, and that the same rows give the same weights."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from router.understanding.encoder import open_encoder
from router.understanding.fit import (
    Ridge,
    logistic_line,
    lowest_for_precision,
    lowest_for_recall,
)
from router.understanding.learning import (
    Example,
    decisions,
    examples,
    left_out,
    solve,
    told_apart,
)
from router.understanding.model import packed
from router.understanding.reader import RuleReader
from router.understanding.tuned import Tuned, open_tuned

AUTHORED = Path(__file__).parent.parent / "data" / "authored" / "messages_dev.jsonl"
TRAINING = Path(__file__).parents[2] / "router" / "understanding" / "training"


@cache
def tuned() -> Tuned:
    return open_tuned()


@cache
def rows() -> tuple[Example, ...]:
    made = examples(AUTHORED, known=True, encoder=open_encoder(), tuned=tuned(), rules=RuleReader())
    return tuple(made[::3])


def test_layers_that_never_saw_a_row_speak_for_it_in_training() -> None:
    told = told_apart(TRAINING)
    files = (*TRAINING.glob("*.jsonl"), AUTHORED)
    held = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]
    assert set(told) == {each["id"] for each in held}
    authored = [each for each in held if each["id"] in {row.message.id for row in rows()}]
    scores = [told[each["id"]][0] for each in authored]
    assert [row.seen.told[0] for row in rows()] != scores
    labels = np.array([each["complaint"] for each in authored])
    above = (np.array(scores)[labels == 1][:, None] > np.array(scores)[labels == 0]).mean()
    assert above > 0.93


def test_a_left_out_score_is_that_of_a_model_without_the_row() -> None:
    rng = np.random.default_rng(5)
    points, targets = rng.normal(size=(12, 3)), rng.normal(size=(12, 2))
    kernel = points @ points.T
    groups = np.array(["a", "b", "c"] * 4)
    told = Ridge(kernel, targets).without(groups)
    for group in "abc":
        out, kept = np.flatnonzero(groups == group), np.flatnonzero(groups != group)
        again = Ridge(kernel[np.ix_(kept, kept)], targets[kept])
        expected = (kernel[np.ix_(out, kept)] + 1.0) @ again.dual
        np.testing.assert_allclose(told[out], expected, atol=1e-8)


def test_the_same_rows_give_the_same_file() -> None:
    names = RuleReader().rule_names
    first, again = (
        solve(rows(), tuned=tuned(), names=names, without=frozenset()) for _ in range(2)
    )
    assert packed(first.arrays) == packed(again.arrays)


def test_a_few_messages_already_tell_complaints_apart() -> None:
    solved = solve(
        rows(), tuned=tuned(), names=RuleReader().rule_names, without=frozenset({"rules", "tuned"})
    )
    told = left_out(solved, np.array([row.group for row in rows()]))[:, 0]
    labels = np.array([row.message.complaint for row in rows()])
    above = (told[labels == 1][:, None] > told[labels == 0]).mean()
    assert above > 0.75


def test_thresholds_stand_in_order_for_both_languages() -> None:
    solved = solve(rows(), tuned=tuned(), names=RuleReader().rule_names, without=frozenset())
    told = left_out(solved, np.array([row.group for row in rows()]))
    chosen = decisions(told, rows())
    assert chosen.shape == (2, 8)
    assert (chosen[:, 2] < chosen[:, 3]).all()


def test_thresholds_keep_what_they_promise() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.4, 0.3, 0.2])
    labels = np.array([1.0, 1.0, 0.0, 1.0, 0.0, 0.0])
    assert lowest_for_recall(scores, labels, 1.0) == 0.4
    assert lowest_for_precision(scores, labels, 0.9) == 0.8
    with pytest.raises(ValueError, match="no threshold reaches"):
        lowest_for_precision(scores, np.zeros(6), 0.9)


def test_a_calibrated_score_is_a_share() -> None:
    rng = np.random.default_rng(2)
    scores = rng.normal(size=4000)
    labels = (rng.random(4000) < 1 / (1 + np.exp(-(3 * scores - 1)))).astype(float)
    slope, offset = logistic_line(scores, labels)
    assert slope == pytest.approx(3, abs=0.4)
    assert offset == pytest.approx(-1, abs=0.3)
