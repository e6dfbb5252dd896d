"""The trained weights: how they are kept, checked and applied; not how they came to be."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from router.domain.reading import Intent
from router.understanding.encoder import Encoder, Floats32, ModelUnavailable
from router.understanding.features import BUCKETS, Features
from router.understanding.tuned import PLAIN_HEADS, Tuned, open_tuned

Floats = npt.NDArray[np.float64]

INTENTS: Final = tuple(intent.value for intent in Intent)
HEADS: Final = (*PLAIN_HEADS, *INTENTS)
#: How much of each head is the weights' and how much a score of the tuned layers adds; chosen by
#: cross-validation. Severity and mood are a mean of both.
SHARES: Final = np.array([1.0, 1.0, 1.0, 0.4, 0.45, *(1.0 for _ in INTENTS)])
VOICES: Final = np.array([0.18, 0.05, 0.03, 0.6, 0.55, *(0.08 for _ in INTENTS)])
VIEWS: Final = ("whole", "first", "last")  # the vectors that are compared with the landmarks
LANGUAGES: Final = ("zh", "en")
PROBES: Final = ("退款什么时候到账", "where is my parcel, it was promised for Monday")
DECISION: Final = (
    "slope",
    "offset",
    "watch_at",
    "alert_at",
    "grave_at",
    "human_at",
    "clear_at",
    "doubt_at",
)
_PROBE_SLACK: Final = 0.02  # how far a probe's vector may lie from the one trained with
_LOUDEST: Final = 3  # grams named in an explanation
_MODEL: Final = "reader.npz"
_DIGEST: Final = "reader.sha256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What turns the scores of one language into decisions.

    The probability of a complaint is the logistic of ``slope * score + offset``; it is watched
    from ``watch_at`` and alerted from ``alert_at``. ``grave_at``, ``human_at`` and ``clear_at``
    are bounds on the scores of severity 3, of a wish for a person and of severity 2. Below
    ``doubt_at``, a score of complaint under which no left-out message of severity 3 lay, a rule
    of severity 3 watches and does not alert.
    """

    slope: float
    offset: float
    watch_at: float
    alert_at: float
    grave_at: float
    human_at: float
    clear_at: float
    doubt_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The score of each of ``HEADS``, and the grams that spoke loudest for a complaint."""

    heads: Floats
    words: tuple[tuple[str, float], ...]

    def of(self, head: str) -> float:
        """Return the score of ``head``."""
        return float(self.heads[HEADS.index(head)])


class Model:
    """The reader's weights: linear over hashed grams, and over nearness to landmark messages.

    A landmark is a message of the training set, kept as its vectors only. What the ``tuned`` layers
    say is added, each head by its ``VOICES``. Read-only, so threads may share it.
    """

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]], tuned: Tuned) -> None:
        """Take the arrays as ``packed`` keeps them, and the layers that they were trained beside.

        Raises ``KeyError`` if an array is missing, ``ValueError`` if they do not fit.
        """
        if str(arrays["tuned"]) != tuned.digest:
            raise ValueError("the weights were trained beside other tuned layers")
        self.tuned = tuned
        self.name = str(arrays["name"])
        self.rules = tuple(map(str, arrays["rules"]))
        self.probes: Floats32 = arrays["probes"].astype(np.float32)
        self.decisions = {
            language: Decision(
                **{
                    each: float(arrays["decision"][at, place])
                    for place, each in enumerate(DECISION)
                }
            )
            for at, language in enumerate(LANGUAGES)
        }
        self._middle: Floats32 = arrays["middle"].astype(np.float32)
        self._axes: Floats32 = arrays["axes"].astype(np.float32)
        self._bias: Floats = arrays["bias"].astype(np.float64)
        self._grams: npt.NDArray[np.float16] = arrays["grams"]
        self._landmarks = [arrays[f"{view}_landmarks"].astype(np.float32) for view in VIEWS]
        self._lengths = [(each * each).sum(axis=1) for each in self._landmarks]
        self._weights = [arrays[f"{view}_weights"].astype(np.float32) for view in VIEWS]
        if self._grams.shape != (BUCKETS, len(HEADS)):
            raise ValueError(f"expected weights for {BUCKETS} grams, found {self._grams.shape}")

    def scores(self, seen: Features) -> Scores:
        """Return the scores of a message or a part of one."""
        heard = self._grams[seen.buckets].astype(np.float32) * seen.weights[:, None]
        heads = self._bias + heard.sum(axis=0) + VOICES * seen.told
        views = (seen.whole, seen.first, seen.last)
        for place, view in enumerate(views):
            at = (view - self._middle) @ self._axes
            if place == 0:
                at = np.concatenate([at, seen.rules])
            apart = self._lengths[place] + float(at @ at) - 2 * (self._landmarks[place] @ at)
            heads = heads + np.exp(-np.maximum(apart, 0)) @ self._weights[place]
        loudest = np.argsort(-np.abs(heard[:, 0]))[:_LOUDEST]
        words = tuple((seen.grams[each][1:], float(heard[each, 0])) for each in loudest.tolist())
        return Scores(heads=heads, words=words)

    def suits(self, encoder: Encoder) -> None:
        """Raise ``ModelUnavailable`` if ``encoder`` embeds otherwise than the one trained with."""
        apart = float(np.abs(encoder.encode(PROBES) - self.probes).max())
        if not apart <= _PROBE_SLACK:
            raise ModelUnavailable(f"the encoder's vectors differ by {apart:.3f} from those known")


def packed(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Return the file that keeps ``arrays``; the same arrays always give the same bytes."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in sorted(arrays.items()):
            written = io.BytesIO()
            np.save(written, array, allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, written.getvalue(), compresslevel=9)
    return held.getvalue()


def shipped() -> Traversable:
    """Return the folder of the weights that ship with this version."""
    return resources.files("router.understanding").joinpath("models")


def open_model(folder: Traversable | None = None) -> Model:
    """Load the weights in ``folder``, or those shipped, after checking their hash.

    The tuned layers are always those that ship with this version. Raises ``ModelUnavailable`` if a
    file is missing, was changed, holds no weights, or weights trained beside other layers.
    """
    home = shipped() if folder is None else folder
    try:
        data = home.joinpath(_MODEL).read_bytes()
        expected = home.joinpath(_DIGEST).read_text(encoding="ascii").split()[0]
    except (OSError, IndexError, UnicodeDecodeError) as error:
        raise ModelUnavailable(f"the reader's weights cannot be read: {error}") from error
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise ModelUnavailable(f"{_MODEL} has the hash {found[:12]}…, expected {expected[:12]}…")
    tuned = open_tuned()
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return Model({name: arrays[name] for name in arrays.files}, tuned)
    except (OSError, EOFError, ValueError, KeyError, IndexError, zipfile.BadZipFile) as error:
        raise ModelUnavailable(f"{_MODEL} holds no weights: {error}") from error


def digest_line(data: bytes) -> str:
    """Return the line of ``reader.sha256`` for the file ``data``."""
    return f"{hashlib.sha256(data).hexdigest()}  {_MODEL}\n"
