"""What services ask of the world, as small protocols; the rooms above fulfil them."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from router.domain.errors import DomainError
from router.domain.reading import Reading

P = ParamSpec("P")
T = TypeVar("T")


class NotFound(DomainError):
    """There is no such thing, or it is not for the asker to see."""

    code = "not_found"


class Conflict(DomainError):
    """Somebody else changed it first. Tried once more before anyone hears of it."""

    code = "conflict"


class StoreUnavailable(Exception):
    """The database did not take or answer it; nothing was changed."""


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""


class Ids(Protocol):
    """New names for things, and chance."""

    def new(self) -> str:
        """Return an id nobody has had; later ids sort after earlier ones."""

    def entropy(self, size: int) -> bytes:
        """Return ``size`` unpredictable bytes."""


class Reader(Protocol):
    """Whoever understands messages."""

    @property
    def name(self) -> str:
        """Return name and version, kept with every reading."""

    def read(self, text: str, *, language: str | None = None) -> Reading:
        """Return what ``text`` means; ``language`` is the conversation's, if known."""


class Store(Protocol):
    """What is remembered."""

    def transact(
        self, verb: Callable[Concatenate[Any, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> Awaitable[T]:
        """Run ``verb(unit, …)`` in one transaction."""

    def read(
        self, question: Callable[Concatenate[Any, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> Awaitable[T]:
        """Answer ``question(unit, …)`` without changing anything."""
