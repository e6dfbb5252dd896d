"""Learning the reader's weights from labelled messages, and choosing its thresholds.

Needs SciPy (a development dependency). The same rows, in the same order, give the same weights; the
seed is fixed.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
from scipy import sparse

from router.understanding.encoder import Encoder, Floats32, LayeredEncoder
from router.understanding.evaluate import Message
from router.understanding.features import BUCKETS, MEASURES, Features, features_of, parts_of
from router.understanding.fit import (
    VIEW_WEIGHTS,
    Floats,
    Ints,
    Landmarks,
    Ridge,
    landmarks_of,
    logistic_line,
    lowest_for_precision,
    lowest_for_recall,
)
from router.understanding.model import DECISION, INTENTS, LANGUAGES, PROBES, SHARES, VIEWS, VOICES
from router.understanding.reader import Piece, RuleReader
from router.understanding.tuned import Tuned

NAME: Final = "trained/3"
#: Who wrote the rows of an author; rows without one are the authored messages.
HANDS: Final = MappingProxyType(
    {
        "w1": "first hand",
        "w2": "first hand",
        "w3": "second hand",
        "w4": "second hand",
        "w5": "third hand",
        "w6": "third hand",
    }
)
_SEED: Final = 20251121
_TOLD_APART: Final = "told_apart.npz"
_LANDMARKS: Final = 1600
_AXES: Final = 192
_BLOCK: Final = 25  # neighbouring rows of one file stay together when rows are left out
_FOLDS: Final = 5
_SECOND_INTENT: Final = 0.3  # the target of a second accepted intent, where the first is 1
_FORGOTTEN: Final = 0.5  # share of rules hidden where the lexicon was written with the text in view
_WATCH_RECALL: Final = 0.95  # of complaints written to mislead; usual ones are missed less often
_ALERT_PRECISION: Final = 0.9
_GRAVE_RECALL, _HUMAN_RECALL = 0.98, 0.92
_DOUBT_SLACK: Final = 1.0  # how far below the least certain complaint a rule is doubted
_CLEAR = 2
_GRAVE = 3


class Labelled(Message, frozen=True, kw_only=True):
    """A message of the training set; ``kind`` and ``author`` tell where it comes from."""

    kind: str = ""
    author: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A labelled message and what the reader sees of it.

    ``group`` names the rows that are left out together. ``known`` says that the lexicon was
    written with this text in view, so that its rules look better here than they are. What tuned
    layers say of it in ``seen.told`` comes from layers that never saw it.
    """

    message: Labelled
    seen: Features
    found: tuple[Piece, ...]
    group: str
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """What training made: the arrays of the model but for its decisions, and how rows fare.

    ``shares`` is how much of each head is the weights', ``voices`` what tuned layers that never saw
    a row add to its scores.
    """

    arrays: Mapping[str, npt.NDArray[Any]]
    ridge: Ridge
    shares: Floats
    voices: Floats


def told_apart(folder: Path) -> Mapping[str, Floats32]:
    """Return by message id what tuned layers say that saw nothing of the hand that wrote it.

    A ``folder`` whose messages the shipped layers were not tuned on has no such file, and needs
    none.
    """
    path = folder / _TOLD_APART
    if not path.exists():
        return {}
    with np.load(path, allow_pickle=False) as held:
        told = held["told"].astype(np.float32)
        return dict(zip(held["ids"].tolist(), told, strict=True))


def examples(
    path: Path,
    *,
    known: bool,
    encoder: LayeredEncoder,
    tuned: Tuned,
    rules: RuleReader,
    told: Mapping[str, Floats32] = MappingProxyType({}),
) -> list[Example]:
    """Read a JSON-lines file and look at every message of it.

    ``told`` is what ``told_apart`` returns: it takes the place of what ``tuned`` says of messages
    that it was tuned on. Raises ``msgspec.ValidationError`` on a bad row.
    """
    decoder = msgspec.json.Decoder(Labelled)
    rng = np.random.default_rng([_SEED, zlib.crc32(path.stem.encode())])
    made = []
    for at, line in enumerate(path.read_bytes().splitlines()):
        message = decoder.decode(line)
        found = rules.found(message.text)
        seen = features_of(
            parts_of(message.text)[:1], found, encoder=encoder, tells=tuned, names=rules.rule_names
        )[0]
        seen = replace(seen, told=told.get(message.id, seen.told))
        if known:
            kept = rng.random(len(seen.rules)) >= _FORGOTTEN
            kept[-len(MEASURES) + 2 :] = True
            seen = replace(seen, rules=seen.rules * kept.astype(np.float32))
        group = f"{path.stem}/{at if known else at // _BLOCK}"
        made.append(Example(message=message, seen=seen, found=found, group=group, known=known))
    return made


def folds_of(groups: Sequence[str]) -> npt.NDArray[np.str_]:
    """Return which of a few folds each group falls into."""
    return np.array([str(zlib.crc32(f"{_SEED}{group}".encode()) % _FOLDS) for group in groups])


def apart(rows: Sequence[Example]) -> npt.NDArray[np.str_]:
    """Return what is left out together when thresholds are chosen: a hand, or of others a fold.

    Text of a shop is by no hand that the weights were trained on.
    """
    folds = folds_of([row.group for row in rows])
    return np.array(
        [HANDS.get(row.message.author, fold) for row, fold in zip(rows, folds, strict=True)]
    )


def solve(
    rows: Sequence[Example], *, tuned: Tuned, names: Sequence[str], without: frozenset[str]
) -> Solved:
    """Train on ``rows`` beside ``tuned``.

    ``without`` may name views, "rules", "grams" or "tuned" to do without; weights without "tuned"
    are for comparing only.
    """
    rng = np.random.default_rng(_SEED)
    grams = _matrix(rows)
    middle, axes = _axes(np.stack([row.seen.whole for row in rows]))
    views = _views(rows, middle, axes, without)
    chosen = np.sort(rng.choice(len(rows), min(_LANDMARKS, len(rows)), replace=False))
    kept: dict[str, Landmarks] = {
        view: landmarks_of(held, chosen, VIEW_WEIGHTS[VIEWS.index(view)])
        for view, held in views.items()
    }
    near = {view: kept[view].near(held) for view, held in views.items()}
    kernel: Floats32 = np.zeros((len(rows), len(rows)), dtype=np.float32)
    if "grams" not in without:
        kernel += (grams @ grams.T).toarray().astype(np.float32)
    for each in near.values():
        kernel += each @ each.T
    targets = targets_of([row.message for row in rows])
    middle_of = targets.mean(axis=0)
    ridge = Ridge(kernel, targets - middle_of)
    voices = VOICES * np.stack([row.seen.told for row in rows])
    shares = SHARES
    if "tuned" in without:
        voices, shares = np.zeros_like(voices), np.ones_like(SHARES)
    dual = ridge.dual * shares
    arrays: dict[str, npt.NDArray[Any]] = {
        "name": np.array(NAME),
        "tuned": np.array(tuned.digest),
        "rules": np.array(names),
        "middle": middle.astype(np.float32),
        "axes": axes.astype(np.float32),
        "bias": shares * middle_of + dual.sum(axis=0),
        "grams": np.asarray(grams.T @ dual, dtype=np.float16),
        "shift": middle_of,
    }
    for view, landmarks in kept.items():
        arrays[f"{view}_landmarks"] = landmarks.rows.astype(np.float16)
        arrays[f"{view}_weights"] = np.asarray(
            landmarks.weight * landmarks.basis @ (near[view].T @ dual), dtype=np.float32
        )
    return Solved(arrays=arrays, ridge=ridge, shares=shares, voices=voices)


def left_out(solved: Solved, groups: npt.NDArray[np.str_]) -> Floats:
    """Return the scores of every row by a model that never saw the row's group."""
    ridge = solved.ridge.without(groups) + solved.arrays["shift"]
    told: Floats = solved.shares * ridge + solved.voices
    return told


def decisions(scores: Floats, rows: Sequence[Example]) -> Floats:
    """Choose calibration and thresholds for each of ``LANGUAGES`` from left-out ``scores``."""
    return np.array(
        [
            _decision(
                scores[[row.message.lang == language for row in rows]],
                [row for row in rows if row.message.lang == language],
            )
            for language in LANGUAGES
        ]
    )


def _decision(scores: Floats, rows: Sequence[Example]) -> list[float]:
    messages = [row.message for row in rows]
    triggered = np.array([max(each.severity for each in row.found) >= _GRAVE for row in rows])
    complains = np.array([float(message.complaint) for message in messages])
    severity = np.array([float(message.severity) for message in messages])
    wishes = np.array([float(message.wants_human) for message in messages])
    slope, offset = logistic_line(scores[:, 0], complains)
    chances = 1 / (1 + np.exp(-(slope * scores[:, 0] + offset)))
    watch_at, alert_at = sorted(
        (
            lowest_for_recall(np.where(triggered, 1.0, chances), complains, _WATCH_RECALL),
            lowest_for_precision(chances, complains, _ALERT_PRECISION),
        )
    )
    chosen = {
        "slope": slope,
        "offset": offset,
        "watch_at": watch_at,
        "alert_at": alert_at,
        "grave_at": lowest_for_recall(
            np.where(triggered, np.inf, scores[:, 1]), severity == _GRAVE, _GRAVE_RECALL
        ),
        "human_at": lowest_for_recall(scores[:, 2], wishes, _HUMAN_RECALL),
        "clear_at": _between(scores[:, 3], severity),
        "doubt_at": float(scores[triggered & (complains > 0), 0].min(initial=0.0)) - _DOUBT_SLACK,
    }
    return [chosen[each] for each in DECISION]


def _between(scores: Floats, severity: Floats) -> float:
    """Return the score that parts mild from clear complaints with the fewest mistakes."""
    held = (severity > 0) & (severity < _GRAVE)
    tried = np.quantile(scores[held], np.linspace(0.05, 0.95, 91))
    wrong = [((scores[held] >= at) != (severity[held] >= _CLEAR)).sum() for at in tried]
    return float(tried[int(np.argmin(wrong))])


def probes(encoder: Encoder) -> npt.NDArray[np.float32]:
    """Return the vectors by which a changed encoder is noticed."""
    return encoder.encode(PROBES)


def _matrix(rows: Sequence[Example]) -> Any:
    ends = np.cumsum([0, *(len(row.seen.buckets) for row in rows)])
    columns: Ints = np.concatenate([row.seen.buckets for row in rows])
    values = np.concatenate([row.seen.weights for row in rows]).astype(np.float64)
    return sparse.csr_matrix((values, columns, ends), shape=(len(rows), BUCKETS))


def _axes(vectors: Floats32) -> tuple[Floats32, Floats32]:
    """Return the middle of all vectors and the directions in which they differ most."""
    middle = vectors.mean(axis=0)
    _, _, directions = np.linalg.svd(vectors - middle, full_matrices=False)
    return middle, np.asarray(directions[:_AXES].T, dtype=np.float32)


def _views(
    rows: Sequence[Example], middle: Floats32, axes: Floats32, without: frozenset[str]
) -> dict[str, Floats32]:
    """Return the vectors of each view that is wanted, those of the whole beside its rules."""
    views = {
        view: np.asarray(
            (np.stack([getattr(row.seen, view) for row in rows]) - middle) @ axes, dtype=np.float32
        )
        for view in VIEWS
    }
    rules = np.stack([row.seen.rules for row in rows])
    rules = np.zeros_like(rules) if "rules" in without else rules
    views["whole"] = np.concatenate([views["whole"], rules], axis=1)
    return {view: held for view, held in views.items() if view not in without}


def targets_of(messages: Sequence[Labelled]) -> Floats:
    """Return what the heads should say of ``messages``: chances as -1 and 1, values as labelled."""
    return np.array(
        [
            [
                2.0 * each.complaint - 1,
                2.0 * (each.severity == _GRAVE) - 1,
                2.0 * each.wants_human - 1,
                float(each.severity),
                each.sentiment,
                *(
                    1.0
                    if name == each.intent
                    else (_SECOND_INTENT if name == each.intent_alt else -1.0)
                    for name in INTENTS
                ),
            ]
            for each in messages
        ]
    )
