"""The sentence encoder by layers: the lower ones once, the upper ones as packaged and as tuned.

The packaged encoder (Apache-2.0, pinned in `encoder.py`) brings its numbers; what is done with them
is written here anew. Words stand on rows one below the other, the sentences of a call one after the
other; no sentence sees its neighbour.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats32 = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

#: How many neighbours each branch sees of a word, and how many of them before it.
BRANCHES: Final = ((2, 0), (3, 1), (5, 2))
CHANNELS: Final = 256  # of each branch
PIECE: Final = 512  # numbers that a piece of a word is looked up as
TINY: Final = 1e-12  # keeps what is divided by from being nothing
_CHUNKS = 17  # of the table of pieces, each with a scale of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What the lower layers make of some sentences, one row a piece of a word.

    ``around`` holds for each branch each word's neighbours side by side, zeros where there are
    none; ``starts`` and ``lengths`` tell the sentences apart.
    """

    pieces: Floats32
    hidden: Floats32
    around: tuple[Floats32, ...]
    starts: Ints
    lengths: Ints

    def first(self, sentences: int) -> "Words":
        """Return the first ``sentences`` of them."""
        end = int(self.lengths[:sentences].sum())
        return Words(
            pieces=self.pieces[:end],
            hidden=self.hidden[:end],
            around=tuple(each[:end] for each in self.around),
            starts=self.starts[:sentences],
            lengths=self.lengths[:sentences],
        )


class Lower:
    """Looks pieces of words up and sees each among its nearest neighbours."""

    def __init__(self, model: Any) -> None:
        """Use the numbers of ``model``, the package's; raises ``AttributeError`` if one is gone."""
        self._model = model
        self._pieces_of = model.sp.encode
        self._convolved = list(zip(model.w1, model.b1, strict=True))

    def __call__(self, texts: Sequence[str]) -> Words:
        """Return what these layers make of ``texts``."""
        model = self._model
        cut = [self._pieces_of(text) for text in texts]
        lengths = np.array([len(each) for each in cut], dtype=np.int64)
        starts = np.cumsum(lengths) - lengths
        flat = np.concatenate(cut).astype(np.int64)
        pieces: Floats32 = model.table[flat].astype(np.float32)
        chunk = flat % _CHUNKS
        pieces *= model.scale[chunk, None]
        pieces += model.lo[chunk, None]
        seen = _levelled(
            pieces @ model.proj_W + model.proj_b, model.ln_g_all, model.ln_b_all, model.eps
        )
        windows = _windows(starts, lengths)
        hidden = np.empty_like(seen)
        for at, (weight, bias) in enumerate(self._convolved):
            branch = slice(at * CHANNELS, (at + 1) * CHANNELS)
            beside = _beside(seen[:, branch], windows, at)
            hidden[:, branch] = _risen(beside @ weight + bias) + seen[:, branch]
        around = tuple(
            _beside(hidden[:, at * CHANNELS : (at + 1) * CHANNELS], windows, at)
            for at in range(len(BRANCHES))
        )
        return Words(pieces=pieces, hidden=hidden, around=around, starts=starts, lengths=lengths)


class Turned:
    """A matrix that differs from a packaged one by a product of two narrow ones."""

    __array_ufunc__ = None  # an array leaves ``rows @ turned`` to this class

    def __init__(self, packaged: Floats32, down: Floats32, up: Floats32) -> None:
        """Stand for ``packaged + down @ up`` without a copy of ``packaged``."""
        self._packaged, self._down, self._up = packaged, down, up

    def __rmatmul__(self, rows: Floats32) -> Floats32:
        """Return ``rows`` times this matrix."""
        product: Floats32 = rows @ self._packaged
        product += (rows @ self._down) @ self._up
        return product


class Upper:
    """The layers from words to one vector of length one a sentence."""

    def __init__(self, arrays: Mapping[str, Any], *, tiny: float) -> None:
        """Take what ``UPPER`` names, ``Turned`` or plain; raises ``KeyError`` if one is missing."""
        self._second = [(arrays[f"w2_{size}"], arrays[f"b2_{size}"]) for size, _ in BRANCHES]
        self._level = arrays["ln_g"], arrays["ln_b"]
        self._down = arrays["cnn_W"], arrays["cnn_b"]
        self._deep = [arrays[name] for name in ("d0", "p1", "d1", "d2", "p3", "d3")]
        self._tiny = tiny

    def __call__(self, words: Words) -> Floats32:
        """Return one row a sentence."""
        seen = np.empty((len(words.pieces), PIECE + words.hidden.shape[1]), dtype=np.float32)
        seen[:, :PIECE] = words.pieces
        np.copyto(seen[:, PIECE:], words.hidden)
        for at, (weight, bias) in enumerate(self._second):
            branch = slice(PIECE + at * CHANNELS, PIECE + (at + 1) * CHANNELS)
            seen[:, branch] += _risen(words.around[at] @ weight + bias)
        seen = _levelled(seen, *self._level, self._tiny)
        weight, bias = self._down
        long = words.lengths.astype(np.float32)[:, None]
        whole = (np.add.reduceat(seen, words.starts, axis=0) @ weight + long * bias) / np.sqrt(long)
        d0, p1, d1, d2, p3, d3 = self._deep
        once = _risen(whole @ p1 + _risen(whole @ d0) @ d1)
        told = np.tanh(once @ p3 + _risen(once @ d2) @ d3)
        length = np.sqrt(np.maximum((told * told).sum(axis=1, keepdims=True), self._tiny))
        return np.asarray(told / length, dtype=np.float32)


#: The arrays of an ``Upper``, by the names that the package gives them.
UPPER: Final = (
    *(f"{kind}2_{size}" for kind in "wb" for size, _ in BRANCHES),
    *("ln_g", "ln_b", "cnn_W", "cnn_b", "d0", "d1", "d2", "d3", "p1", "p3"),
)


def packaged(model: Any) -> Mapping[str, Floats32]:
    """Return the upper layers of ``model``; raises ``AttributeError`` if it has others."""
    arrays = {name: getattr(model, name) for name in UPPER if not name[1:].startswith("2_")}
    for (size, _), weight, bias in zip(BRANCHES, model.w2, model.b2, strict=True):
        arrays[f"w2_{size}"], arrays[f"b2_{size}"] = weight, bias
    return arrays


def _risen(rows: Floats32) -> Floats32:
    """Return ``rows`` with zero in place of what is negative, in place."""
    np.maximum(rows, 0, out=rows)
    return rows


def _levelled(rows: Floats32, gain: Floats32, bias: Floats32, tiny: float) -> Floats32:
    """Return each row with mean 0 and variance 1, scaled by ``gain`` and moved, in place."""
    rows -= rows.mean(axis=1, keepdims=True)
    spread = np.einsum("ij,ij->i", rows, rows) / rows.shape[1]
    rows *= (1 / np.sqrt(spread + tiny))[:, None]
    rows *= gain
    rows += bias
    return rows


def _windows(starts: Ints, lengths: Ints) -> Ints:
    """Return for each row its two neighbours on either side and itself; past an end, the row -1."""
    rows = np.arange(int(lengths.sum()))[:, None]
    near = rows + np.arange(-2, 3)
    first = np.repeat(starts, lengths)[:, None]
    after = first + np.repeat(lengths, lengths)[:, None]
    return np.where((near >= first) & (near < after), near, -1)


def _beside(rows: Floats32, windows: Ints, branch: int) -> Floats32:
    """Return what the branch sees of each row: its neighbours side by side."""
    size, before = BRANCHES[branch]
    held = np.concatenate([rows, np.zeros((1, CHANNELS), dtype=np.float32)])
    seen: Floats32 = held[windows[:, 2 - before : 2 - before + size]]
    return seen.reshape(len(rows), size * CHANNELS)
