"""Anchors: leaving an expression untried never changes what is found."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.understanding.anchors import anchors_in, anchors_of
from router.understanding.evaluate import Message, load
from router.understanding.lexicon import compiled as compiled_entry
from router.understanding.lexicon import entries
from router.understanding.text import normal, printable

AUTHORED = Path(__file__).parent.parent / "data" / "authored"


@pytest.mark.parametrize(
    ("expression", "anchors"),
    [
        ("律师", {"律师"}),
        ("退款?", {"退"}),
        ("(?:没|无)人接", {"人接"}),
        ("(?:lawyer|court)s?", {"lawy", "cour"}),
        ("[坏破]了吗", {"了吗"}),
        (r"\d{1,6}", None),
        (r"a?b?", None),
        (r"(?:x|\d)", None),
    ],
)
def test_what_a_match_must_hold(expression: str, anchors: set[str] | None) -> None:
    assert anchors_of(re.compile(expression)) == (None if anchors is None else frozenset(anchors))


@pytest.mark.parametrize("name", ["complaint", "human", "intent"])
def test_a_message_in_which_a_rule_is_found_holds_its_anchor(name: str) -> None:
    texts = [
        normal(printable(each.text)) for each in load(AUTHORED / "messages_dev.jsonl", Message)
    ]
    tried = 0
    for entry in entries(name):
        pattern = compiled_entry(entry)
        anchors = anchors_of(pattern)
        for text in texts if anchors is not None else ():
            if pattern.search(text):
                tried += 1
                assert anchors is not None
                assert anchors & anchors_in(text), (entry.name, text)
    assert tried > 20


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_whatever_matches_holds_an_anchor(data: st.DataObject) -> None:
    expression = data.draw(
        st.sampled_from(
            ["(?:ab|cde)f?", "x(?:yz|好的)w", "(?:退|换)(?:货|款)了", "a{1,3}bc", "no(?:t| one)"]
        )
    )
    text = data.draw(st.from_regex(expression))
    anchors = anchors_of(re.compile(expression))
    assert anchors is not None
    assert anchors & anchors_in(text)
