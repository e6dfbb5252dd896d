"""What a reader does in whichever process: it reads, follows the mood and finds articles."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from router.domain.knowledge import Candidate
from router.domain.reading import Mood, Reading, Trend
from router.service.hearing import Earlier, Heard, Run, Words
from router.understanding.conversation import Course, course_of
from router.understanding.encoder import Encoder, Floats32, LayeredEncoder, Tells
from router.understanding.retrieval import Retrieval

#: Articles that are told of a message; whoever asked leaves out those of other channels.
MOST_CANDIDATES = 8
#: Turns of a conversation that its mood is told from.
MOST_TURNS = 20
#: Texts whose vectors are kept: a message is embedded once for reading, mood and articles.
_REMEMBERED = 512


class Reads(Protocol):
    """Understands one message by itself."""

    def read(self, text: str, *, language: str | None = None) -> Reading: ...


class Remembering:
    """An encoder that keeps the vectors of the latest texts, so that each is embedded once."""

    def __init__(self, encoder: LayeredEncoder, *, most: int = _REMEMBERED) -> None:
        self._encoder, self._most = encoder, most
        self._kept: OrderedDict[str, Floats32] = OrderedDict()

    def encode(self, texts: Sequence[str]) -> Floats32:
        """Return one row a text; only texts that were not asked for lately cost anything."""
        kept = {text: self._kept[text] for text in texts if text in self._kept}
        fresh = [text for text in dict.fromkeys(texts) if text not in kept]
        if fresh:
            kept.update(zip(fresh, self._encoder.encode(fresh), strict=True))
        self._keep(kept)
        return np.stack([kept[text] for text in texts])

    def encode_beside(
        self, texts: Sequence[str], tells: Tells, *, first: int
    ) -> tuple[Floats32, Floats32]:
        """Embed anew, with what ``tells`` says of the ``first`` texts, and keep the vectors."""
        rows, told = self._encoder.encode_beside(texts, tells, first=first)
        self._keep(dict(zip(texts, rows, strict=True)))
        return rows, told

    def _keep(self, rows: Mapping[str, Floats32]) -> None:
        for text, row in rows.items():
            self._kept[text] = row
            self._kept.move_to_end(text)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)


class Work:
    """A reader with the articles that it knows. ``index`` is replaced as a whole."""

    def __init__(self, reader: Reads, encoder: Encoder | None) -> None:
        self._reader, self._encoder = reader, encoder
        self.index: Retrieval | None = None

    def hear(self, run: Run) -> tuple[Heard, ...]:
        """Read a contact's words in order."""
        before = {name: list(turns) for name, turns in run.before.items()}
        heard = []
        for words in run.words:
            reading = self._reader.read(words.text, language=words.language or None)
            turns = before.setdefault(words.conversation, [])
            turns.append(Earlier(text=words.text, reading=reading))
            heard.append(
                Heard(
                    reading=reading,
                    mood=self._mood(turns[-MOST_TURNS:], run.elsewhere),
                    candidates=self._candidates(words, reading),
                )
            )
        return tuple(heard)

    def find(self, question: str, *, language: str, limit: int) -> tuple[Candidate, ...] | None:
        """Return the articles that may answer ``question``; None if no articles are known."""
        index = self.index
        return None if index is None else index.best(question, language=language, limit=limit)

    def _candidates(self, words: Words, reading: Reading) -> tuple[Candidate, ...] | None:
        if not words.text:
            return ()
        return self.find(words.text, language=reading.language, limit=MOST_CANDIDATES)

    def _mood(self, turns: Sequence[Earlier], elsewhere: Sequence[Earlier]) -> Mood:
        mood = mood_of(self._course(turns))
        if mood.again or not elsewhere:
            return mood
        again = self._course([*elsewhere, turns[-1]]).turns[-1].repeat
        return replace(mood, again=again, repeats=mood.repeats + again)

    def _course(self, turns: Sequence[Earlier]) -> Course:
        return course_of(
            [turn.text for turn in turns],
            [turn.reading for turn in turns],
            encoder=self._encoder,
        )


def mood_of(course: Course) -> Mood:
    """Return what the course of a conversation comes to after its last turn."""
    return Mood(
        anger=course.turns[-1].anger,
        trend=Trend(course.trend.value),
        again=course.turns[-1].repeat,
        repeats=sum(turn.repeat for turn in course.turns),
        escalate=course.escalate,
    )
