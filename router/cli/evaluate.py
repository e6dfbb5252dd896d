"""The commands that measure reading and answering on anybody's own labelled files."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from router.domain.knowledge import Answer, Candidate, decide_answer
from router.domain.reading import Alarm, Reading
from router.understanding.conversation import Course, course_of
from router.understanding.encoder import Encoder, ModelUnavailable, open_encoder
from router.understanding.evaluate import (
    Article,
    Extraction,
    Message,
    Question,
    Talk,
    load,
    score_answers,
    score_extraction,
    score_messages,
    score_talks,
)
from router.understanding.reader import RuleReader
from router.understanding.report import calibration, confusion, measures, times
from router.understanding.retrieval import ASK_AT, Retrieval
from router.understanding.text import language_of
from router.understanding.tiers import open_reader
from router.understanding.trained import TrainedReader

T = TypeVar("T")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.option(
    "--predictions",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Also write what was said of each row, as JSON lines.",
)
_RULES = click.option("--rules", is_flag=True, help="Use rules and words alone, no trained part.")


@click.group()
def evaluate() -> None:
    """Measure reading and answering on a labelled JSON-lines file."""


@evaluate.command()
@click.argument("file", type=_FILE)
@_OUT
@_RULES
def understanding(file: Path, predictions: Path | None, *, rules: bool) -> None:
    """Read the messages of FILE and compare with their labels."""
    messages, reader = _rows(file, Message), _reader(rules=rules)
    read = [_timed(partial(reader.read, row.text)) for row in messages]
    _write(
        predictions,
        (
            _message_row(row, reading, spent)
            for row, (reading, spent) in zip(messages, read, strict=True)
        ),
    )
    pairs = [(row, reading) for row, (reading, _) in zip(messages, read, strict=True) if row.intent]
    for title, language in (("all", ""), ("zh", "zh"), ("en", "en")):
        held = [(row, reading) for row, reading in pairs if row.lang.startswith(language)]
        if held:
            given = {row.text: reading for row, reading in held}
            click.echo(f"\n{title}: {len(held)} messages")
            _say(measures(score_messages([row for row, _ in held], given.__getitem__)))
    if pairs:
        click.echo("\nintents")
        _say(confusion([(row.intent, reading.intent.value) for row, reading in pairs]))
        click.echo("\ncalibration of the complaint score")
        _say(calibration([(got.complaint_score, bool(row.complaint)) for row, got in pairs]))
    click.echo(f"\n{reader.name}: {times([spent for _, spent in read])}")


@evaluate.command()
@click.argument("questions", type=_FILE)
@click.option("--knowledge", type=_FILE, required=True, help="The articles, as JSON lines.")
@click.option(
    "--wordings", type=_FILE, default=None, help="Labelled questions to add to their articles."
)
@_OUT
@_RULES
def faq(
    questions: Path,
    knowledge: Path,
    wordings: Path | None,
    predictions: Path | None,
    *,
    rules: bool,
) -> None:
    """Answer the QUESTIONS from a knowledge base and compare with the articles that do."""
    index = _index(_rows(knowledge, Article), wordings, None if rules else _encoder())
    asked = _rows(questions, Question)
    found = [
        _timed(partial(index.best, row.text, language=row.lang or _language(row.text)))
        for row in asked
    ]
    _write(
        predictions,
        (
            _answer_row(row, candidates, spent, answer_at=index.answer_at)
            for row, (candidates, spent) in zip(asked, found, strict=True)
        ),
    )
    tried = [(row, got) for row, (got, _) in zip(asked, found, strict=True) if row.tier]
    if tried:
        _say(measures(score_answers(tried, answer_at=index.answer_at, ask_at=ASK_AT)))
        click.echo("\ncalibration of the confidence")
        _say(
            calibration(
                [(got[0].confidence, got[0].article == row.faq_id) for row, got in tried if got]
            )
        )
    click.echo(f"\n{times([spent for _, spent in found])}")


@evaluate.command()
@click.argument("file", type=_FILE)
@_OUT
def extraction(file: Path, predictions: Path | None) -> None:
    """Find the numbers and addresses in the texts of FILE and compare with those marked."""
    rows, reader = _rows(file, Extraction), RuleReader()
    given = {row.text: reader.read(row.text).entities for row in rows}
    _write(
        predictions,
        (
            {
                "id": row.id,
                "entities": [
                    {"type": each.kind.value, "value": each.value} for each in given[row.text]
                ],
            }
            for row in rows
        ),
    )
    precision, recall = score_extraction(rows, given.__getitem__)
    click.echo(f"precision {precision.value:.3f}  ({precision.right} of {precision.total})")
    click.echo(f"recall    {recall.value:.3f}  ({recall.right} of {recall.total})")


@evaluate.command()
@click.argument("file", type=_FILE)
@_OUT
@_RULES
def conversations(file: Path, predictions: Path | None, *, rules: bool) -> None:
    """Follow the conversations of FILE and compare anger, repeats and trend with their labels."""
    talks, reader = _rows(file, Talk), _reader(rules=rules)
    encoder = None if rules else _encoder()
    courses = []
    for talk in talks:
        texts = [turn.text for turn in talk.turns]
        readings = [reader.read(text, language=talk.lang or None) for text in texts]
        courses.append((talk, course_of(texts, readings, encoder=encoder)))
    _write(predictions, (_course_row(talk, course) for talk, course in courses))
    labelled = [(talk, course) for talk, course in courses if talk.trend]
    if labelled:
        _say(measures(score_talks(labelled)))
        click.echo("\ntrends")
        _say(confusion([(talk.trend, course.trend.value) for talk, course in labelled]))


def _rows(path: Path, kind: type[T]) -> tuple[T, ...]:
    try:
        return load(path, kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{path}: {error}") from error


def _reader(*, rules: bool) -> TrainedReader | RuleReader:
    if rules:
        return RuleReader()
    reader, warning = open_reader()
    if warning is not None:
        click.echo(warning, err=True)
    return reader


def _encoder() -> Encoder | None:
    try:
        return open_encoder()
    except ModelUnavailable as error:
        click.echo(f"questions are compared by words alone: {error}", err=True)
        return None


def _index(
    articles: Sequence[Article], wordings: Path | None, encoder: Encoder | None
) -> Retrieval:
    further: defaultdict[str, list[str]] = defaultdict(list)
    for row in () if wordings is None else _rows(wordings, Question):
        further[row.faq_id].append(row.text)
    return Retrieval([each.answerable(further[each.id]) for each in articles], encoder)


def _language(text: str) -> str:
    return language_of(text, fallback=None)


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    """Return what ``work`` returns, and the milliseconds of CPU that it took."""
    began = time.thread_time()
    result = work()
    return result, (time.thread_time() - began) * 1000


def _message_row(row: Message, reading: Reading, spent: float) -> dict[str, Any]:
    return {
        "id": row.id,
        "lang": reading.language,
        "intent": reading.intent.value,
        "complaint": int(reading.complaint is not Alarm.NONE),
        "complaint_score": reading.complaint_score,
        "severity": reading.severity,
        "wants_human": int(reading.wants_human),
        "sentiment": reading.sentiment,
        "ms": round(spent, 3),
    }


def _answer_row(
    row: Question, candidates: Sequence[Candidate], spent: float, *, answer_at: float
) -> dict[str, Any]:
    decided = decide_answer(candidates, answer_at=answer_at, ask_at=ASK_AT)
    return {
        "id": row.id,
        "faq_id": candidates[0].article if candidates else "",
        "score": candidates[0].confidence if candidates else 0.0,
        "answered": isinstance(decided, Answer),
        "top3": [each.article for each in candidates],
        "ms": round(spent, 3),
    }


def _course_row(talk: Talk, course: Course) -> dict[str, Any]:
    return {
        "id": talk.id,
        "turns": [{"anger": turn.anger, "repeat": int(turn.repeat)} for turn in course.turns],
        "trend": course.trend.value,
        "escalate": int(course.escalate),
    }


def _write(path: Path | None, rows: Iterable[dict[str, Any]]) -> None:
    if path is not None:
        path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows))


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)
