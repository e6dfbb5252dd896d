"""A question that the bot could not answer: kept until an article answers it or it is put away."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from router.domain.ids import ArticleId, ConversationId, InteractionId

#: What must not stand in an article: addresses, and numbers that name somebody or something.
_PRIVATE: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|https?://\S+|\+?\d(?:[ -]?\d){4,}")
_LONGEST: Final = 200


class QuestionState(StrEnum):
    """Where an unanswered question stands."""

    OPEN = "open"
    DRAFTED = "drafted"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestion:
    """What a contact asked and no article answered; ``id`` is the interaction that asked."""

    id: InteractionId
    conversation: ConversationId
    text: str
    language: str
    channel: str
    at: datetime
    state: QuestionState = QuestionState.OPEN
    article: ArticleId | None = None


def wording(text: str) -> str:
    """Return a customer's words as a wording of an article: short, and nobody's own numbers."""
    return " ".join(_PRIVATE.sub("…", text).split())[:_LONGEST]
