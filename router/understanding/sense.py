"""What a question means beside the wordings of articles: neighbours and a small classifier."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from router.understanding.encoder import Encoder, Floats32
from router.understanding.features import LONGEST
from router.understanding.text import normal, printable

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_WIDTH: Final = 3.0  # how fast nearness fades with distance; tuned by cross-validation
_RIDGE: Final = 0.3
_MOST_CLASSIFIED: Final = 3000  # wordings; beyond it solving takes too long, neighbours remain
_BATCH: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Sense:
    """How each article stands to a question: its nearest wording's cosine, and its class score."""

    nearest: Floats
    class_score: Floats


class SenseIndex:
    """The wordings of articles as vectors; built once and only read."""

    def __init__(
        self, wordings: Sequence[str], owner: Ints, articles: int, encoder: Encoder
    ) -> None:
        """Embed ``wordings``, of which ``owner`` names the articles; milliseconds for each."""
        self._encoder, self._owner, self._articles = encoder, owner, articles
        cleaned = [_cleaned(wording) for wording in wordings]
        self._rows: Floats32 = np.concatenate(
            [encoder.encode(cleaned[at : at + _BATCH]) for at in range(0, len(cleaned), _BATCH)]
        )
        self._dual = self._classifier() if len(wordings) <= _MOST_CLASSIFIED else None

    def of(self, question: str) -> Sense:
        """Return how every article stands to ``question``."""
        cosine = (self._rows @ self._encoder.encode([_cleaned(question)])[0]).astype(np.float64)
        nearest = np.full(self._articles, -1.0)
        np.maximum.at(nearest, self._owner, cosine)
        if self._dual is None:
            return Sense(nearest=nearest, class_score=np.zeros(self._articles))
        return Sense(nearest=nearest, class_score=_faded(cosine) @ self._dual)

    def _classifier(self) -> Floats:
        """Solve a ridge regression of the owners on nearness to all wordings."""
        wanted = np.full((len(self._owner), self._articles), -1.0 / self._articles)
        wanted[np.arange(len(self._owner)), self._owner] = 1.0
        kernel = _faded((self._rows @ self._rows.T).astype(np.float64))
        dual: Floats = np.linalg.solve(kernel + _RIDGE * np.eye(len(kernel)), wanted)
        return dual


def _cleaned(text: str) -> str:
    return normal(printable(text[: 2 * LONGEST]))[:LONGEST]


def _faded(cosine: Floats) -> Floats:
    return np.asarray(np.exp(-_WIDTH * (1 - cosine)))
