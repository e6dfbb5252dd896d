"""After a conversation the contact may be asked how it was: the question, the answer (1 to 5)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from router.domain.content import Content, Menu, Option, Pressed, plain_text
from router.domain.ids import ContactId, ConversationId, InteractionId

#: How long after the end it is asked at most, and how long after the question it is answered.
ASK_WITHIN: Final = timedelta(hours=24)
ANSWER_WITHIN: Final = timedelta(days=3)
#: Nobody is asked more often than once in this time.
REST: Final = timedelta(days=7)
_BARE: Final = re.compile(r"\s*([1-5])\s*(?:分|星|stars?|/\s*5)?\s*[.!。！~～]*\s*")
_QUESTION: Final[Mapping[str, str]] = {
    "zh": "请问您对本次服务满意吗？",
    "en": "How was this conversation for you?",
}
_LABELS: Final[Mapping[str, tuple[str, ...]]] = {
    "zh": ("1分 很不满意", "2分", "3分", "4分", "5分 非常满意"),
    "en": ("1 very bad", "2", "3", "4", "5 very good"),
}


class RatingState(StrEnum):
    """Where a rating stands. ``OVER``: it could not be asked or was not answered in time."""

    DUE = "due"
    ASKED = "asked"
    GIVEN = "given"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """One question about one conversation; ``score`` is 0 until it is answered."""

    id: str
    conversation: ConversationId
    contact: ContactId
    state: RatingState
    since: datetime
    next_at: datetime
    question: InteractionId | None = None
    asked_at: datetime | None = None
    score: int = 0
    settled_at: datetime | None = None
    version: int = 0


def question(rating: str, language: str) -> Menu:
    """Return what to ask; channels without buttons show the choices with numbers."""
    spoken = "en" if language == "en" else "zh"
    options = tuple(
        Option(id=f"rating:{rating}:{score}", label=label)
        for score, label in enumerate(_LABELS[spoken], 1)
    )
    return Menu(text=_QUESTION[spoken], options=options)


def pressed(content: Content, rating: str) -> int | None:
    """Return the score that a press of one of our buttons says; None for everything else."""
    if isinstance(content, Pressed):
        kind, _, score = content.payload.rpartition(":")
        if kind == f"rating:{rating}" and score in {"1", "2", "3", "4", "5"}:
            return int(score)
    return None


def answered(content: Content) -> int | None:
    """Return the score that words say: a bare number from 1 to 5; None if they say more."""
    words = plain_text(content)
    found = _BARE.fullmatch(words.casefold())
    if found:
        return int(found[1])
    labels = {label: score for each in _LABELS.values() for score, label in enumerate(each, 1)}
    return labels.get(words.strip())
