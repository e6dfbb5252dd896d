"""How well reading and retrieval do on labelled files: the measures, and nothing that decides."""

import random
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from router.domain.ids import ArticleId
from router.domain.knowledge import Answer, Answerable, Candidate, decide_answer
from router.domain.reading import Alarm, Entity, EntityKind, Reading
from router.understanding.bank import Topic
from router.understanding.conversation import Course
from router.understanding.encoder import Encoder
from router.understanding.retrieval import Retrieval

T = TypeVar("T")
Read = Callable[[str], Reading]
HARD_TAGS = frozenset({"hardneg", "negated", "quoted"})
_GRAVE = 3


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A labelled message; ``intent_alt`` is a second accepted intent or empty.

    A row without ``intent`` is not labelled: it is read, and counts in no measure.
    """

    id: str
    text: str
    lang: str = ""
    intent: str = ""
    intent_alt: str = ""
    complaint: int = 0
    severity: int = 0
    wants_human: int = 0
    sentiment: float = 0.0
    tags: tuple[str, ...] = ()

    @property
    def is_hard(self) -> bool:
        """Say whether it only sounds like a complaint."""
        return not HARD_TAGS.isdisjoint(self.tags)


class Marked(msgspec.Struct, frozen=True, kw_only=True):
    """One entity as labelled."""

    type: EntityKind
    value: str


class Extraction(msgspec.Struct, frozen=True, kw_only=True):
    """A text and all entities in it."""

    id: str
    text: str
    entities: tuple[Marked, ...] = ()


class Article(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the authored knowledge base."""

    id: str
    question_zh: str
    answer_zh: str
    question_en: str
    answer_en: str

    def answerable(self, wordings: Iterable[str] = ()) -> Answerable:
        """Return the article as retrieval takes it, with further wordings."""
        return Answerable(
            id=ArticleId(self.id),
            questions=(self.question_zh, self.question_en, *wordings),
            answer_zh=self.answer_zh,
            answer_en=self.answer_en,
            channels=frozenset(),
        )


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A labelled question; an empty ``faq_id`` means that no article answers it.

    A row without ``tier`` is not labelled.
    """

    id: str
    text: str
    faq_id: str = ""
    lang: str = ""
    tier: str = ""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One turn as labelled: anger 0 to 3, and whether it asks again what was asked before."""

    text: str
    anger: int = 0
    repeat: int = 0


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's turns, oldest first; a row without ``trend`` is not labelled."""

    id: str
    turns: tuple[Said, ...]
    lang: str = ""
    trend: str = ""
    escalate: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """``right`` of ``total``; a share of nothing is 1."""

    right: int
    total: int

    @property
    def value(self) -> float:
        return self.right / self.total if self.total else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageScores:
    """The measures of reading messages, each 0–1 except ``sentiment`` (Pearson, -1–1)."""

    complaint_recall: Share
    complaint_precision: Share
    alert_recall: Share
    alert_precision: Share
    grave_recall: Share
    false_alarms_plain: Share
    false_alarms_hard: Share
    average_precision: float
    intent: Share
    intent_macro_f1: float
    human_recall: Share
    human_precision: Share
    sentiment: float
    language: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkScores:
    """The measures of following conversations, each 0–1."""

    escalate_recall: Share
    escalate_precision: Share
    repeat_f1: Share
    trend: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerScores:
    """The measures of answering: right of all asked, right of all answered, and strangers."""

    common_right: Share
    common_precision: Share
    hard_right: Share
    hard_precision: Share
    outside_answered: Share


def load(path: Path, kind: type[T]) -> tuple[T, ...]:
    """Read a JSON-lines file of ``kind``; raises ``msgspec.ValidationError`` on a bad row."""
    decoder = msgspec.json.Decoder(kind)
    lines = path.read_bytes().splitlines()
    return tuple(decoder.decode(line) for line in lines if line.strip())


def score_messages(messages: Sequence[Message], read: Read) -> MessageScores:
    """Read every message and compare with its labels."""
    pairs = [(message, read(message.text)) for message in messages]
    bad = [reading for message, reading in pairs if message.complaint]
    fine = [(message, reading) for message, reading in pairs if not message.complaint]
    watched = [message for message, reading in pairs if _alarmed(reading)]
    alerted = [message for message, reading in pairs if reading.complaint is Alarm.ALERT]
    wished = [message for message, reading in pairs if reading.wants_human]
    return MessageScores(
        complaint_recall=_share(map(_alarmed, bad)),
        complaint_precision=_share(bool(message.complaint) for message in watched),
        alert_recall=_share(reading.complaint is Alarm.ALERT for reading in bad),
        alert_precision=_share(bool(message.complaint) for message in alerted),
        grave_recall=_share(
            reading.severity == _GRAVE and _alarmed(reading)
            for message, reading in pairs
            if message.severity == _GRAVE
        ),
        false_alarms_plain=_share(_alarmed(got) for message, got in fine if not message.is_hard),
        false_alarms_hard=_share(_alarmed(got) for message, got in fine if message.is_hard),
        average_precision=_average_precision(
            [(got.complaint_score, bool(message.complaint)) for message, got in pairs]
        ),
        intent=_share(
            got.intent.value in {message.intent, message.intent_alt} for message, got in pairs
        ),
        intent_macro_f1=_macro_f1([(message.intent, got.intent.value) for message, got in pairs]),
        human_recall=_share(got.wants_human for message, got in pairs if message.wants_human),
        human_precision=_share(bool(message.wants_human) for message in wished),
        sentiment=_pearson([(message.sentiment, got.sentiment) for message, got in pairs]),
        language=_share(message.lang == got.language for message, got in pairs),
    )


def score_extraction(
    rows: Sequence[Extraction], find: Callable[[str], Collection[Entity]]
) -> tuple[Share, Share]:
    """Return precision and recall of the entities that ``find`` finds.

    A phone counts as right if it ends in the digits that were labelled, because the labels are as
    written and readings are E.164.
    """
    found = right = labelled = 0
    for row in rows:
        entities = find(row.text)
        found += len(entities)
        labelled += len(row.entities)
        right += sum(any(_same(mark, entity) for entity in entities) for mark in row.entities)
    return Share(right=right, total=found), Share(right=right, total=labelled)


def cross_validated(
    articles: Sequence[Article],
    questions: Sequence[Question],
    *,
    encoder: Encoder | None = None,
    common: Sequence[Topic] = (),
    folds: int = 5,
    seed: int = 7,
) -> Iterator[tuple[Question, tuple[Candidate, ...]]]:
    """Answer each question from an index that knows the other folds' wordings, and not its own.

    Articles borrow from ``common``, of which the fold's own questions are left out.
    """
    shuffled = list(questions)
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - a reproducible split, not a secret
    for fold in range(folds):
        asked = shuffled[fold::folds]
        held_out = {question.id for question in asked}
        wordings: dict[str, list[str]] = defaultdict(list)
        for question in shuffled:
            if question.id not in held_out and question.faq_id:
                wordings[question.faq_id].append(question.text)
        kept = [each.without({question.text for question in asked}) for each in common]
        index = Retrieval(
            [each.answerable(wordings[each.id]) for each in articles], encoder, common=kept
        )
        for question in asked:
            yield question, index.best(question.text, language=question.lang)


def score_answers(
    tried: Iterable[tuple[Question, Sequence[Candidate]]], *, answer_at: float, ask_at: float
) -> AnswerScores:
    """Decide on each question's candidates and compare with the article that answers it."""
    right: dict[str, list[bool]] = defaultdict(list)
    given: dict[str, list[bool]] = defaultdict(list)
    for question, candidates in tried:
        decided = decide_answer(candidates, answer_at=answer_at, ask_at=ask_at)
        answered = isinstance(decided, Answer)
        good = answered and candidates[0].article == question.faq_id
        right[question.tier].append(good)
        if answered:
            given[question.tier].append(good)
    return AnswerScores(
        common_right=_share(right["common"]),
        common_precision=_share(given["common"]),
        hard_right=_share(right["hard"]),
        hard_precision=_share(given["hard"]),
        outside_answered=Share(right=len(given["out_of_kb"]), total=len(right["out_of_kb"])),
    )


def score_talks(talks: Sequence[tuple[Talk, Course]]) -> TalkScores:
    """Compare what conversations came to with their labels."""
    turns = [
        (turn.repeat, bool(said.repeat))
        for talk, course in talks
        for turn, said in zip(course.turns, talk.turns, strict=True)
    ]
    both = sum(got and wanted for got, wanted in turns)
    return TalkScores(
        escalate_recall=_share(course.escalate for talk, course in talks if talk.escalate),
        escalate_precision=_share(bool(talk.escalate) for talk, course in talks if course.escalate),
        repeat_f1=Share(right=2 * both, total=sum(got + wanted for got, wanted in turns)),
        trend=_share(course.trend.value == talk.trend for talk, course in talks),
    )


def _alarmed(reading: Reading) -> bool:
    return reading.complaint is not Alarm.NONE


def _share(claims: Iterable[bool]) -> Share:
    held = list(claims)
    return Share(right=sum(held), total=len(held))


def _same(mark: Marked, entity: Entity) -> bool:
    if mark.type is not entity.kind:
        return False
    if mark.type is EntityKind.PHONE:
        return entity.value.endswith(mark.value.lstrip("+0"))
    return mark.value == entity.value


def _average_precision(scored: Sequence[tuple[float, bool]]) -> float:
    """Return the mean of the precision at each complaint, going down the scores."""
    total = sum(complains for _, complains in scored)
    seen, gathered = 0, 0.0
    for place, (_, complains) in enumerate(
        sorted(scored, key=lambda pair: pair[0], reverse=True), start=1
    ):
        if complains:
            seen += 1
            gathered += seen / place
    return gathered / total if total else 1.0


def _macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    names = {wanted for wanted, _ in pairs}
    scores = []
    for name in names:
        hit = sum(wanted == got == name for wanted, got in pairs)
        wanted_all = sum(wanted == name for wanted, _ in pairs)
        got_all = sum(got == name for _, got in pairs)
        scores.append(2 * hit / (wanted_all + got_all))
    return sum(scores) / len(scores) if scores else 1.0


def _pearson(pairs: Sequence[tuple[float, float]]) -> float:
    count = len(pairs)
    mean_a = sum(a for a, _ in pairs) / count if count else 0.0
    mean_b = sum(b for _, b in pairs) / count if count else 0.0
    together = sum((a - mean_a) * (b - mean_b) for a, b in pairs)
    apart = sum((a - mean_a) ** 2 for a, _ in pairs) * sum((b - mean_b) ** 2 for _, b in pairs)
    return float(together / apart**0.5) if apart else 0.0
