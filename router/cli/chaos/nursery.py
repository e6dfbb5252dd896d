"""Daemons that start fast: a process that has loaded everything once forks one for each that dies.

What runs is the daemon itself (`router.daemon.run`), in a process of its own that a SIGKILL ends
like any other; only the seconds that Python takes to load it are saved. The nursery is spoken with
over its standard pipes, a JSON line each way, and when its input ends its daemons end with it.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

_COMMAND = (sys.executable, "-c", "from router.cli.chaos.nursery import main; main()")
_SETTINGS = "MAINSTEM_"
#: Who does not end within this time of being asked to is killed, and that is seen in the code.
_POLITE_S, _LOOK_S = 60.0, 0.005


class Nursery:
    """Starts daemons and ends them, by the process ids that it was given itself."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process, self._turn = process, asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def open(cls) -> Any:
        """Run a nursery until the block ends."""
        process = await asyncio.create_subprocess_exec(
            *_COMMAND, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        try:
            yield cls(process)
        finally:
            if process.stdin is not None:
                process.stdin.close()
            await process.wait()

    async def start(self, env: Mapping[str, str], log: Path) -> int:
        """Start a daemon with these variables; what it says is added to ``log``. Returns its id."""
        given = {key: value for key, value in env.items() if key.startswith(_SETTINGS)}
        return int(await self._ask({"env": given, "log": str(log)}))

    async def end(self, pid: int, *, politely: bool = False) -> int:
        """End a daemon with SIGKILL, or SIGTERM, and wait; returns its exit code."""
        number = signal.SIGTERM if politely else signal.SIGKILL
        return int(await self._ask({"end": pid, "signal": int(number)}))

    async def ended(self, pid: int) -> int | None:
        """Return the exit code of a daemon that has ended by itself, None while it runs."""
        code = await self._ask({"look": pid})
        return None if code is None else int(code)

    async def _ask(self, what: Mapping[str, Any]) -> Any:
        """Ask and wait; whoever is cancelled meanwhile leaves no answer for the next to take."""
        return await asyncio.shield(asyncio.ensure_future(self._exchange(what)))

    async def _exchange(self, what: Mapping[str, Any]) -> Any:
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the nursery has no pipes")
        async with self._turn:
            process.stdin.write(json.dumps(what).encode() + b"\n")
            await process.stdin.drain()
            said = await process.stdout.readline()
        if not said:
            raise RuntimeError("the nursery has ended")
        return json.loads(said)


# ----- in the nursery -----------------------------------------------------------------------------


class _Brood:
    """The daemons that were started and have not been looked after yet."""

    def __init__(self) -> None:
        self._codes: dict[int, int] = {}

    def start(self, env: Mapping[str, str], log: str) -> int:
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            code = _live(env, log)
        finally:
            os._exit(code)

    def end(self, pid: int, number: int) -> int:
        code = self.look(pid)
        if code is None:
            os.kill(pid, number)
            until = time.monotonic() + _POLITE_S
            while (code := self.look(pid)) is None and time.monotonic() < until:
                time.sleep(_LOOK_S)
            if code is None:
                os.kill(pid, signal.SIGKILL)
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                self._codes[pid] = code
        return code

    def look(self, pid: int) -> int | None:
        if pid not in self._codes:
            gone, status = os.waitpid(pid, os.WNOHANG)
            if not gone:
                return None
            self._codes[pid] = os.waitstatus_to_exitcode(status)
        return self._codes[pid]


def _live(env: Mapping[str, str], log: str) -> int:
    """Be a daemon; returns its exit code."""
    from router import daemon  # noqa: PLC0415  loaded already
    from router.logs import configure  # noqa: PLC0415
    from router.settings.load import load  # noqa: PLC0415

    sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (sink, 1), (sink, 2)):
        os.dup2(source, target)
    os.environ.update(env)
    settings = load()
    configure(json=True, level=settings.log_level)
    return asyncio.run(daemon.run(settings))


def main() -> None:
    """Start and end daemons as standard input says, until it ends."""
    import router.cli.main  # noqa: F401, PLC0415  loads everything

    brood, running = _Brood(), set[int]()
    for line in sys.stdin:
        asked = json.loads(line)
        answer: int | None
        if "end" in asked:
            answer = brood.end(asked["end"], asked["signal"])
            running.discard(asked["end"])
        elif "look" in asked:
            answer = brood.look(asked["look"])
        else:
            answer = brood.start(asked["env"], asked["log"])
            running.add(answer)
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()
    for pid in running:
        brood.end(pid, signal.SIGKILL)
