"""The arithmetic of training: kernels, ridge with held-out groups, and calibration."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import linalg

from router.understanding.encoder import Floats32

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

VIEW_WEIGHTS: Final = (1.5, 0.5, 0.5)  # of whole, first and last; tuned by cross-validation
RIDGE: Final = 0.4
_JITTER = 1e-3
_STEPS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Landmarks:
    """Rows of one view that others are compared with, and the map that makes nearness a basis."""

    rows: Floats32
    weight: float
    basis: Floats

    def near(self, view: Floats32) -> Floats32:
        """Return the view's rows in that basis, in which inner products are likenesses."""
        return np.asarray(self.weight * likeness(view, self.rows) @ self.basis, dtype=np.float32)


def likeness(left: Floats32, right: Floats32) -> Floats32:
    """Return how near each row of ``left`` is to each of ``right``, 0 to 1."""
    apart = (left * left).sum(axis=1)[:, None] + (right * right).sum(axis=1) - 2 * left @ right.T
    return np.asarray(np.exp(-np.maximum(apart, 0)), dtype=np.float32)


def landmarks_of(view: Floats32, chosen: Ints, weight: float) -> Landmarks:
    """Take the ``chosen`` rows of ``view`` as landmarks."""
    rows = view[chosen]
    values, vectors = np.linalg.eigh(
        weight * likeness(rows, rows).astype(np.float64) + _JITTER * np.eye(len(rows))
    )
    return Landmarks(rows=rows, weight=weight, basis=vectors / np.sqrt(values))


class Ridge:
    """Regression of many targets on one kernel, which also tells what it says of left-out rows."""

    def __init__(self, kernel: npt.NDArray[Any], targets: Floats) -> None:
        """Solve for ``targets``, one column each, in the precision of ``kernel``."""
        self._targets = targets
        self._inverse = _inverse(kernel + kernel.dtype.type(1))
        self.dual: Floats = self._inverse @ targets

    def without(self, groups: npt.NDArray[np.str_]) -> Floats:
        """Return each row's prediction by a model that never saw the row's group."""
        told = np.empty_like(self._targets)
        for group in np.unique(groups):
            at = np.flatnonzero(groups == group)
            held = self._inverse[np.ix_(at, at)].astype(np.float64)
            told[at] = self._targets[at] - np.linalg.solve(held, self.dual[at])
        return told


def _inverse(kernel: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the inverse of ``kernel`` with the ridge added, in its own precision."""
    kernel[np.diag_indices(len(kernel))] += RIDGE
    factor, invert = linalg.get_lapack_funcs(("potrf", "potri"), (kernel,))
    root, failed = factor(kernel, lower=1)
    if not failed:
        lower, failed = invert(root, lower=1)
    if failed:
        raise ValueError("the kernel of the messages cannot be inverted")
    half = np.tril(lower)
    inverse: npt.NDArray[Any] = half + np.tril(half, -1).T
    return inverse


def logistic_line(scores: Floats, labels: Floats) -> tuple[float, float]:
    """Return slope and offset that make ``scores`` probabilities of ``labels`` (Platt)."""
    line = np.array([2.0, 0.0])
    design = np.stack([scores, np.ones_like(scores)], axis=1)
    for _ in range(_STEPS):
        told = 1 / (1 + np.exp(-design @ line))
        slope = design.T @ (labels - told)
        curve = (design * (told * (1 - told))[:, None]).T @ design + 1e-6 * np.eye(2)
        line = line + np.linalg.solve(curve, slope)
    return float(line[0]), float(line[1])


def lowest_for_recall(scores: Floats, labels: Floats, recall: float) -> float:
    """Return the highest threshold that still catches ``recall`` of the labelled rows."""
    caught = np.sort(scores[labels > 0])
    return float(caught[int(np.floor((1 - recall) * len(caught)))])


def lowest_for_precision(scores: Floats, labels: Floats, precision: float) -> float:
    """Return the lowest threshold above which ``precision`` of the rows are labelled.

    Raises ``ValueError`` if there is none.
    """
    order = np.argsort(-scores)
    right = np.cumsum(labels[order] > 0) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(right >= precision)
    if not len(enough):
        raise ValueError(f"no threshold reaches a precision of {precision}")
    return float(scores[order][enough[-1]])
