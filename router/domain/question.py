"""A question that the bot could not answer: kept until an article answers it or it is put away."""

import re
from collections.abc import Iterable, Sequence
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Questions that ask the same; the one that most others are like stands first."""

    questions: tuple[OpenQuestion, ...]

    def wordings(self, most: int = 8) -> tuple[str, ...]:
        """Return the different wordings as an article may hold them."""
        texts = (wording(each.text) for each in self.questions)
        return tuple(dict.fromkeys(text for text in texts if text))[:most]


#: How alike two questions must be to ask the same.
ALIKE: Final = 0.5


def grouped(
    questions: Sequence[OpenQuestion], pairs: Iterable[tuple[int, int, float]]
) -> tuple[Group, ...]:
    """Gather questions around those that most others are like; the largest groups first."""
    close: dict[int, set[int]] = {at: set() for at in range(len(questions))}
    for one, other, _alike in pairs:
        close[one].add(other)
        close[other].add(one)
    left, groups = set(close), []
    while left:
        core = max(left, key=lambda at: (len(close[at] & left), -at))
        members = [core, *sorted(close[core] & left - {core})]
        left.difference_update(members)
        groups.append(Group(questions=tuple(questions[at] for at in members)))
    return tuple(sorted(groups, key=lambda each: -len(each.questions)))
