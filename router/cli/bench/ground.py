"""What a benchmark stands on: the real daemon and its limit, each a process of its own."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import msgspec

from router.cli.bench.client import Done, Job

LOOPBACK = "127.0.0.1"
_PATIENCE_S = 180.0
_GRACE_S = 30.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A running daemon: where it is, where its files are, and its database."""

    port: int
    folder: Path
    database_url: str
    env: Mapping[str, str]
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        """Return the address of the daemon."""
        return f"http://{LOOPBACK}:{self.port}"

    def command(self, *arguments: str) -> str:
        """Run a command of ours on the same configuration and return what it printed."""
        done = subprocess.run(  # noqa: S603  our own arguments
            [sys.executable, "-m", "router", *arguments],
            env=dict(self.env),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise click.ClickException(f"mainstem {arguments[0]}: {done.stderr.strip()}")
        return done.stdout

    def people(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Bring people into the database."""
        file = self.folder / "agents.json"
        file.write_text(json.dumps(rows), "utf-8")
        self.command("import", "agents", str(file))


@contextmanager
def daemon(
    *, channels: Mapping[str, str], router: Mapping[str, Any], database_url: str = ""
) -> Iterator[Ground]:
    """Run the daemon in a folder of its own, on a database of its own, until the block ends.

    With ``database_url`` a fresh database is made on that server, and removed afterwards.
    """
    with (
        tempfile.TemporaryDirectory(prefix="mainstem-bench-") as name,
        database(database_url, Path(name)) as held,
    ):
        folder, port = Path(name), free_port()
        config = folder / "config"
        (config / "channels").mkdir(parents=True)
        told = "".join(f"{key} = {json.dumps(value)}\n" for key, value in router.items())
        (config / "router.toml").write_text(told, "utf-8")
        for each, text in channels.items():
            (config / "channels" / f"{each}.toml").write_text(text, "utf-8")
        env = {
            **os.environ,
            "MAINSTEM_CONFIG": str(config),
            "MAINSTEM_DATA": str(folder / "data"),
            "MAINSTEM_LISTEN": f"{LOOPBACK}:{port}",
            "MAINSTEM_DATABASE_URL": held,
        }
        command = [sys.executable, "-m", "router", "run"]
        with _process(command, env, folder / "daemon.log", f"{_at(port)}/readyz") as process:
            yield Ground(port=port, folder=folder, database_url=held, env=env, process=process)


@contextmanager
def echo() -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """Run bare aiohttp until the block ends; gives its port and process."""
    with tempfile.TemporaryDirectory(prefix="mainstem-bench-") as name:
        port = free_port()
        command = [
            sys.executable,
            "-c",
            "from router.cli.bench.echo import main; main()",
            str(port),
        ]
        log = Path(name) / "echo.log"
        with _process(command, os.environ, log, f"{_at(port)}/healthz") as process:
            yield port, process


def cpu_seconds(process: "subprocess.Popen[bytes]") -> float:
    """Return the CPU time that a process has taken, by the kernel's count; 0 where it has none."""
    try:
        fields = Path(f"/proc/{process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def write(job: Job) -> Done:
    """Let a client process do ``job``."""
    command = [sys.executable, "-c", "from router.cli.bench.client import main; main()"]
    with subprocess.Popen(  # noqa: S603  our own arguments
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise click.ClickException("the client has no pipes")
        process.stdin.write(msgspec.json.encode(job) + b"\n")
        process.stdin.flush()
        process.stdout.readline()
        process.stdin.write(b"go\n")
        process.stdin.flush()
        said = process.stdout.readline()
    if not said:
        raise click.ClickException("the client of the benchmark ended without a word")
    return msgspec.json.decode(said, type=Done)


def _at(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    """Return a port that was free just now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _process(
    command: Sequence[str], env: Mapping[str, str], log: Path, ready: str
) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as sink:
        process = subprocess.Popen(  # noqa: S603  our own arguments
            command, env=dict(env), stdout=sink, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )
    with running(process):
        _await(process, ready, log)
        yield process


@contextmanager
def running(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """End a process with the block: politely first."""
    try:
        yield
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    give_up = time.monotonic() + _PATIENCE_S
    while not answers(url):
        if process.poll() is not None or time.monotonic() > give_up:
            words = log.read_text("utf-8", "replace")[-2000:]
            raise click.ClickException(f"{url} did not come up:\n{words}")
        time.sleep(_POLL_S)


def answers(url: str) -> bool:
    """Return whether a server says there that all is well."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  loopback
            return bool(answer.status == 200)  # noqa: PLR2004
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


@contextmanager
def database(server: str, folder: Path) -> Iterator[str]:
    """Give the address of a database for one benchmark: a file, or a new one on a server."""
    if not server:
        yield f"sqlite:///{folder / 'data' / 'mainstem.db'}"
        return
    from router.cli.bench.postgres import created, dropped  # noqa: PLC0415  only with a server

    name = f"bench_{secrets.token_hex(4)}"
    url = created(server, name)
    try:
        yield url
    finally:
        dropped(server, name)
