"""Whether deliveries come so fast that what can wait a moment gives way to them."""

import asyncio
import math
from collections import deque

#: So many deliveries within so many seconds are a burst; so are so many that waited for one commit.
_MANY = 100
_TOGETHER = 12
_WITHIN_S = 0.5
#: In a burst a loop rests so many times as long as it has worked, and at most so many seconds.
_SHARE = 8.0
_LONGEST_S = 0.5
#: So long a burst may put off what is not urgent altogether, in seconds.
_PATIENCE_S = 10.0


class Pressure:
    """Hears of deliveries; loops that share the interpreter with intake ask it for their pause."""

    def __init__(self) -> None:
        self._came: deque[tuple[float, int]] = deque()
        self._count = 0
        self._crowded_until = 0.0
        self._since = 0.0

    def came(self, count: int) -> None:
        """Note that so many deliveries are taken in now."""
        now = asyncio.get_running_loop().time()
        if not self.high:
            self._since = now
        self._came.append((now, count))
        self._count += count
        if count >= _TOGETHER:
            self._crowded_until = now + _WITHIN_S
        self._forget(now)

    @property
    def high(self) -> bool:
        """Return whether there is a burst now."""
        now = asyncio.get_running_loop().time()
        self._forget(now)
        return self._count >= _MANY or now < self._crowded_until

    @property
    def only_urgent(self) -> bool:
        """Return whether what is not urgent should wait: there is a burst, and not for long yet."""
        return self.high and asyncio.get_running_loop().time() - self._since < _PATIENCE_S

    def _forget(self, now: float) -> None:
        while self._came and self._came[0][0] < now - _WITHIN_S:
            self._count -= self._came.popleft()[1]

    async def give_way(self, worked_s: float = math.inf) -> None:
        """Rest in a burst, the longer the longer the caller has worked; else return at once.

        Who does not say how long rests as long as anybody may: its work can wait.
        """
        if self.high:
            await asyncio.sleep(min(_LONGEST_S, worked_s * _SHARE))
