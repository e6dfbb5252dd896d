"""A question as weighted terms: characters and pairs for Chinese, stems for English."""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import msgspec

from router.understanding.text import normal, printable

_LONGEST_QUESTION = 400  # characters; what follows is a story and no question
_HAN_RUN = re.compile("[\u3400-\u9fff]+")
_WORD = re.compile(r"[a-z0-9]+")
_ENDINGS = ("ings", "ing", "ies", "ied", "es", "ed", "s", "ly")
_SHORTEST_STEM = 3
_LONG_WORD = 4

# What a term counts, tuned by cross-validation on the authored questions.
_CHARACTER, _PAIR, _WEAK_PAIR, _EMPTY_PAIR, _TRIPLE = 1.0, 1.0, 0.2, 0.1, 0.3
_STEM, _STEM_PAIR, _PART, _FILLER = 1.0, 0.3, 0.3, 0.2


class _Wordings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    filler: dict[str, str]
    zh: dict[str, tuple[str, ...]]
    en: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Folding:
    """What finds each listed synonym, what each is folded into, and what says next to nothing."""

    pattern: re.Pattern[str]
    kept: Mapping[str, str]
    filler: frozenset[str]  # English words and Chinese characters


@cache
def _folding() -> _Folding:
    """Read ``data/wording.toml``."""
    held = resources.files("router.understanding").joinpath("data/wording.toml")
    listed = msgspec.convert(tomllib.loads(held.read_text(encoding="utf-8")), _Wordings)
    kept = {
        other: keep
        for group in (listed.zh, listed.en)
        for keep, others in group.items()
        for other in others
    }
    longest_first = sorted(map(re.escape, kept), key=len, reverse=True)
    chinese = (each for each in longest_first if not each.isascii())
    english = (each for each in longest_first if each.isascii())
    found = f"{'|'.join(chinese)}|\\b(?:{'|'.join(english)})\\b"
    return _Folding(
        pattern=re.compile(found, re.ASCII),
        kept=kept,
        filler=frozenset([*listed.filler["zh"], *listed.filler["en"].split()]),
    )


def terms_of(text: str) -> Mapping[str, float]:
    """Return the terms of ``text`` and what each counts; empty if it holds no word."""
    folding = _folding()
    plain = normal(printable(text[:_LONGEST_QUESTION]))
    plain = folding.pattern.sub(lambda found: folding.kept[found.group()], plain)
    counted: defaultdict[str, float] = defaultdict(float)
    for run in _HAN_RUN.findall(plain):
        for term, weight in _chinese(run, folding.filler):
            counted[term] += weight
    for term, weight in _english(_WORD.findall(plain), folding.filler):
        counted[term] += weight
    return counted


def _chinese(run: str, filler: frozenset[str]) -> Iterator[tuple[str, float]]:
    for character in run:
        yield character, _CHARACTER * (_FILLER if character in filler else 1.0)
    for at in range(len(run) - 1):
        fillers = (run[at] in filler) + (run[at + 1] in filler)
        yield run[at : at + 2], (_PAIR, _WEAK_PAIR, _EMPTY_PAIR)[fillers]
        if at + 2 < len(run):
            yield run[at : at + 3], _TRIPLE


def _english(words: list[str], fillers: frozenset[str]) -> Iterator[tuple[str, float]]:
    before = ""
    for word in words:
        stem = _stem(word)
        filler = word in fillers
        yield f"w:{stem}", _STEM * (_FILLER if filler else 1.0)
        if before:
            yield f"p:{before} {stem}", _STEM_PAIR
        if not filler and len(word) >= _LONG_WORD:
            edged = f"^{stem}$"
            for at in range(len(edged) - _LONG_WORD + 1):
                yield f"c:{edged[at : at + _LONG_WORD]}", _PART
        before = stem


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            word = word.removesuffix(ending) + ("y" if ending in {"ies", "ied"} else "")
            break
    return word.removesuffix("e") if len(word) > _SHORTEST_STEM else word
