"""The lexicon: named rules in a file that a supervisor can read, and where each is in force."""

import re
import tomllib
from collections import defaultdict
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources

import msgspec

from router.understanding.anchors import anchors_of

_GAP = r"[^,。.!?;\n]{0,10}"  # "~" in a phrase: a few characters of the same clause
_LEAP = r"[^\n]{0,30}"  # "~~": also across a comma or a full stop
_SIGNS = (("~~", _LEAP), ("~", _GAP), (" ?", r"\s{0,3}"), (" ", r"\s{1,3}"))
_CLAUSE_ENDS = re.compile(r"[,。.!?;:\n、]")
_SENTENCE_ENDS = re.compile(r"[。.!?;\n]")


class Scope(StrEnum):
    """What takes the force out of a rule."""

    DENIED = "denied"  # "not a complaint", "没有生气"
    ASKED = "asked"  # "could it burn me?", "会不会过敏"
    QUOTED = "quoted"  # inside a page's or a policy's words


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One rule as the file writes it.

    ``zh`` and ``en`` are phrases: regular expressions over normalised text, in which "~" stands
    for a few characters of the same clause and "~~" for a few more of any. ``points`` is what the
    rule adds to the score, ``severity`` what it makes of the message at least.
    """

    name: str
    points: float = 0.0
    severity: int = 0
    mood: float = 0.0
    unless: tuple[Scope, ...] = ()
    zh: tuple[str, ...] = ()
    en: tuple[str, ...] = ()


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rule: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule ready to be tried on a text."""

    entry: Entry
    pattern: re.Pattern[str]

    @property
    def name(self) -> str:
        return self.entry.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Scopes:
    """Tells whether a match stands under a denial, in a question or in a quotation."""

    denial: re.Pattern[str]
    question: re.Pattern[str]
    asking_end: re.Pattern[str]

    def weakens(
        self, scope: Scope, text: str, span: tuple[int, int], quoted: Sequence[tuple[int, int]]
    ) -> bool:
        """Say whether ``scope`` takes the force out of what stands at ``span`` of ``text``."""
        start, end = span
        match scope:
            case Scope.QUOTED:
                return any(left <= start and end <= right for left, right in quoted)
            case Scope.DENIED:
                return self.denial.search(_before(text, start, _CLAUSE_ENDS)) is not None
            case Scope.ASKED:
                before = _before(text, start, _SENTENCE_ENDS)
                after = _after(text, end)
                return (
                    self.question.search(before) is not None
                    or self.asking_end.search(after) is not None
                )


def _before(text: str, start: int, ends: re.Pattern[str]) -> str:
    """Return what stands before ``start`` in the same clause or sentence, at most 40 characters."""
    window = text[max(0, start - 40) : start]
    last = 0
    for end in ends.finditer(window):
        last = end.end()
    return window[last:]


def _after(text: str, end: int) -> str:
    """Return what follows ``end`` in the same sentence with its mark, at most 40 characters."""
    window = text[end : end + 40]
    stop = _SENTENCE_ENDS.search(window)
    return window if stop is None else window[: stop.end()]


def entries(name: str) -> tuple[Entry, ...]:
    """Read the lexicon file ``data/<name>.toml``.

    Raises ``msgspec.ValidationError`` with the path of what is wrong in the file.
    """
    held = resources.files("router.understanding").joinpath(f"data/{name}.toml")
    return msgspec.convert(tomllib.loads(held.read_text(encoding="utf-8")), _File).rule


def rules(name: str) -> tuple[Rule, ...]:
    """Read a lexicon file and compile its phrases."""
    return tuple(Rule(entry=each, pattern=compiled(each)) for each in entries(name))


def compiled(entry: Entry) -> re.Pattern[str]:
    """Return one expression for all phrases of ``entry``; every repeat in it is bounded."""
    return re.compile("|".join(_phrases(entry)), re.ASCII)


def _phrases(entry: Entry) -> list[str]:
    english = (rf"\b(?:{phrase})\b" for phrase in entry.en)
    return [_spaced(phrase) for phrase in (*entry.zh, *english)]


def _spaced(phrase: str) -> str:
    for sign, meaning in _SIGNS:
        phrase = phrase.replace(sign, meaning)
    return phrase


class RuleSet:
    """The rules of some files, of which only those are tried that a text could match at all.

    Read-only once made, so threads may share it.
    """

    def __init__(self, *files: Sequence[Rule]) -> None:
        """Find out what each phrase asks of a text; takes milliseconds for each hundred."""
        self._rules = tuple((file, rule) for file, held in enumerate(files) for rule in held)
        self._files = len(files)
        self._phrases: list[tuple[int, re.Pattern[str]]] = []
        always: list[int] = []
        by_anchor: defaultdict[str, list[int]] = defaultdict(list)
        for at, (_, rule) in enumerate(self._rules):
            for phrase in _phrases(rule.entry):
                pattern = re.compile(phrase, re.ASCII)
                anchors = anchors_of(pattern)
                for anchor in anchors or ():
                    by_anchor[anchor].append(len(self._phrases))
                if anchors is None:
                    always.append(len(self._phrases))
                self._phrases.append((at, pattern))
        self._always = tuple(always)
        self._by_anchor = dict(by_anchor)
        self._anchors = frozenset(by_anchor)

    @property
    def rules(self) -> tuple[tuple[Rule, ...], ...]:
        """Return the rules of each file."""
        return tuple(
            tuple(rule for held, rule in self._rules if held == file) for file in range(self._files)
        )

    def possible(self, anchors: AbstractSet[str]) -> tuple[Rule, ...]:
        """Return every rule that could hold for a text of which ``anchors`` are all."""
        places = {self._phrases[place][0] for place in self._possible(anchors)}
        return tuple(self._rules[at][1] for at in places)

    def _possible(self, anchors: AbstractSet[str]) -> set[int]:
        there = self._anchors.intersection(anchors)
        return set(self._always).union(*map(self._by_anchor.__getitem__, there))

    def in_force(
        self,
        text: str,
        anchors: AbstractSet[str],
        *,
        scopes: Scopes,
        quoted: Sequence[tuple[int, int]],
    ) -> tuple[tuple[Rule, ...], ...]:
        """Return the rules of each file that hold for ``text``, of which ``anchors`` are all."""
        tried = self._possible(anchors)
        held: tuple[list[Rule], ...] = tuple([] for _ in range(self._files))
        last = -1
        for place in sorted(tried):
            at, pattern = self._phrases[place]
            if at != last and pattern.search(text) is not None:
                file, rule = self._rules[at]
                unless = rule.entry.unless
                if not unless or _stands(pattern, text, unless, scopes=scopes, quoted=quoted):
                    held[file].append(rule)
                    last = at
        return tuple(map(tuple, held))


def _stands(
    pattern: re.Pattern[str],
    text: str,
    unless: Sequence[Scope],
    *,
    scopes: Scopes,
    quoted: Sequence[tuple[int, int]],
) -> bool:
    """Say whether ``pattern`` matches anywhere that no scope takes the force from."""
    return any(
        not any(scopes.weakens(scope, text, found.span(), quoted) for scope in unless)
        for found in pattern.finditer(text)
    )
