"""The whole daemon as a process of its own, on a free port and a folder of its own."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.processes import LOOPBACK, free_port, running

_PASSWORD = re.compile(r"one-time password (\S+)")
MASTER = "administrator-2026"


@dataclass(slots=True)
class House:
    """A running daemon: where it is, and how to speak with it as an administrator."""

    url: str
    folder: Path
    env: Mapping[str, str]
    process: subprocess.Popen[bytes]
    password: str
    token: str = ""

    def command(self, *arguments: str) -> str:
        """Run a command of ours on the same configuration and return what it printed."""
        done = subprocess.run(  # noqa: S603  # our own arguments
            [sys.executable, "-m", "router", *arguments],
            env=self.env,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def secret(self, name: str) -> str:
        """Return a secret that the daemon generated."""
        return (self.folder / "data" / "secrets" / name).read_text("utf-8").strip()

    def people(self, *rows: Mapping[str, Any]) -> None:
        """Bring people into the database, each with the password that the row gives."""
        self._import("agents", rows)

    def articles(self, *rows: Mapping[str, Any]) -> None:
        """Bring articles into the database."""
        self._import("articles", rows)

    def _import(self, what: str, rows: tuple[Mapping[str, Any], ...]) -> None:
        file = self.folder / f"{what}.json"
        file.write_text(json.dumps(rows), "utf-8")
        self.command("import", what, str(file))


@contextmanager
def house(
    folder: Path, *, channels: Mapping[str, str], router: str = "", database_url: str = ""
) -> Iterator[House]:
    """Run the daemon with these channel files (name → TOML) until the end of the block."""
    port = free_port()
    config = folder / "config"
    (config / "channels").mkdir(parents=True, exist_ok=True)
    (config / "router.toml").write_text(router or "log_level = 'info'\nreaders = 0\n", "utf-8")
    for name, text in channels.items():
        (config / "channels" / f"{name}.toml").write_text(text, "utf-8")
    env = {
        **os.environ,
        "MAINSTEM_CONFIG": str(config),
        "MAINSTEM_DATA": str(folder / "data"),
        "MAINSTEM_LISTEN": f"{LOOPBACK}:{port}",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    if database_url:
        env["MAINSTEM_DATABASE_URL"] = database_url
    url = f"http://{LOOPBACK}:{port}"
    log = folder / "daemon.log"
    command = [
        shutil.which("env") or "/usr/bin/env",
        *(f"{key}={value}" for key, value in env.items() if key in _OURS),
        *_RUN,
    ]
    with running(command, ready=lambda: _ready(url), log=log, stop=signal.SIGTERM) as process:
        found = _PASSWORD.search(log.read_text("utf-8", "replace"))
        yield House(
            url=url,
            folder=folder,
            env=env,
            process=process,
            password=found[1] if found else "",
        )


_OURS = (
    "MAINSTEM_CONFIG",
    "MAINSTEM_DATA",
    "MAINSTEM_LISTEN",
    "MAINSTEM_DATABASE_URL",
    "PYTHONPATH",
)
_RUN = (sys.executable, "-m", "router", "run")


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:  # noqa: S310  # loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
