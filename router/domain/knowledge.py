"""What the shop can answer by itself: articles, found candidates, and whether to answer at all."""

from collections.abc import Sequence
from dataclasses import dataclass

from router.domain.ids import ArticleId


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerable:
    """An article that a bot may answer with.

    ``questions`` holds every wording, Chinese and English; the first in each language is the one
    shown. An empty ``channels`` means every channel.
    """

    id: ArticleId
    questions: tuple[str, ...]
    answer_zh: str
    answer_en: str
    channels: frozenset[str]

    def answer(self, language: str) -> str:
        """Return the answer in ``language``, or in the other one if it was never translated."""
        wanted, other = (
            (self.answer_en, self.answer_zh)
            if language == "en"
            else (self.answer_zh, self.answer_en)
        )
        return wanted or other

    def is_for(self, channel: str) -> bool:
        """Say whether the article may be shown on ``channel``."""
        return not self.channels or channel in self.channels


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An article that may answer; ``confidence`` is the probability (0–1) that it does.

    ``question`` is the wording of the article to show when the customer is asked back.
    """

    article: ArticleId
    confidence: float
    question: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Sure enough: the bot answers with this article."""

    candidate: Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class AskBack:
    """Unsure: the customer is shown these questions, best first, and may ask for a person."""

    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """Nothing fits: a person answers."""


def decide_answer(
    candidates: Sequence[Candidate], *, answer_at: float, ask_at: float
) -> Answer | AskBack | HandOver:
    """Answer at ``answer_at`` or above, ask back at ``ask_at`` or above, else hand over.

    ``candidates`` stand best first. Raises ``ValueError`` if the thresholds are out of order.
    """
    if not 0 <= ask_at <= answer_at <= 1:
        raise ValueError(f"expected 0 <= ask_at <= answer_at <= 1, got {ask_at} and {answer_at}")
    if candidates and candidates[0].confidence >= answer_at:
        return Answer(candidate=candidates[0])
    likely = tuple(each for each in candidates if each.confidence >= ask_at)
    return AskBack(candidates=likely) if likely else HandOver()
