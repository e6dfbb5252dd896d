"""How a log line looks: JSON for machines, columns for a person at a terminal, UTC for both.

What a customer says never gets here, nor names, numbers or tokens: lines carry ids. That is the
duty of whoever logs; what this module adds is that a traceback shows no local variables.
"""

import logging
import sys
from collections.abc import Sequence
from typing import TextIO, cast

import structlog
from structlog.typing import Processor

_BEFORE: Sequence[Processor] = (
    structlog.contextvars.merge_contextvars,  # the border binds delivery or request once
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


class Steadfast:
    """A stream that nobody breaks over: what cannot be written is counted, and told later.

    A full disk must not end a thread that serves customers because it wanted to say something.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._lost = stream, 0

    def write(self, text: str) -> int:
        """Write ``text``, after how much was lost since the last line that could be written."""
        try:
            if self._lost:
                self._stream.write(f'{{"event": "log_lines_lost", "lines": {self._lost}}}\n')
                self._stream.flush()
                self._lost = 0
            return self._stream.write(text)
        except OSError:
            self._lost += 1
            return 0

    def flush(self) -> None:
        """Send on what was written."""
        try:
            self._stream.flush()
        except OSError:
            self._lost += 1

    def isatty(self) -> bool:
        """Return whether a person looks at it."""
        return self._stream.isatty()


def configure(*, json: bool | None, level: str, stream: TextIO = sys.stderr) -> None:
    """Send our own lines and the libraries' to ``stream``, in one form.

    ``json=None`` means JSON unless ``stream`` is a terminal. ``level`` is a name such as "info";
    raises ``ValueError`` for a name that logging does not know. Libraries below "warning" stay
    silent unless ``level`` is "debug": an access log would hold addresses of customers.
    """
    as_json = not stream.isatty() if json is None else json
    threshold = _number(level)
    steady = cast("TextIO", Steadfast(stream))
    structlog.configure(
        processors=[*_BEFORE, *_rendering(as_json=as_json, colors=stream.isatty())],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(file=steady),
        cache_logger_on_first_use=False,  # loggers are made at import, before we are called
    )
    _adopt_libraries(steady, as_json=as_json, threshold=threshold)


def _number(level: str) -> int:
    known = logging.getLevelNamesMapping()
    try:
        return known[level.upper()]
    except KeyError:
        names = ", ".join(sorted(name.lower() for name in known))
        raise ValueError(f"expected a log level ({names}), found {level!r}") from None


def _rendering(*, as_json: bool, colors: bool) -> tuple[Processor, ...]:
    if as_json:
        return (
            structlog.processors.ExceptionRenderer(),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        )
    plain = structlog.dev.plain_traceback
    return (structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain),)


def _adopt_libraries(stream: TextIO, *, as_json: bool, threshold: int) -> None:
    """Let what aiohttp, SQLAlchemy and others log through ``logging`` look like ours."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_BEFORE, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(as_json=as_json, colors=stream.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if threshold <= logging.DEBUG else max(threshold, logging.WARNING))
