"""The lexicon files: what a supervisor may rely on when editing them."""

import re

import msgspec
import pytest

from router.understanding.lexicon import Entry, compiled, entries

FILES = ("complaint", "human", "intent", "scopes")
ESCAPED = re.compile(r"\\.")
CLASS = re.compile(r"\[[^\]]*\]")


@pytest.mark.parametrize("name", FILES)
def test_each_rule_has_a_name_of_its_own(name: str) -> None:
    names = [entry.name for entry in entries(name)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", FILES)
def test_no_phrase_repeats_without_bound(name: str) -> None:
    for entry in entries(name):
        for phrase in (*entry.zh, *entry.en):
            plain = CLASS.sub("x", ESCAPED.sub("x", phrase))
            assert re.search(r"[*+]|,\}", plain) is None, (entry.name, phrase)


@pytest.mark.parametrize("name", FILES)
def test_no_rule_fires_on_nothing(name: str) -> None:
    assert [entry.name for entry in entries(name) if compiled(entry).search("")] == []


def test_a_gap_stays_within_its_clause() -> None:
    rule = compiled(Entry(name="gap", zh=("说好~没",)))
    assert rule.search("说好送的赠品没有")
    assert not rule.search("说好了,没事")


def test_an_unknown_key_in_a_rule_is_refused_by_name() -> None:
    with pytest.raises(msgspec.ValidationError, match="sevrity"):
        msgspec.convert({"name": "typo", "sevrity": 3}, Entry)
