"""How customers put common questions: wordings that an article borrows if it answers the same.

``data/wordings.jsonl`` holds questions that most shops are asked, each with wordings in Chinese and
English. All of it was written for this project.
"""

from collections.abc import Collection, Sequence
from functools import cache
from importlib import resources
from typing import Final

import msgspec
import numpy as np

from router.domain.knowledge import Answerable
from router.understanding.encoder import Encoder, Floats32
from router.understanding.features import LONGEST
from router.understanding.text import normal, printable

_SAME: Final = 0.7  # cosine from which two questions ask the same; see docs/UNDERSTANDING.md
_BATCH: Final = 64


class Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A common question: the usual ways to write it down, and how customers put it."""

    topic: str
    questions: tuple[str, ...]
    wordings: tuple[str, ...]

    def without(self, texts: Collection[str]) -> "Topic":
        """Return the topic without the wordings that are in ``texts``."""
        kept = tuple(each for each in self.wordings if each not in texts)
        return msgspec.structs.replace(self, wordings=kept)


@cache
def topics() -> tuple[Topic, ...]:
    """Read the file; raises ``msgspec.ValidationError`` if a row of it is malformed."""
    held = resources.files("router.understanding").joinpath("data/wordings.jsonl")
    decoder = msgspec.json.Decoder(Topic)
    return tuple(decoder.decode(line) for line in held.read_bytes().splitlines())


def borrowed(
    articles: Sequence[Answerable], encoder: Encoder, common: Sequence[Topic]
) -> list[tuple[str, ...]]:
    """Return for each of ``articles`` the wordings that it borrows from ``common``, mostly none.

    An article takes those of the topic nearest to one of its questions, if no other article is
    nearer to that topic. Costs a few milliseconds for each question of either, so about a second.
    """
    own = [question for article in articles for question in article.questions]
    if not own or not common:
        return [() for _ in articles]
    owner = np.repeat(np.arange(len(articles)), [len(each.questions) for each in articles])
    listed = tuple(question for topic in common for question in topic.questions)
    belongs = np.repeat(np.arange(len(common)), [len(each.questions) for each in common])
    near = _vectors(own, encoder) @ _vectors(listed, encoder).T
    best = np.full((len(articles), len(common)), -1.0)
    np.maximum.at(best, (owner[:, None], belongs[None, :]), near)
    lent: list[tuple[str, ...]] = [() for _ in articles]
    for at in range(len(articles)):
        topic = int(np.argmax(best[at]))
        if best[at, topic] >= max(_SAME, float(best[:, topic].max())):
            lent[at] = common[topic].wordings
    return lent


def _vectors(texts: Sequence[str], encoder: Encoder) -> Floats32:
    cleaned = [normal(printable(text[: 2 * LONGEST]))[:LONGEST] for text in texts]
    return np.concatenate(
        [encoder.encode(cleaned[at : at + _BATCH]) for at in range(0, len(cleaned), _BATCH)]
    )
