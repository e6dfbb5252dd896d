"""Starts programs that a test run needs and ends them by their own process id."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

LOOPBACK = "127.0.0.1"
REQUIRE_ALL = "MAINSTEM_TEST_REQUIRE_ALL"

_TETHER = Path(__file__).with_name("tether.py")
_POLL = 0.02  # seconds; starting a server has no event that every server offers
_PATIENCE = 60.0  # seconds from the start of a server to its first answer
_GRACE = 15.0  # seconds from the polite signal to SIGKILL


class DidNotStart(RuntimeError):
    """A server ended or stayed silent before it was ready; the message carries its log."""


def free_port() -> int:
    """Return a TCP port that was free just now; whoever binds it must allow for a race."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Tell whether something accepts connections on the loopback ``port``."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def everything_is_required() -> bool:
    """Tell whether this run may neither fall back nor go without (set by ``.ci/run``)."""
    return os.environ.get(REQUIRE_ALL, "") not in ("", "0")


def tethered(
    command: Sequence[str | Path], *, user: str | None = None, stop: int = signal.SIGTERM
) -> list[str]:
    """Return ``command`` so that it runs as ``user`` and gets ``stop`` should this process die."""
    given = [str(part) for part in command]
    knot = [str(os.getpid()), str(int(stop)), user or "-"]
    return [sys.executable, "-I", "-S", str(_TETHER), *knot, *given]


@contextmanager
def running(
    command: Sequence[str | Path],
    *,
    ready: Callable[[], bool],
    log: Path,
    user: str | None = None,
    stop: signal.Signals = signal.SIGTERM,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server from the moment that it is ``ready`` to the end of the block.

    Raises ``DidNotStart`` with the server's own words if it ends first or is not ready in time.
    """
    with log.open("wb") as sink:
        process = subprocess.Popen(  # noqa: S603  # our own arguments
            tethered(command, user=user, stop=stop),
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
        try:
            _await_ready(process, ready=ready, log=log)
            yield process
        finally:
            end(process, stop)


def _await_ready(process: subprocess.Popen[bytes], *, ready: Callable[[], bool], log: Path) -> None:
    give_up = time.monotonic() + _PATIENCE
    while not ready():
        if process.poll() is not None:
            raise DidNotStart(f"ended with {process.returncode} before it was ready\n{said(log)}")
        if time.monotonic() > give_up:
            raise DidNotStart(f"not ready after {_PATIENCE:.0f} s\n{said(log)}")
        time.sleep(_POLL)


def end(process: subprocess.Popen[bytes], stop: signal.Signals = signal.SIGTERM) -> None:
    """Stop ``process`` with ``stop``, and with SIGKILL if it does not listen; then bury it."""
    if process.poll() is None:
        process.send_signal(stop)
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def said(log: Path) -> str:
    """Return the last lines of a server's log, for an error that explains itself."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return "\n".join(lines[-20:]) or "(it said nothing)"
