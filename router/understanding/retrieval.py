"""Which articles answer a question: BM25 over each article's wordings, with a confidence."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from router.domain.knowledge import Answerable, Candidate
from router.understanding.terms import terms_of
from router.understanding.text import language_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Weighted = Mapping[str, float]

# Chosen by five-fold cross-validation on the authored questions: see docs/UNDERSTANDING.md.
ANSWER_AT = 0.8  # a bot may answer alone: 96 of 100 such answers to common questions were right
ASK_AT = 0.3  # worth showing as "did you mean"; below it a person answers

_SATURATION, _LENGTH = 0.6, 0.5  # BM25's k1 and b
_ANSWER_WEIGHT = 0.4  # what a word in the answer counts beside one in a question
_WORDING_WEIGHT = 0.2  # what likeness to the nearest single wording adds to the article's score
_UNKNOWN_WEIGHT = 0.7  # what a word no article knows counts against the question
# Logistic weights: constant, score, lead over the second, lead relative to the score, likeness
# to the nearest wording.
_CONFIDENCE: tuple[float, ...] = (-2.36, 6.04, 7.67, 0.81, -2.56)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Postings:
    """Where a term stands (documents, ascending) and what it weighs in each."""

    at: Ints
    weight: Floats


class Retrieval:
    """An index over articles, built once and only read: make a new one when articles change."""

    def __init__(self, articles: Sequence[Answerable]) -> None:
        """Index ``articles``; takes milliseconds for each hundred."""
        self._articles = tuple(articles)
        wordings = [
            (at, question, terms_of(question))
            for at, article in enumerate(self._articles)
            for question in article.questions
        ]
        self._owner: Ints = np.array([at for at, _, _ in wordings], dtype=np.int64)
        self._wording = tuple(question for _, question, _ in wordings)
        whole = _whole_articles(self._articles, [(at, terms) for at, _, terms in wordings])
        self._rarity = _rarity(whole)
        self._unknown = _UNKNOWN_WEIGHT * math.log(1 + (len(whole) + 0.5) / 0.5)
        self._by_article = _bm25(whole, self._rarity)
        self._by_wording = _unit_vectors([terms for _, _, terms in wordings], self._rarity)

    def best(self, question: str, *, language: str, limit: int = 3) -> tuple[Candidate, ...]:
        """Return the likeliest articles, best first; none if nothing in ``question`` is known.

        ``language`` ("zh" or "en") is that of the wording shown. The confidences are of each
        article by itself, so they need not sum to one.
        """
        asked = terms_of(question)
        if not asked or not len(self._owner):
            return ()
        likeness = self._likeness(asked)
        nearest = np.zeros(len(self._articles))
        np.maximum.at(nearest, self._owner, likeness)
        score = self._score(asked) + _WORDING_WEIGHT * nearest
        ranked = np.argsort(-score, kind="stable")[: limit + 1]
        leads = [
            float(score[at] - score[ranked[1 if place == 0 else 0]]) if len(ranked) > 1 else 0.0
            for place, at in enumerate(ranked)
        ]
        return tuple(
            Candidate(
                article=self._articles[at].id,
                confidence=_confidence(float(score[at]), lead, float(nearest[at])),
                question=self._shown(int(at), likeness, language),
            )
            for at, lead in zip(ranked[:limit].tolist(), leads, strict=False)
            if score[at] > 0
        )

    def _score(self, asked: Weighted) -> Floats:
        """Return for each article which share of the question it covers, about 0 to 1."""
        score = np.zeros(len(self._articles))
        whole = 0.0
        for term, count in asked.items():
            whole += count * self._rarity.get(term, self._unknown) * (1 + _SATURATION / 2)
            held = self._by_article.get(term)
            if held is not None:
                score[held.at] += count * held.weight
        return score / whole

    def _likeness(self, asked: Weighted) -> Floats:
        """Return the cosine of the question to each wording."""
        likeness = np.zeros(len(self._owner))
        square = 0.0
        for term, count in asked.items():
            weight = count * self._rarity.get(term, self._unknown)
            square += weight * weight
            held = self._by_wording.get(term)
            if held is not None:
                likeness[held.at] += weight * held.weight
        return likeness / (math.sqrt(square) or 1.0)

    def _shown(self, article: int, likeness: Floats, language: str) -> str:
        """Return the article's first wording in ``language``, or the wording nearest to it."""
        own = np.flatnonzero(self._owner == article)
        for at in own:
            if language_of(self._wording[at], fallback=None) == language:
                return self._wording[at]
        return self._wording[int(own[np.argmax(likeness[own])])]


def _confidence(score: float, lead: float, nearest: float) -> float:
    constant, by_score, by_lead, by_share, by_likeness = _CONFIDENCE
    evidence = (
        constant
        + by_score * score
        + by_lead * lead
        + by_share * (lead / score if score > 0 else 0.0)
        + by_likeness * nearest
    )
    return round(1 / (1 + math.exp(-max(-30.0, min(30.0, evidence)))), 4)


def _whole_articles(
    articles: Sequence[Answerable], wordings: Sequence[tuple[int, Weighted]]
) -> list[dict[str, float]]:
    """Return the terms of each article: all of its wordings, and its answers at less weight."""
    whole: list[dict[str, float]] = [{} for _ in articles]
    for at, terms in wordings:
        for term, count in terms.items():
            whole[at][term] = whole[at].get(term, 0.0) + count
    for at, article in enumerate(articles):
        for answer in (article.answer_zh, article.answer_en):
            for term, count in terms_of(answer).items():
                whole[at][term] = whole[at].get(term, 0.0) + _ANSWER_WEIGHT * count
    return whole


def _rarity(whole: Sequence[Weighted]) -> dict[str, float]:
    """Return each term's inverse document frequency, as BM25 has it."""
    held: dict[str, int] = {}
    for terms in whole:
        for term in terms:
            held[term] = held.get(term, 0) + 1
    return {
        term: math.log(1 + (len(whole) - count + 0.5) / (count + 0.5))
        for term, count in held.items()
    }


def _bm25(whole: Sequence[Weighted], rarity: Weighted) -> dict[str, _Postings]:
    lengths = [sum(terms.values()) for terms in whole]
    usual = (sum(lengths) / len(lengths) if lengths else 0.0) or 1.0
    gathered: dict[str, list[tuple[int, float]]] = {}
    for at, terms in enumerate(whole):
        damping = _SATURATION * (1 - _LENGTH + _LENGTH * lengths[at] / usual)
        for term, count in terms.items():
            weight = rarity[term] * count * (_SATURATION + 1) / (count + damping)
            gathered.setdefault(term, []).append((at, weight))
    return _packed(gathered)


def _unit_vectors(wordings: Sequence[Weighted], rarity: Weighted) -> dict[str, _Postings]:
    gathered: dict[str, list[tuple[int, float]]] = {}
    for at, terms in enumerate(wordings):
        weights = {term: count * rarity[term] for term, count in terms.items()}
        length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        for term, weight in weights.items():
            gathered.setdefault(term, []).append((at, weight / length))
    return _packed(gathered)


def _packed(gathered: Mapping[str, Sequence[tuple[int, float]]]) -> dict[str, _Postings]:
    return {
        term: _Postings(
            at=np.array([at for at, _ in held], dtype=np.int64),
            weight=np.array([weight for _, weight in held]),
        )
        for term, held in gathered.items()
    }
