"""A reader's process: ``python -m router.readers.process``, spoken with over its standard pipes.

It ends when its standard input does, so it never outlives the daemon that started it.
"""

import ctypes
import gc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np

from router.domain.knowledge import Answerable
from router.readers.frames import (
    HEAD,
    Answered,
    Asked,
    Done,
    Failed,
    Find,
    Found,
    Learn,
    Noted,
    Read,
    Ready,
    asked_in,
    framed,
)
from router.readers.models import Opened, opened
from router.readers.work import Remembering, Work
from router.understanding.encoder import Encoder, Floats32
from router.understanding.retrieval import Retrieval

#: Texts that are embedded between two looks at whether a message waits, while articles are learnt.
_SLICE = 4


class Polite:
    """The encoder of an index: while it is built, messages go first; afterwards it remembers."""

    def __init__(self, raw: Encoder, remembering: Encoder, idle: threading.Event) -> None:
        self._raw, self._remembering, self._idle = raw, remembering, idle
        self.building = True

    def encode(self, texts: Sequence[str]) -> Floats32:
        """Return one row a text."""
        if not self.building:
            return self._remembering.encode(texts)
        rows = []
        for at in range(0, len(texts), _SLICE):
            self._idle.wait()
            rows.append(self._raw.encode(texts[at : at + _SLICE]))
        return np.concatenate(rows)


class Desk:
    """Answers one frame after the other; articles are learnt beside it, the latest ones win."""

    def __init__(self, held: Opened) -> None:
        self._encoder = held.encoder
        self._remembering = Remembering(held.encoder) if held.encoder is not None else None
        self._work = Work(held.reader(self._remembering), self._remembering)
        self._idle = threading.Event()
        self._idle.set()
        self._wanted: tuple[Answerable, ...] | None = None
        self._some = threading.Condition()
        threading.Thread(target=self._learn, name="articles", daemon=True).start()

    def answer(self, asked: Asked) -> Answered:
        """Return the answer to ``asked``."""
        self._idle.clear()
        try:
            match asked:
                case Read(runs=runs):
                    return Done(heard=tuple(self._work.hear(run) for run in runs))
                case Find(question=question, language=language, limit=limit):
                    found = self._work.find(question, language=language, limit=limit)
                    return Found(candidates=found)
                case Learn(articles=articles):
                    with self._some:
                        self._wanted = articles
                        self._some.notify()
                    return Noted()
        finally:
            self._idle.set()

    def _learn(self) -> None:
        while True:
            with self._some:
                while self._wanted is None:
                    self._some.wait()
                articles, self._wanted = self._wanted, None
            self._work.index = self._built(articles)

    def _built(self, articles: tuple[Answerable, ...]) -> Retrieval:
        if self._encoder is None or self._remembering is None:
            return Retrieval(articles)
        polite = Polite(self._encoder, self._remembering, self._idle)
        index = Retrieval(articles, polite)
        polite.building = False
        return index


def serve(answer: Callable[[Asked], Answered], source: BinaryIO, sink: BinaryIO) -> None:
    """Answer every frame of ``source`` until it ends."""
    while head := source.read(HEAD.size):
        body = source.read(HEAD.unpack(head)[0])
        try:
            answered: Answered = answer(asked_in(body))
        except Exception as error:  # noqa: BLE001  one bad message must not end the process
            traceback.print_exception(error, limit=8, file=sys.stderr)
            answered = Failed(kind=type(error).__name__)
        sink.write(framed(answered))
        sink.flush()


def _give_back() -> None:
    """Return to the system what loading needed and reading does not, where the C library can."""
    gc.collect()
    gc.freeze()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def main() -> None:
    """Open the reader, say who it is, and answer until the daemon is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C goes to all; the daemon ends us
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints does not meet our frames
    held = opened(Path(sys.argv[1]))
    desk = Desk(held)
    _give_back()
    sink.write(framed(Ready(reader=held.name, warning=held.warning)))
    sink.flush()
    serve(desk.answer, sys.stdin.buffer, sink)


if __name__ == "__main__":
    main()
