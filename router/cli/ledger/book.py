"""The ledger: what customers, agents and platforms saw with their own eyes, one JSON line each.

It is written by whoever plays them (`mainstem chaos`, a test, a load test of somebody's own) and
never by the daemon, so that the daemon's word can be held against it.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TypeAlias

import msgspec


class Delivered(msgspec.Struct, frozen=True, kw_only=True, tag="delivery"):
    """A delivery that was sent, for the first time or again.

    ``id`` is the platform's; ``place`` counts what the customer said, in the order in which it was
    said. ``answered`` is that the platform was told "taken": until then it may be there or not.
    """

    account: str
    id: str
    sender: str
    place: int
    answered: bool


class Replied(msgspec.Struct, frozen=True, kw_only=True, tag="reply"):
    """An agent's reply, whose ``words`` no other reply has; ``answered`` as for a delivery."""

    words: str
    answered: bool


class Called(msgspec.Struct, frozen=True, kw_only=True, tag="call"):
    """A send that reached a platform.

    ``key`` is the idempotency key of a platform that takes one, else empty. ``said`` is whether
    the customer got to read it, whatever the platform answered.
    """

    account: str
    key: str
    words: str
    said: bool


class Closed(msgspec.Struct, frozen=True, kw_only=True, tag="closed"):
    """The ledger is whole: it holds every delivery of ``accounts``, and nothing is under way."""

    accounts: tuple[str, ...]


Line: TypeAlias = Delivered | Replied | Called | Closed


class BadLedger(ValueError):
    """A line of a ledger cannot be read; the message says which."""


class Book:
    """A ledger that is being written; each line is in the file before `note` returns."""

    def __init__(self, file: IO[bytes] | None = None) -> None:
        self._file = file
        self.lines: list[Line] = []

    def note(self, line: Line) -> None:
        """Write a line."""
        self.lines.append(line)
        if self._file is not None:
            self._file.write(msgspec.json.encode(line) + b"\n")
            self._file.flush()


def read_ledger(file: Path) -> tuple[Line, ...]:
    """Return the lines of a ledger's file; raises BadLedger."""
    return tuple(_lines(file.read_bytes().splitlines()))


def _lines(given: Iterable[bytes]) -> Iterator[Line]:
    for number, each in enumerate(given, 1):
        if each.strip():
            try:
                yield msgspec.json.decode(each, type=Line)
            except msgspec.DecodeError as error:
                raise BadLedger(f"line {number}: {error}") from error
