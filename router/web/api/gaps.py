"""What knowledge lacks: open questions, contradictions; articles to and from files."""

import asyncio
from datetime import datetime

import msgspec

from router.domain.contradiction import Sign, contradictions
from router.domain.ids import ArticleId, InteractionId
from router.domain.question import ALIKE, grouped
from router.domain.workforce import Role
from router.service import knowledge, questions
from router.service.articlefile import FileProblem, read_articles, take_in, written
from router.service.library import shelf_of
from router.web.api.articles import ArticleShape
from router.web.api.operations import Asked, Operations
from router.web.api.shapes import Shape
from router.web.errors import Denied

operations = Operations("knowledge")


class QuestionShape(Shape, frozen=True):
    """What somebody asked and no article answered; ``id`` is the interaction."""

    id: str
    conversation: str
    text: str
    language: str
    channel: str
    at: datetime


class GroupShape(Shape, frozen=True):
    """Questions that ask the same, and their wordings without anybody's numbers."""

    wordings: tuple[str, ...]
    questions: tuple[QuestionShape, ...]


class ChosenBody(msgspec.Struct, forbid_unknown_fields=True):
    """Which questions, by id."""

    questions: tuple[str, ...]


class SettledShape(Shape, frozen=True):
    """How many questions were still open."""

    settled: int


class ContradictionShape(Shape, frozen=True):
    """Two publications that do not go together; of a translation both are the same."""

    sign: Sign
    question: str
    language: str
    one: str
    other: str
    differs: tuple[tuple[tuple[str, float], tuple[str, float]], ...]


class FileQuery(msgspec.Struct, forbid_unknown_fields=True):
    """csv, json, jsonl or md."""

    format: str = "json"


class FileBody(msgspec.Struct, forbid_unknown_fields=True):
    """A file's text and its format: csv, json, jsonl or md."""

    text: str
    format: str


class ArticlesFileShape(Shape, frozen=True):
    """A file of articles."""

    format: str
    text: str


class TakenShape(Shape, frozen=True):
    """How many articles the file has, and how many of them were new or different."""

    articles: int
    changed: int


@operations.add("GET", "/questions", answer=tuple[GroupShape, ...])
async def list_open_questions(asked: Asked) -> tuple[GroupShape, ...]:
    """List what the bot could not answer, the same questions together, most asked first."""
    held = await asked.deps.store.read(questions.open_questions)
    pairs = await asyncio.to_thread(asked.deps.near, [each.text for each in held], ALIKE)
    return tuple(
        GroupShape(wordings=each.wordings(), questions=tuple(map(QuestionShape.of, each.questions)))
        for each in grouped(held, pairs)
    )


def _chosen(asked: Asked) -> tuple[InteractionId, ...]:
    return tuple(map(InteractionId, asked.body.questions))


@operations.add(
    "POST",
    "/questions/draft",
    answer=ArticleShape,
    body=ChosenBody,
    role=Role.SUPERVISOR,
    status=201,
)
async def draft_from_questions(asked: Asked) -> ArticleShape:
    """Begin an article with the wordings of open questions; the answer is still to be written."""
    made = await asked.deps.store.transact(
        questions.draft,
        questions=_chosen(asked),
        article=ArticleId(asked.deps.ids.new()),
        by=asked.agent.id,
        at=asked.at,
    )
    return ArticleShape.of(made)


@operations.add(
    "POST", "/questions/dismiss", answer=SettledShape, body=ChosenBody, role=Role.SUPERVISOR
)
async def dismiss_questions(asked: Asked) -> SettledShape:
    """Put open questions away."""
    count = await asked.deps.store.transact(questions.dismiss, questions=_chosen(asked))
    return SettledShape(settled=count)


@operations.add("GET", "/contradictions", answer=tuple[ContradictionShape, ...])
async def list_contradictions(asked: Asked) -> tuple[ContradictionShape, ...]:
    """List the publications that answer the same question otherwise, the surest first."""
    shelf = await asked.deps.store.read(shelf_of)
    found = await asyncio.to_thread(
        contradictions, shelf.standing, near=asked.deps.near, at=asked.at
    )
    return tuple(
        ContradictionShape(
            sign=each.sign,
            question=each.question,
            language=each.language,
            one=each.one.id,
            other=each.other.id,
            differs=each.differs,
        )
        for each in found
    )


@operations.add("GET", "/knowledge-file", answer=ArticlesFileShape, query=FileQuery)
async def export_articles(asked: Asked) -> ArticlesFileShape:
    """Return every article as the text of a file."""
    text = written(await asked.deps.store.read(knowledge.articles), asked.query.format)
    return ArticlesFileShape(format=asked.query.format, text=text)


@operations.add("POST", "/knowledge-file", answer=TakenShape, body=FileBody, role=Role.SUPERVISOR)
async def import_articles(asked: Asked) -> TakenShape:
    """Take articles in from a file's text, all of them or none.

    The error's message has a line for each problem: the line of the file, the field, the fix.
    """
    try:
        rows = read_articles(asked.body.text, asked.body.format)
    except FileProblem as error:
        raise Denied("invalid", 400, detail=str(error), field="text") from error
    changed = await asked.deps.store.transact(
        take_in,
        rows=rows,
        by=asked.agent.id,
        four_eyes=asked.deps.policy.knowledge.four_eyes,
        at=asked.at,
    )
    return TakenShape(articles=len(rows), changed=changed)
