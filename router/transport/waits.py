"""How long to wait: before another attempt, and between calls that a platform counts."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

Wait = Callable[[float], Awaitable[Any]]

_MOST_DOUBLINGS = 30


def backoff(attempts: int, *, first: timedelta, longest: timedelta, chance: bytes) -> timedelta:
    """Return the wait after ``attempts`` failed ones: doubling, with up to half of it by chance.

    Chance keeps what failed together from coming back together.
    """
    whole = min(longest, first * (1 << min(attempts, _MOST_DOUBLINGS)))
    share = int.from_bytes(chance, "big") / (1 << (8 * len(chance)))
    return whole / 2 + whole / 2 * share


class Pace:
    """Lets calls pass no faster than a platform allows, with one second's worth at once."""

    def __init__(self, per_second: float | None, *, wait: Wait) -> None:
        self._per_second, self._wait = per_second, wait
        self._free_at = 0.0

    async def turn(self) -> None:
        """Wait until one more call may leave."""
        if self._per_second is None:
            return
        now = asyncio.get_running_loop().time()
        interval = 1 / self._per_second
        at_once = max(1.0, self._per_second)
        free_at = max(self._free_at, now - (at_once - 1) * interval)
        self._free_at = free_at + interval
        if free_at > now:
            await self._wait(free_at - now)
