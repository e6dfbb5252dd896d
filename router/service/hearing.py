"""What goes to a reader and comes back, and what a daemon asks of its readers.

A run is what one contact said and nobody has read, oldest first. Runs of different contacts may be
read side by side; within a run order is kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from router.domain.ids import ConversationId
from router.domain.knowledge import Candidate
from router.domain.reading import Mood, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One message to be read; ``language`` is its conversation's, or empty."""

    conversation: ConversationId
    text: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What the contact said before in a conversation, and how it was read."""

    text: str
    reading: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Unread words of one contact, with what went before in their conversations, oldest first.

    ``elsewhere`` is what may have been a complaint of theirs in other conversations lately, on
    whatever channel: who says it again is heard.
    """

    words: tuple[Words, ...]
    before: Mapping[ConversationId, tuple[Earlier, ...]]
    elsewhere: tuple[Earlier, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a message means, what it does to the mood, and which articles may answer it.

    ``candidates`` is None where the reader knows no articles, so that words alone must do.
    """

    reading: Reading
    mood: Mood
    candidates: tuple[Candidate, ...] | None


class ReaderDown(Exception):
    """No reader process is there; one is being started, and nothing is to be waited for."""


class ReaderBroke(Exception):
    """The process ended or hung over what it was given; another one is started in its place."""


class Readers(Protocol):
    """The readers in processes of their own, each called by its lane's number."""

    @property
    def lanes(self) -> int:
        """Return how many runs can be read side by side; 0 if there are no processes."""

    async def read(self, lane: int, runs: Sequence[Run]) -> tuple[tuple[Heard, ...], ...]:
        """Return what was heard in each of ``runs``; raises ReaderDown or ReaderBroke."""


class SmallReader(Protocol):
    """The reader that is always there: rules and words, in the daemon's own process."""

    def hear(self, run: Run) -> tuple[Heard, ...]:
        """Return what was heard; costs CPU, so run it in a thread. Never raises over a text."""

    def is_urgent(self, text: str) -> bool:
        """Say, within tens of microseconds, whether ``text`` cannot wait for its turn."""
