"""A customers' platform that writes as fast as it may: a process of its own, bare sockets.

It reads one job (JSON) from standard input, waits for a line that says "go", and prints what came
of it (JSON). Requests are made before the clock starts, so that the client's work is not measured.
"""

import asyncio
import sys
from collections import deque
from time import perf_counter
from typing import Final

import msgspec

#: The end of an answer's headers, and the one header that matters.
_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What to write where: requests as they are sent, closed loop, or ``rate`` a second."""

    host: str
    port: int
    connections: int
    requests: list[str]
    rate: float = 0.0


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a job: seconds in all, seconds of each answer, and statuses counted."""

    took: float
    latencies: list[float]
    statuses: dict[str, int]


class Line(asyncio.Protocol):
    """One connection: one request at a time."""

    def __init__(self, work: "Work") -> None:
        self._work = work
        self._got = b""
        self._since = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def write(self, request: bytes, since: float) -> None:
        """Send a request; its answer counts from ``since``."""
        self._since = since
        if self._transport is not None:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Take a part of an answer."""
        self._got = self._got + data if self._got else data
        head, end, body = self._got.partition(_END)
        if not end or len(body) < _length(head):
            return
        self._got = b""
        self._work.answered(self, head[9:12].decode(), perf_counter() - self._since)

    def connection_lost(self, _problem: Exception | None) -> None:
        """Nothing more comes on this line."""
        self._work.lost()


class Work:
    """The requests that are left, the lines that are free, and what was answered."""

    def __init__(self, job: Job) -> None:
        self._left = deque(each.encode() for each in job.requests)
        self._open = len(job.requests)
        self._rate = job.rate
        self._idle: deque[Line] = deque()
        self._due: deque[float] = deque()
        self.latencies: list[float] = []
        self.statuses: dict[str, int] = {}
        self.over = asyncio.Event()

    def begin(self, lines: list[Line]) -> None:
        """Let every line write its first request, or let the clock say when."""
        self._idle.extend(lines)
        if self._rate:
            asyncio.get_running_loop().create_task(self._tick())
            return
        while self._idle and self._left:
            self._idle.popleft().write(self._left.popleft(), perf_counter())

    async def _tick(self) -> None:
        began, count = perf_counter(), len(self._left)
        for number in range(count):
            due = began + number / self._rate
            pause = due - perf_counter()
            if pause > 0:
                await asyncio.sleep(pause)
            self._due.append(due)
            self._feed()

    def _feed(self) -> None:
        while self._due and self._idle:
            self._idle.popleft().write(self._left.popleft(), self._due.popleft())

    def answered(self, line: Line, status: str, seconds: float) -> None:
        """Note an answer and go on."""
        self.latencies.append(seconds)
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self._open -= 1
        if not self._open:
            self.over.set()
        elif self._rate:
            self._idle.append(line)
            self._feed()
        elif self._left:
            line.write(self._left.popleft(), perf_counter())

    def lost(self) -> None:
        """End here: a server that hangs up has failed."""
        if self._open:
            self.statuses["lost"] = self.statuses.get("lost", 0) + 1
            self.over.set()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(_LENGTH):
            return int(line[len(_LENGTH) :])
    return 0


async def write_all(job: Job) -> Done:
    """Write every request; a line that breaks ends the work."""
    work, loop = Work(job), asyncio.get_running_loop()
    lines = []
    for _ in range(job.connections):
        transport, line = await loop.create_connection(lambda: Line(work), job.host, job.port)
        lines.append((transport, line))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.buffer.readline)
    began = perf_counter()
    work.begin([line for _, line in lines])
    await work.over.wait()
    took = perf_counter() - began
    for transport, _ in lines:
        transport.abort()
    return Done(took=took, latencies=work.latencies, statuses=work.statuses)


def main() -> None:
    """Read a job, do it, say what came of it."""
    job = msgspec.json.decode(sys.stdin.buffer.readline(), type=Job)
    done = asyncio.run(write_all(job))
    sys.stdout.write(msgspec.json.encode(done).decode() + "\n")


if __name__ == "__main__":
    main()
