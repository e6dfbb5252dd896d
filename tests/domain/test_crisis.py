"""A burst against the subject's own past, and the steps of a statement."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from router.domain.crisis import (
    Crisis,
    CrisisPolicy,
    CrisisState,
    Subject,
    approved,
    drafted,
    ended,
    is_burst,
    pinned,
    subject_of,
    tail,
)
from router.domain.errors import IllegalStep, Invalid
from router.domain.ids import AgentId

NOW = datetime(2026, 11, 11, tzinfo=UTC)
BOSS = AgentId("boss")
WORDS = {"any": {"zh": "已知悉", "en": "We know."}, "social": {"zh": "大家好，已知悉", "en": ""}}


def a_crisis() -> Crisis:
    return Crisis(
        id="c1",
        subject=Subject(kind="topic", name="logistics"),
        state=CrisisState.RAISED,
        raised_at=NOW,
        raised_by="",
        count=9,
        usual=0.5,
    )


@pytest.mark.parametrize(
    ("count", "mean", "probability"),
    [
        (0, 3.0, 1.0),
        (1, 1.0, 1 - math.exp(-1)),
        (2, 1.0, 1 - 2 * math.exp(-1)),
        (10, 2.0, 4.6498e-5),  # tables of the Poisson distribution
        (3, 10.0, 1 - math.exp(-10) * (1 + 10 + 50)),
    ],
)
def test_the_tail_is_that_of_the_tables(count: int, mean: float, probability: float) -> None:
    assert tail(count, mean) == pytest.approx(probability, rel=1e-4)


@given(some.integers(0, 400), some.floats(0.001, 300))
def test_the_tail_is_a_probability_and_falls_with_the_count(count: int, mean: float) -> None:
    assert 0 <= tail(count + 1, mean) <= tail(count, mean) + 1e-12 <= 1 + 1e-9


def test_few_persons_are_no_burst_however_rare() -> None:
    assert not is_burst(4, 0, policy=CrisisPolicy(least=5))
    assert is_burst(5, 0, policy=CrisisPolicy(least=5))


def test_a_subject_that_is_known_for_a_day_is_held_against_that_day() -> None:
    policy = CrisisPolicy()
    assert is_burst(5, 24, policy=policy)
    assert not is_burst(5, 24, policy=policy, known_for=timedelta(days=1))
    assert is_burst(5, 0, policy=policy, known_for=timedelta(days=1))


def test_what_is_usual_for_one_subject_is_a_burst_for_another() -> None:
    policy = CrisisPolicy()
    windows = policy.baseline / policy.window
    assert not is_burst(12, int(10 * windows), policy=policy)
    assert is_burst(12, int(1 * windows), policy=policy)


@given(some.integers(0, 60), some.integers(0, 5000))
def test_a_longer_past_never_makes_a_burst(count: int, past: int) -> None:
    policy = CrisisPolicy()
    assert is_burst(count, past, policy=policy) or not is_burst(count, past + 1, policy=policy)


def test_a_statement_is_drafted_approved_and_pinned_in_this_order() -> None:
    raised = a_crisis()
    for step in (
        lambda: approved(raised, by=BOSS, at=NOW),
        lambda: pinned(raised, at=NOW),
        lambda: pinned(drafted(raised, wordings=WORDS, by=BOSS, at=NOW), at=NOW),
    ):
        with pytest.raises(IllegalStep):
            step()
    ready = approved(drafted(raised, wordings=WORDS, by=BOSS, at=NOW), by=BOSS, at=NOW)
    assert pinned(ready, at=NOW).is_pinned


def test_a_new_draft_takes_the_pinned_statement_down() -> None:
    draft = drafted(a_crisis(), wordings=WORDS, by=BOSS, at=NOW)
    standing = pinned(approved(draft, by=BOSS, at=NOW), at=NOW)
    again = drafted(standing, wordings=WORDS, by=BOSS, at=NOW)
    assert (again.state, again.approved_by, again.pinned_at) == (CrisisState.DRAFTED, "", None)


def test_a_crisis_that_is_over_takes_no_step() -> None:
    over = ended(a_crisis(), by=BOSS, at=NOW + timedelta(hours=1))
    with pytest.raises(IllegalStep):
        drafted(over, wordings=WORDS, by=BOSS, at=NOW)
    with pytest.raises(IllegalStep):
        ended(over, by=BOSS, at=NOW)


def test_a_family_without_a_wording_says_the_general_one() -> None:
    crisis = drafted(a_crisis(), wordings=WORDS, by=BOSS, at=NOW)
    assert crisis.wording("social", "zh") == "大家好，已知悉"
    assert crisis.wording("social", "en") == "We know."
    assert crisis.wording("im", "fr") == "已知悉"


@pytest.mark.parametrize("wordings", [{}, {"any": {"zh": "有"}}, {"any": {"zh": "有", "en": " "}}])
def test_a_statement_needs_both_languages(wordings: dict[str, dict[str, str]]) -> None:
    with pytest.raises(Invalid):
        drafted(a_crisis(), wordings=wordings, by=BOSS, at=NOW)


@pytest.mark.parametrize("key", ["", "logistics", "topic:", "person:x"])
def test_a_subject_is_a_topic_or_a_product(key: str) -> None:
    with pytest.raises(Invalid):
        subject_of(key)
