"""A private MQTT broker: Mosquitto from this machine, else amqtt from pip."""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.support.processes import (
    LOOPBACK,
    answers,
    everything_is_required,
    free_port,
    running,
)

HOW_TO_INSTALL = "Mosquitto is not on this machine. Debian, Ubuntu: apt-get install mosquitto"

Command = Callable[[Path, int], list[str]]
"""Writes the broker's settings into the folder and returns how to start it on the port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """Where the broker listens: without a password, for this machine only."""

    host: str
    port: int


@contextmanager
def broker(command: Command) -> Iterator[Broker]:
    """Run a broker until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="mainstem-mqtt-") as name:
        folder, port = Path(name), free_port()
        with running(
            command(folder, port), ready=partial(answers, port), log=folder / "broker.log"
        ):
            yield Broker(host=LOOPBACK, port=port)


def find_command() -> Command:
    """Return how to start a broker here; Mosquitto speaks MQTT 5, amqtt only 3.1.1."""
    mosquitto = find_mosquitto()
    if mosquitto is not None:
        return partial(with_mosquitto, mosquitto)
    if everything_is_required():
        raise FileNotFoundError(HOW_TO_INSTALL)
    return with_amqtt


def find_mosquitto() -> str | None:
    """Return Mosquitto's path; Debian puts it where only root's path leads."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def with_mosquitto(program: str, folder: Path, port: int) -> list[str]:
    settings = folder / "mosquitto.conf"
    settings.write_text(
        f"listener {port} {LOOPBACK}\nallow_anonymous true\npersistence false\nlog_dest stdout\n",
        encoding="ascii",
    )
    return [program, "-c", str(settings)]


def with_amqtt(folder: Path, port: int) -> list[str]:
    settings = folder / "amqtt.yaml"  # JSON is YAML
    listener = {"type": "tcp", "bind": f"{LOOPBACK}:{port}"}
    anonymous = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    settings.write_text(
        json.dumps({"listeners": {"default": listener}, "plugins": anonymous}), encoding="ascii"
    )
    return [sys.executable, "-m", "amqtt.scripts.broker_script", "-c", str(settings)]
