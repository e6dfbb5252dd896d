"""Whether a text says only what the shop's articles say: the limit of a bot that writes freely.

Nothing here trusts the writer. A text passes only if each of its clauses is made of the words of
the articles that it cites, says neither a number nor an address nor a promise that they do not
say, turns none of their sentences round, and claims nothing that no bot may claim. Whoever talks
the writer into something else gets silence, and a person.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final

from router.domain.limits import (
    ACTS_SAID,
    COURTESY,
    EN_NUMBERS,
    FUNCTION_EN,
    FUNCTION_ZH,
    NEVER_SAID,
    WEIGHTY,
)


class Fault(StrEnum):
    """Why a text may not be said."""

    UNCITED = "cites_nothing"
    UNKNOWN = "cites_unknown"
    EMPTY = "empty"
    LONG = "too_long"
    NUMBER = "number_not_in_article"
    ADDRESS = "address_not_in_article"
    PROMISE = "promise_not_in_article"
    CLAIM = "claims_what_it_may_not"
    WORDS = "words_not_in_article"
    TURNED = "turns_an_article_round"
    MARKUP = "hidden_or_marked_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An article as far as it may be quoted: its wordings and answers in every language."""

    id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounded:
    """The text may be said; it rests on these articles."""

    articles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ungrounded:
    """The text may not be said. ``what`` is the piece that gave it away, for the supervisor."""

    fault: Fault
    what: str = ""


_LONGEST: Final = 1200  # characters: no article needs more
_COVERED_ZH, _COVERED_PAIRS, _COVERED_EN = 0.8, 0.34, 0.7  # shares of a clause, tuned on tests
_FEW: Final = 3  # words of content under which a clause must be covered whole

_ADDRESS: Final = re.compile(
    r"https?://[^\s，。）)]+|www\.[^\s，。）)]+|[\w.+-]+@[\w-]+\.[\w.-]+"
    r"|\b[a-z0-9-]{2,}\.(?:com|cn|net|org|io|shop|top|xyz|vip|club|info|me|app|link|site|store)\b",
    re.IGNORECASE,
)
_MARKUP: Final = re.compile(r"<[a-z!/][^>]*>|\]\(|`|\[\[|\{\{|javascript:", re.IGNORECASE)
_NEGATION_ZH: Final = re.compile(r"不(?!同|仅|好意思|过|错)|没|未|勿|禁止|无法|无需|不可")
_NEGATION_EN: Final = re.compile(r"\b(?:not|no|never|cannot|without|unable|nor|neither)\b|n't\b")
_CLAUSES: Final = re.compile(r"[,，。.!！?？;；:：、\n]+(?!\d)")
_CJK: Final = re.compile(r"[一-鿿]")
_WORD: Final = re.compile(r"[a-z][a-z'-]+")
_ZH_DIGITS: Final[Mapping[str, int]] = {
    each: value
    for value, names in enumerate(("零〇", "一壹", "二两贰", "三叁", "四肆", "五伍", "六陆", "七柒",
                                   "八捌", "九玖"))
    for each in names
}  # fmt: skip
_ZH_UNITS: Final[Mapping[str, int]] = {
    "十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000, "万": 10_000, "亿": 10**8,
}  # fmt: skip
_ZH_NUMBER: Final = re.compile(
    r"[零〇一二两三四五六七八九十百千万亿壹贰叁肆伍陆柒捌玖拾佰仟]+"
    r"(?=个?(?:工作日|小时|月|星期)|天|日|周|年|分|元|块|折|倍|次|件|份|张|套|米|斤|公|成|号|级|岁|人|%)"
)
_DIGITS: Final = re.compile(r"\d+(?:[.,:]\d+)*")


def check(text: str, cited: Sequence[str], offered: Sequence[Source]) -> Grounded | Ungrounded:
    """Say whether ``text`` may be said, of which the writer claims that it rests on ``cited``.

    ``offered`` are the articles that the writer was given; it may cite no other.
    """
    known = {each.id: each for each in offered}
    if not cited:
        return Ungrounded(fault=Fault.UNCITED)
    for name in cited:
        if name not in known:
            return Ungrounded(fault=Fault.UNKNOWN, what=name[:80])
    source = normal("\n".join(known[name].text for name in dict.fromkeys(cited)))
    said = normal(text)
    fault = _shapeless(text, said) or _granted(said, source) or _uncovered(said, source)
    return fault or Grounded(articles=tuple(dict.fromkeys(cited)))


def _shapeless(text: str, said: str) -> Ungrounded | None:
    if not said.strip():
        return Ungrounded(fault=Fault.EMPTY)
    if len(said) > _LONGEST:
        return Ungrounded(fault=Fault.LONG)
    hidden = _hidden(text)
    return Ungrounded(fault=Fault.MARKUP, what=hidden) if hidden else None


def _granted(said: str, source: str) -> Ungrounded | None:
    """Return what a text claims, counts, links to or promises beyond its articles."""
    if claimed := _claimed(said, source):
        return Ungrounded(fault=Fault.CLAIM, what=claimed)
    if strange := sorted(numbers(said) - numbers(source)):
        return Ungrounded(fault=Fault.NUMBER, what=strange[0])
    for address in _ADDRESS.findall(said):
        if address.rstrip("/.") not in source:
            return Ungrounded(fault=Fault.ADDRESS, what=address)
    for weighty in WEIGHTY:
        if (found := weighty.search(said)) and not weighty.search(source):
            return Ungrounded(fault=Fault.PROMISE, what=found[0])
    return None


def _claimed(said: str, source: str) -> str:
    """Return what no bot may claim, or empty.

    That something is done or granted may be said if the clause stands so, word for word, in an
    article; the rest may not be said even then.
    """
    if never := NEVER_SAID.search(said):
        return never[0]
    ends = [match.span() for match in _CLAUSES.finditer(said)]
    for found in ACTS_SAID.finditer(said):
        start = max((end for _, end in ends if end <= found.start()), default=0)
        until = min((begin for begin, _ in ends if begin >= found.end()), default=len(said))
        if said[start:until].strip() not in source:
            return found[0]
    return ""


def _hidden(text: str) -> str:
    """Return what is not plain words: markup, and characters that cannot be seen."""
    if found := _MARKUP.search(text):
        return found[0]
    for each in text:
        if unicodedata.category(each) in {"Cf", "Co", "Cn", "Cs"} or (
            unicodedata.category(each) == "Cc" and each not in "\n\t\r"
        ):
            return f"U+{ord(each):04X}"
    return ""


def forbidden(text: str) -> str:
    """Return what a text says that no bot may say, whoever made it; empty if there is nothing."""
    found = NEVER_SAID.search(normal(text))
    return found[0] if found else _hidden(text)


def normal(text: str) -> str:
    """Return words as they are compared: compatibility forms folded, in lower case."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return folded.replace("’", "'").replace("“", '"').replace("”", '"')


def numbers(text: str) -> frozenset[str]:
    """Return the amounts that ``text`` names, in digits, however they are written."""
    said = normal(text)
    found = {_plain(each) for each in _DIGITS.findall(said)}
    for run in _ZH_NUMBER.findall(said):
        value = _zh_value(run)
        if value > 1:
            found.add(str(value))
    for word in _WORD.findall(said):
        for part in word.split("-"):
            if part in EN_NUMBERS:
                found.add(str(EN_NUMBERS[part]))
    return frozenset(found)


def _plain(digits: str) -> str:
    plain = digits.replace(",", "")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain.lstrip("0") or "0"


def _zh_value(run: str) -> int:
    total = section = digit = 0
    for each in run:
        if each in _ZH_DIGITS:
            digit = _ZH_DIGITS[each]
            continue
        unit = _ZH_UNITS[each]
        if unit >= _ZH_UNITS["万"]:
            total = (total + section + digit) * unit
            section = 0
        else:
            section += (digit or 1) * unit
        digit = 0
    return total + section + digit


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """What a clause is made of: characters, pairs of them, and words of another script."""

    characters: tuple[str, ...]
    pairs: frozenset[str]
    words: tuple[str, ...]

    @property
    def count(self) -> int:
        return len(self.characters) + len(self.words)


def _words(clause: str) -> _Words:
    characters = tuple(each for each in clause if _CJK.match(each) and each not in FUNCTION_ZH)
    return _Words(
        characters=characters,
        pairs=frozenset(one + two for one, two in pairwise(characters)),
        words=tuple(_stem(each) for each in _WORD.findall(clause) if each not in FUNCTION_EN),
    )


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s", "e", "'s"):
        if word.endswith(ending) and len(word) - len(ending) >= _FEW:
            return word.removesuffix(ending)
    return word


def _clauses(text: str) -> list[str]:
    return [each for each in _CLAUSES.split(text) if each.strip()]


def _uncovered(said: str, source: str) -> Ungrounded | None:
    whole = _words(source)
    pieces = [(each, _words(each)) for each in _clauses(source)]
    for clause in _clauses(COURTESY.sub(" ", said)):
        made = _words(clause)
        if made.count == 0:
            if _strange(clause):
                return Ungrounded(fault=Fault.WORDS, what=clause.strip()[:60])
            continue
        if not _covers(made, whole):
            return Ungrounded(fault=Fault.WORDS, what=clause.strip()[:60])
        nearest = max(pieces, key=lambda each: _likeness(made, each[1]), default=None)
        if nearest is None or _denies(clause) != _denies(nearest[0]):
            return Ungrounded(fault=Fault.TURNED, what=clause.strip()[:60])
    return None


#: How much of a clause a piece of an article shares before the two speak of the same.
_SAME: Final = 0.6


def differing(text: str, source: str) -> tuple[str, str] | None:
    """Return a clause of ``text`` that says otherwise than a piece of ``source``, and that piece.

    They speak of the same and one denies what the other affirms, or counts differently.
    """
    pieces = [(each, _words(each)) for each in _clauses(normal(source))]
    known = numbers(source)
    for clause in _clauses(normal(text)):
        made = _words(clause)
        if made.count < _FEW or not pieces:
            continue
        piece, parts = max(pieces, key=lambda each: _likeness(made, each[1]))
        if _shared(made, parts) < _SAME:
            continue
        counts = numbers(clause)
        miscounts = bool(counts) and bool(numbers(piece)) and not counts <= known
        if miscounts or _denies(clause) != _denies(piece):
            return clause.strip(), piece.strip()
    return None


def _shared(made: _Words, other: _Words) -> float:
    characters, words = set(other.characters), set(other.words)
    shared = sum(each in characters for each in made.characters)
    return (shared + sum(each in words for each in made.words)) / made.count


def _strange(clause: str) -> bool:
    """Say whether a clause holds letters of a script that is neither Chinese nor Latin."""
    return any(each.isalpha() and not _CJK.match(each) and not each.isascii() for each in clause)


def _covers(made: _Words, source: _Words) -> bool:
    if _strange("".join(made.words)):
        return False
    known, pairs, words = set(source.characters), source.pairs, set(source.words)
    if made.characters:
        share = sum(each in known for each in made.characters) / len(made.characters)
        least = 1.0 if len(made.characters) < _FEW else _COVERED_ZH
        if share < least:
            return False
        if made.pairs and len(made.pairs & pairs) / len(made.pairs) < _COVERED_PAIRS:
            return False
    if made.words:
        share = sum(each in words for each in made.words) / len(made.words)
        return share >= (1.0 if len(made.words) < _FEW else _COVERED_EN)
    return True


def _likeness(made: _Words, other: _Words) -> float:
    characters, words = set(other.characters), set(other.words)
    shared = (
        sum(each in characters for each in made.characters)
        + len(made.pairs & other.pairs)
        + 2 * sum(each in words for each in made.words)
    )
    return shared / (1 + 0.02 * other.count)


def _denies(clause: str) -> bool:
    return bool(_NEGATION_ZH.search(clause) or _NEGATION_EN.search(clause))
