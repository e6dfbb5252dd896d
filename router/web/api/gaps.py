"""What knowledge lacks: open questions, contradictions; what is written to and from files."""

import asyncio
from datetime import datetime

import msgspec

from router.domain.contradiction import Sign, contradictions
from router.domain.ids import ArticleId, InteractionId
from router.domain.question import ALIKE, grouped
from router.domain.workforce import Role
from router.service import questions
from router.service.files import KINDS, FileProblem
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
    """csv, json or jsonl; for articles also md."""

    format: str = "json"


class FileBody(msgspec.Struct, forbid_unknown_fields=True):
    """A file's text and its format: csv, json or jsonl; for articles also md."""

    text: str
    format: str


class FileShape(Shape, frozen=True):
    """A file of all articles, products or scripts."""

    format: str
    text: str


class TakenShape(Shape, frozen=True):
    """How many rows the file has, and how many of them were new or different."""

    rows: int
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


async def _given(asked: Asked, kind: str) -> FileShape:
    text = await asked.deps.store.read(KINDS[kind].written, asked.query.format)
    return FileShape(format=asked.query.format, text=text)


async def _taken(asked: Asked, kind: str) -> TakenShape:
    try:
        rows = KINDS[kind].read(asked.body.text, asked.body.format)
    except FileProblem as error:
        raise Denied("invalid", 400, detail=str(error), field="text") from error
    changed = await asked.deps.store.transact(
        KINDS[kind].take_in,
        rows=rows,
        by=asked.agent.id,
        four_eyes=asked.deps.policy.knowledge.four_eyes,
        at=asked.at,
    )
    return TakenShape(rows=len(rows), changed=changed)


@operations.add("GET", "/knowledge-file", answer=FileShape, query=FileQuery)
async def export_articles(asked: Asked) -> FileShape:
    """Return every article as the text of a file."""
    return await _given(asked, "articles")


@operations.add("POST", "/knowledge-file", answer=TakenShape, body=FileBody, role=Role.SUPERVISOR)
async def import_articles(asked: Asked) -> TakenShape:
    """Take articles in from a file's text, all of them or none.

    The error's message has a line for each problem: the line of the file, the field, the fix.
    """
    return await _taken(asked, "articles")


@operations.add("GET", "/product-file", answer=FileShape, query=FileQuery)
async def export_products(asked: Asked) -> FileShape:
    """Return every product as the text of a file."""
    return await _given(asked, "products")


@operations.add("POST", "/product-file", answer=TakenShape, body=FileBody, role=Role.SUPERVISOR)
async def import_products(asked: Asked) -> TakenShape:
    """Take products in from a file's text, all of them or none; errors as for articles."""
    return await _taken(asked, "products")


@operations.add("GET", "/script-file", answer=FileShape, query=FileQuery)
async def export_scripts(asked: Asked) -> FileShape:
    """Return every script as the text of a file."""
    return await _given(asked, "scripts")


@operations.add("POST", "/script-file", answer=TakenShape, body=FileBody, role=Role.SUPERVISOR)
async def import_scripts(asked: Asked) -> TakenShape:
    """Take scripts in from a file's text, all of them or none; errors as for articles."""
    return await _taken(asked, "scripts")
