"""What the trained reader sees of a message: hashed grams, meaning vectors and rules in force."""

import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from router.understanding.encoder import Floats32, LayeredEncoder, Tells
from router.understanding.reader import Piece
from router.understanding.text import normal, printable

Ints = npt.NDArray[np.int64]

BUCKETS: Final = 1 << 16
LONGEST: Final = 300  # characters embedded at once; a longer message is read in parts
MEASURES: Final = ("points", "grave", "length", "question")  # beside the rules, in this order

_MOST_PARTS = 8  # of a long message; the rules read all of it
_OVERLAP = 30
_LONG_FOR_CLAUSES = 60  # characters; beyond it the opening and closing clauses tell little
_SHORTEST_CLAUSE = 2  # characters
_RULE = 0.158  # how far apart one rule in force moves two messages; tuned by cross-validation
_CJK_SIZES, _LATIN_SIZES = (1, 2, 3, 4), (2, 3, 4, 5)
_WORD_SIZES = (1, 2, 3)
_LATIN_ENDS = "\u0250"
_DIGIT = re.compile(r"\d")
_WORD = re.compile(r"[a-z']+")
_CJK_BREAKS = re.compile(r"[,.!?;:\n、。…~\s]+")
_LATIN_BREAKS = re.compile(r"[,.!?;:\n]+\s*|\s(?:and|but|so|because)\s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """One message, or a part of a long one.

    ``buckets`` and ``weights`` are its hashed grams, of length one together; ``whole``, ``first``
    and ``last`` embed it, its opening and its closing clause; ``told`` is what tuned layers say
    of it; ``rules`` follows the names that were asked for, then ``MEASURES``. ``grams`` names the
    buckets for explanations.
    """

    buckets: Ints
    weights: Floats32
    grams: tuple[str, ...]
    whole: Floats32
    first: Floats32
    last: Floats32
    told: Floats32
    rules: Floats32


def parts_of(text: str) -> tuple[str, ...]:
    """Return ``text`` in normal form, cut to what is embedded at once; at least one part.

    Of a very long text the opening and the end are kept.
    """
    plain = normal(printable(text))
    if len(plain) <= LONGEST:
        return (plain,)
    step = LONGEST - _OVERLAP
    cut = tuple(plain[at : at + LONGEST] for at in range(0, len(plain) - _OVERLAP, step))
    return cut if len(cut) <= _MOST_PARTS else (*cut[: _MOST_PARTS - 2], *cut[-2:])


def features_of(
    parts: Sequence[str],
    found: Sequence[Piece],
    *,
    encoder: LayeredEncoder,
    tells: Tells,
    names: Sequence[str],
) -> tuple[Features, ...]:
    """Return the features of each of ``parts``, with one call to ``encoder``.

    ``tells`` are tuned layers; ``found`` is what the rules found in the whole message;
    ``names`` are the rules to tell of.
    """
    spans = [_spans(part) for part in parts]
    asked = list(dict.fromkeys((*parts, *(each for three in spans for each in three))))
    place = {each: at for at, each in enumerate(asked)}
    vectors, told = encoder.encode_beside(asked, tells, first=len(set(parts)))
    rules = _rules(found, names)
    made = []
    for part, (whole, first, last) in zip(parts, spans, strict=True):
        grams = _grams(part)
        made.append(
            Features(
                buckets=np.array([_bucket(gram) for gram in grams], dtype=np.int64),
                weights=_unit(grams),
                grams=tuple(grams),
                whole=vectors[place[whole]],
                first=vectors[place[first]],
                last=vectors[place[last]],
                told=told[place[whole]],
                rules=np.concatenate([rules, _measures(part, found)]),
            )
        )
    return tuple(made)


def _is_latin(text: str) -> bool:
    return 2 * sum(each < _LATIN_ENDS for each in text) > len(text)


def _spans(part: str) -> tuple[str, str, str]:
    """Return the part and its first and last clause, which are the part if it has only one."""
    if len(part) > _LONG_FOR_CLAUSES:
        return part, part, part
    breaks = _LATIN_BREAKS if _is_latin(part) else _CJK_BREAKS
    clauses = [each for each in breaks.split(part) if len(each.strip()) >= _SHORTEST_CLAUSE]
    if len(clauses) <= 1:
        return part, part, part
    return part, clauses[0], clauses[-1]


def _grams(part: str) -> dict[str, int]:
    """Count pieces of one to five characters ("c…") and runs of one to three words ("w…")."""
    plain = " ".join(_DIGIT.sub("0", part).split())
    edged = f"^{plain}$"
    counted = Counter(
        f"c{edged[at : at + size]}"
        for size in (_LATIN_SIZES if _is_latin(plain) else _CJK_SIZES)
        for at in range(len(edged) - size + 1)
    )
    words = _WORD.findall(plain)
    counted.update(
        f"w{' '.join(words[at : at + size])}"
        for size in _WORD_SIZES
        for at in range(len(words) - size + 1)
    )
    return counted


def _bucket(gram: str) -> int:
    return zlib.crc32(gram.encode("utf-8", "replace")) % BUCKETS


def _unit(grams: dict[str, int]) -> Floats32:
    weights = 1 + np.log(np.array(list(grams.values()), dtype=np.float32))
    length = float(np.sqrt(weights @ weights)) or 1.0
    return np.asarray(weights / length, dtype=np.float32)


def _rules(found: Sequence[Piece], names: Sequence[str]) -> Floats32:
    held = frozenset[str]().union(*(piece.rule_names for piece in found))
    return np.array([_RULE * (name in held) for name in names], dtype=np.float32)


def _measures(part: str, found: Sequence[Piece]) -> Floats32:
    points = max(min(max(piece.points, -6.0), 8.0) for piece in found)
    grave = max(piece.severity for piece in found) >= 3  # noqa: PLR2004 - the gravest there is
    told = (points / 4, float(grave), min(len(part), 200) / 100, float("?" in part))
    return np.array([_RULE * each for each in told], dtype=np.float32)
