"""The encoder's upper layers as tuned on labelled messages, and what they say of a message.

They were made by `tune.py`, which needs PyTorch; nothing here does. The file ships and is never
trained again by a shop: `mainstem train` learns the weights beside it.
"""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Final

import numpy as np

from router.understanding.encoder import ModelUnavailable
from router.understanding.layers import TINY, UPPER, Floats32, Turned, Upper, Words

#: The heads of ``Tuned``, in order, before the topics: chances as logits, then plain values.
PLAIN_HEADS: Final = ("complaint", "grave", "human", "severity", "sentiment")

_FILE: Final = "tuned.npz"
_DIGEST: Final = "tuned.sha256"
_FARTHEST = 8.0  # no score counts for more, however sure the layers are


class Tuned:
    """Upper layers with a score for each head; read-only, so threads may share it.

    Of each matrix only the difference from the packaged one is kept, as two narrow matrices.
    """

    def __init__(self, arrays: Mapping[str, Any], *, digest: str) -> None:
        """Take the arrays of the file; raises ``KeyError`` if one is missing."""
        self.digest = digest
        self._plain = {name: arrays[name].astype(np.float32) for name in UPPER if name in arrays}
        self._turned = {
            name: (
                arrays[f"{name}_down"].astype(np.float32),
                arrays[f"{name}_up"].astype(np.float32),
            )
            for name in UPPER
            if name not in self._plain
        }
        self._head: Floats32 = arrays["head"].astype(np.float32)
        self._bias: Floats32 = arrays["head_bias"].astype(np.float32)

    def __call__(self, words: Words, packaged: Mapping[str, Floats32]) -> Floats32:
        """Return one row of scores a sentence; ``packaged`` are the encoder's own upper layers."""
        turned = {name: Turned(packaged[name], *narrow) for name, narrow in self._turned.items()}
        upper = Upper({**self._plain, **turned}, tiny=TINY)
        scores = upper(words) @ self._head + self._bias
        return np.asarray(np.clip(scores, -_FARTHEST, _FARTHEST), dtype=np.float32)


def open_tuned(folder: Traversable | None = None) -> Tuned:
    """Load the layers in ``folder``, or those shipped, after checking their hash.

    Raises ``ModelUnavailable`` if a file is missing, was changed, or holds no such layers.
    """
    home = resources.files("router.understanding").joinpath("models") if folder is None else folder
    try:
        data = home.joinpath(_FILE).read_bytes()
        expected = home.joinpath(_DIGEST).read_text(encoding="ascii").split()[0]
    except (OSError, IndexError, UnicodeDecodeError) as error:
        raise ModelUnavailable(f"the tuned layers cannot be read: {error}") from error
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise ModelUnavailable(f"{_FILE} has the hash {found[:12]}…, expected {expected[:12]}…")
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return Tuned(arrays, digest=found)
    except (OSError, EOFError, ValueError, KeyError, IndexError, zipfile.BadZipFile) as error:
        raise ModelUnavailable(f"{_FILE} holds no layers: {error}") from error
