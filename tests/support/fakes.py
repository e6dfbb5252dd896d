"""A clock that stands still and ids that count: what a test can foretell."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count


@dataclass(slots=True)
class FixedClock:
    """Says the time it was set to. It moves only when the test moves it."""

    at: datetime = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the time it was set to."""
        return self.at

    def advance(self, by: timedelta) -> datetime:
        """Move on and return the new time."""
        self.at += by
        return self.at


@dataclass(slots=True)
class CountingIds:
    """Counts, so that later ids sort after earlier ones; its chance is the same in every run."""

    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def new(self) -> str:
        """Return the next number as a name."""
        return f"{next(self.numbers):012d}"

    def entropy(self, size: int) -> bytes:
        """Return bytes that differ from call to call and not from run to run."""
        blocks = (sha256(self.new().encode()).digest() for _ in range(size // 32 + 1))
        return b"".join(blocks)[:size]
