"""Whether deliveries come so fast that what can wait a moment gives way to them."""

import asyncio
from collections import deque

#: So many deliveries within so many seconds are a burst.
_MANY = 100
_WITHIN_S = 0.5
#: In a burst a loop rests so many times as long as it has worked, and at most so many seconds.
_SHARE = 4.0
_LONGEST_S = 0.4


class Pressure:
    """Hears of deliveries; loops that share the interpreter with intake ask it for their pause."""

    def __init__(self) -> None:
        self._came: deque[tuple[float, int]] = deque()
        self._count = 0

    def came(self, count: int) -> None:
        """Note that so many deliveries are taken in now."""
        now = asyncio.get_running_loop().time()
        self._came.append((now, count))
        self._count += count
        self._forget(now)

    @property
    def high(self) -> bool:
        """Return whether there is a burst now."""
        self._forget(asyncio.get_running_loop().time())
        return self._count >= _MANY

    def _forget(self, now: float) -> None:
        while self._came and self._came[0][0] < now - _WITHIN_S:
            self._count -= self._came.popleft()[1]

    async def give_way(self, worked_s: float) -> None:
        """Rest in a burst, the longer the longer the caller has worked; else return at once."""
        if self.high:
            await asyncio.sleep(min(_LONGEST_S, worked_s * _SHARE))
