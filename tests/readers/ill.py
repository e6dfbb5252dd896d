"""A reader's process that does what its messages say: ends, hangs, raises, is slow.

It speaks our frames through our own loop and reads by rules, so that it starts in no time. Run as
``python -m tests.readers.ill FOLDER``: it ends at once while FOLDER holds a file named ``broken``.
"""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

from router.domain.reading import Reading
from router.readers.frames import (
    Answered,
    Asked,
    Done,
    Find,
    Found,
    Learn,
    Noted,
    Read,
    Ready,
    framed,
)
from router.readers.process import serve
from router.readers.work import Work
from router.understanding.reader import RuleReader

NAME = "ill/1"


class IllReader:
    """Reads by rules, unless the text makes it ill."""

    def __init__(self) -> None:
        self._rules = RuleReader()

    def read(self, text: str, *, language: str | None = None) -> Reading:
        if "CRASH" in text:
            os._exit(3)
        if "HANG" in text:
            time.sleep(600)
        if "RAISE" in text:
            raise RuntimeError("as it was told")
        if "SLOW" in text:
            time.sleep(0.02)
        return replace(self._rules.read(text, language=language), reader=NAME)


def main() -> None:
    if (Path(sys.argv[1]) / "broken").exists():
        sys.exit(1)
    work = Work(IllReader(), None)

    def answer(asked: Asked) -> Answered:
        match asked:
            case Read(runs=runs):
                return Done(heard=tuple(work.hear(run) for run in runs))
            case Find():
                return Found(candidates=None)
            case Learn():
                return Noted()

    sys.stdout.buffer.write(framed(Ready(reader=NAME, warning="")))
    sys.stdout.buffer.flush()
    serve(answer, sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
