"""Which articles answer a question: BM25 over each article's wordings, with a confidence."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from router.domain.knowledge import Answerable, Candidate
from router.understanding.bank import Topic, borrowed, topics
from router.understanding.encoder import Encoder
from router.understanding.sense import Sense, SenseIndex
from router.understanding.terms import terms_of
from router.understanding.text import language_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Weighted = Mapping[str, float]

# Chosen by five-fold cross-validation on the authored questions: see docs/UNDERSTANDING.md.
ANSWER_AT = 0.8  # a bot may answer alone: 96 of 100 such answers to common questions were right
ANSWER_WITH_SENSE_AT = 0.7  # the same, where an encoder compares meanings as well
ANSWER_FROM_FEW_AT = 0.5  # and where articles have next to no wordings but their own question
_FEW_WORDINGS = 4  # an article on average; fewer make the same confidence worth more
ASK_AT = 0.3  # worth showing as "did you mean"; below it a person answers

_SATURATION, _LENGTH = 0.6, 0.5  # BM25's k1 and b
_ANSWER_WEIGHT = 0.4  # what a word in the answer counts beside one in a question
_WORDING_WEIGHT = 0.2  # what likeness to the nearest single wording adds to the article's score
_UNKNOWN_WEIGHT = 0.7  # what a word no article knows counts against the question
# Logistic weights: constant, score, lead over the second, lead relative to the score, likeness
# to the nearest wording.
_CONFIDENCE: tuple[float, ...] = (-2.36, 6.04, 7.67, 0.81, -2.56)
_NEAREST_WEIGHT, _CLASS_WEIGHT = 1.0, 0.5  # what meaning adds to the score
# With an encoder: constant, score, its lead, nearest wording's cosine, class score, and the leads
# of class score, cosine and words. A lead is over the best other article.
_SENSE_CONFIDENCE: tuple[float, ...] = (-1.45, 0.18, -0.12, -0.41, 4.55, 6.74, -1.62, 6.57)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Postings:
    """Where a term stands (documents, ascending) and what it weighs in each."""

    at: Ints
    weight: Floats


class Retrieval:
    """An index over articles, built once and only read: make a new one when articles change."""

    def __init__(
        self,
        articles: Sequence[Answerable],
        encoder: Encoder | None = None,
        *,
        common: Sequence[Topic] | None = None,
    ) -> None:
        """Index ``articles``; takes milliseconds for each hundred, or each with an ``encoder``.

        With an ``encoder`` meanings are compared beside words; it is asked once a question. An
        article that answers a common question borrows the wordings customers use for it, from
        ``common`` or those shipped.
        """
        self._articles = tuple(articles)
        lent: Sequence[Sequence[str]] = (
            [()] * len(self._articles)
            if encoder is None
            else borrowed(self._articles, encoder, topics() if common is None else common)
        )
        wordings = [
            (at, question, terms_of(question))
            for at, article in enumerate(self._articles)
            for question in dict.fromkeys((*article.questions, *lent[at]))
        ]
        self._owner: Ints = np.array([at for at, _, _ in wordings], dtype=np.int64)
        self._wording = tuple(question for _, question, _ in wordings)
        whole = _whole_articles(self._articles, [(at, terms) for at, _, terms in wordings])
        self._rarity = _rarity(whole)
        self._unknown = _UNKNOWN_WEIGHT * math.log(1 + (len(whole) + 0.5) / 0.5)
        self._by_article = _bm25(whole, self._rarity)
        self._by_wording = _unit_vectors([terms for _, _, terms in wordings], self._rarity)
        self._sense = (
            SenseIndex(self._wording, self._owner, len(self._articles), encoder)
            if encoder is not None and wordings
            else None
        )

    @property
    def answer_at(self) -> float:
        """Return the confidence from which a bot may answer alone with this index."""
        if self._sense is None:
            return ANSWER_AT
        few = len(self._wording) < _FEW_WORDINGS * len(self._articles)
        return ANSWER_FROM_FEW_AT if few else ANSWER_WITH_SENSE_AT

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
        words = self._score(asked) + _WORDING_WEIGHT * nearest
        if self._sense is None:
            score, confidences = words, _by_words(words, nearest, limit)
        else:
            sense = self._sense.of(question)
            score = words + _NEAREST_WEIGHT * sense.nearest + _CLASS_WEIGHT * sense.class_score
            confidences = _by_sense(score, words - _WORDING_WEIGHT * nearest, sense)
        return tuple(
            Candidate(
                article=self._articles[at].id,
                confidence=confidence,
                question=self._shown(at, likeness, language),
            )
            for at in np.argsort(-score, kind="stable")[:limit].tolist()
            if (confidence := confidences[at]) > 0 and score[at] > 0
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
        """Return the article's first own wording in ``language``, or the one nearest to it."""
        own = np.flatnonzero(self._owner == article)
        own = own[: len(set(self._articles[article].questions))]
        for at in own.tolist():
            if language_of(self._wording[at], fallback=None) == language:
                return self._wording[at]
        return self._wording[int(own[np.argmax(likeness[own])])]


def _by_words(score: Floats, nearest: Floats, limit: int) -> Mapping[int, float]:
    """Return the confidence in each of the best articles, by words alone."""
    lead = _leads(score)
    return {
        at: _logistic(
            _CONFIDENCE,
            (
                float(score[at]),
                float(lead[at]),
                float(lead[at] / score[at]) if score[at] > 0 else 0.0,
                float(nearest[at]),
            ),
        )
        for at in np.argsort(-score, kind="stable")[:limit].tolist()
    }


def _by_sense(score: Floats, words: Floats, sense: Sense) -> Mapping[int, float]:
    """Return the confidence in each article, by words and meaning; never rising down the score."""
    evidence = np.stack(
        [
            score,
            _leads(score),
            sense.nearest,
            sense.class_score,
            _leads(sense.class_score),
            _leads(sense.nearest),
            _leads(words),
        ],
        axis=1,
    )
    confidences: dict[int, float] = {}
    least = 1.0
    for at in np.argsort(-score, kind="stable").tolist():
        least = min(least, _logistic(_SENSE_CONFIDENCE, evidence[at].tolist()))
        confidences[at] = least
    return confidences


def _leads(score: Floats) -> Floats:
    """Return how far each is ahead of the best other one; nothing if there is no other."""
    if len(score) == 1:
        return np.zeros(1)
    second, first = np.partition(score, -2)[-2:]
    ahead: Floats = score - np.where(score == first, second, first)
    return ahead


def _logistic(weights: Sequence[float], evidence: Sequence[float]) -> float:
    pairs = zip(weights[1:], evidence, strict=True)
    total = weights[0] + sum(weight * each for weight, each in pairs)
    return round(1 / (1 + math.exp(-max(-30.0, min(30.0, total)))), 4)


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
