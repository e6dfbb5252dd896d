"""Published texts that answer the same question otherwise: in other numbers, or in other words."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from router.domain.article import Publication
from router.domain.quantities import Quantity, differing

#: Returns (one, other, likeness 0–1) of texts that are at least so alike, ``one`` < ``other``.
Near = Callable[[Sequence[str], float], Sequence[tuple[int, int, float]]]

#: How alike two questions must be to be the same, and two answers not to differ.
SAME_QUESTION, SAME_ANSWER = 0.75, 0.9


class Sign(StrEnum):
    """What shows a contradiction, the surest first."""

    NUMBERS = "numbers"  # same question, other times or amounts
    TRANSLATION = "translation"  # one article says otherwise in Chinese and in English
    ANSWERS = "answers"  # same question, another answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Two texts that do not go together. Of a translation both are the same publication."""

    sign: Sign
    one: Publication
    other: Publication
    language: str
    question: str
    differs: tuple[tuple[Quantity, Quantity], ...] = ()


def contradictions(
    texts: Sequence[Publication], *, near: Near, at: datetime
) -> tuple[Contradiction, ...]:
    """Return what contradicts among texts that hold at ``at`` or will, the surest first."""
    held = [each for each in texts if each.ended_at is None and _ends_after(each, at)]
    found = [*_in_translation(held), *_between(held, near)]
    order = list(Sign)
    return tuple(sorted(found, key=lambda each: order.index(each.sign)))


def _ends_after(text: Publication, at: datetime) -> bool:
    return text.valid_until is None or text.valid_until > at


def _in_translation(texts: Iterable[Publication]) -> Iterable[Contradiction]:
    for each in texts:
        if each.answer_zh and each.answer_en:
            differs = differing(each.answer_zh, each.answer_en)
            if differs:
                yield Contradiction(
                    sign=Sign.TRANSLATION,
                    one=each,
                    other=each,
                    language="",
                    question=each.question(),
                    differs=differs,
                )


def _between(texts: Sequence[Publication], near: Near) -> Iterable[Contradiction]:
    wordings = [(at, words) for at, each in enumerate(texts) for words in each.questions]
    closest: dict[tuple[int, int], tuple[float, str]] = {}
    for one, other, alike in near([words for _at, words in wordings], SAME_QUESTION):
        pair = (wordings[one][0], wordings[other][0])
        if pair[0] != pair[1] and alike > closest.get(pair, (0.0, ""))[0]:
            closest[pair] = (alike, wordings[one][1])
    for (one, other), (_alike, question) in sorted(closest.items()):
        mine, theirs = texts[one], texts[other]
        if mine.article != theirs.article and _meet(mine, theirs):
            yield from _compared(mine, theirs, question, near)


def _compared(
    mine: Publication, theirs: Publication, question: str, near: Near
) -> Iterable[Contradiction]:
    for language in ("zh", "en"):
        own = mine.answer_en if language == "en" else mine.answer_zh
        foreign = theirs.answer_en if language == "en" else theirs.answer_zh
        if not own or not foreign or own.strip() == foreign.strip():
            continue
        differs = differing(own, foreign)
        if differs or not near([own, foreign], SAME_ANSWER):
            yield Contradiction(
                sign=Sign.NUMBERS if differs else Sign.ANSWERS,
                one=mine,
                other=theirs,
                language=language,
                question=question,
                differs=differs,
            )


def _meet(one: Publication, other: Publication) -> bool:
    """Say whether somebody could get both: the same place and product, at the same time."""
    for mine, theirs in (
        (one.channels, other.channels),
        (one.accounts, other.accounts),
        (one.products, other.products),
    ):
        if mine and theirs and not mine & theirs:
            return False
    first, last = sorted((one, other), key=lambda each: each.begins_at)
    return first.valid_until is None or first.valid_until > last.begins_at
