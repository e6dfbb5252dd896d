"""What nobody could answer: kept when it is heard, so that somebody writes the article."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from router.domain.article import Article, ArticleState
from router.domain.content import plain_text
from router.domain.errors import Invalid
from router.domain.ids import ArticleId, InteractionId
from router.domain.question import Group, OpenQuestion, QuestionState
from router.domain.reading import Alarm, Intent, Reading
from router.domain.timeline import Direction, Interaction, Kind
from router.service import knowledge
from router.service.unit import Unit

#: What is no question to the shop's knowledge, unless it asks in so many words.
_NOT_ASKED: Final = frozenset({Intent.COMPLAINT, Intent.HUMAN_REQUEST, Intent.CHITCHAT})
_SPOKEN: Final = frozenset({Kind.MESSAGE, Kind.COMMENT, Kind.TURN})
#: Words shorter than this say too little to become an article.
_SHORTEST: Final = 4


def is_question(said: Interaction, reading: Reading) -> bool:
    """Say whether a contact asked something that an article could answer."""
    words = plain_text(said.content).strip()
    return (
        said.direction is Direction.IN
        and said.kind in _SPOKEN
        and said.recalled_at is None
        and reading.complaint is Alarm.NONE
        and not reading.wants_human
        and reading.intent not in _NOT_ASKED
        and len(words) >= _SHORTEST
        and (reading.intent is not Intent.OTHER or any(mark in words for mark in "?？吗呢"))
    )


def keep(unit: Unit, said: Interaction, *, language: str, at: datetime) -> bool:
    """Keep what a contact asked; False if it is kept already or says nothing."""
    words = plain_text(said.content).strip()
    if not words or said.recalled_at is not None:
        return False
    return unit.knowledge.ask(
        OpenQuestion(
            id=said.id,
            conversation=said.conversation,
            text=words,
            language="en" if language == "en" else "zh",
            channel=said.channel,
            at=at,
        )
    )


def open_questions(unit: Unit) -> tuple[OpenQuestion, ...]:
    """Return what nobody could answer, newest first."""
    return unit.knowledge.questions()


def draft(
    unit: Unit, *, questions: Collection[InteractionId], article: ArticleId, by: str, at: datetime
) -> Article:
    """Begin an article from open questions, with their wordings; somebody writes the answer.

    Raises Invalid if none of them is open any more.
    """
    wanted = set(questions)
    chosen = tuple(each for each in unit.knowledge.questions() if each.id in wanted)
    if not chosen:
        raise Invalid("questions: none of them is open any more")
    made = knowledge.write(
        unit,
        article=Article(
            id=article,
            state=ArticleState.DRAFT,
            category="",
            questions=Group(questions=chosen).wordings(),
            answer_zh="",
            answer_en="",
            channels=frozenset(),
            updated_at=at,
            updated_by=by,
            version=0,
        ),
        by=by,
        at=at,
    )
    ids = [each.id for each in chosen]
    unit.knowledge.settle_questions(ids, QuestionState.DRAFTED, article=article)
    return made


def dismiss(unit: Unit, *, questions: Collection[InteractionId]) -> int:
    """Put open questions away; return how many were open."""
    return unit.knowledge.settle_questions(list(questions), QuestionState.DISMISSED, article=None)
