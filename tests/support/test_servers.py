"""The servers of the test runs: found or fallen back to, and never left behind."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import aiomqtt
import asyncpg
import pytest

from tests.support import mqtt
from tests.support.postgres import from_pip, postgres
from tests.support.processes import DidNotStart, running, tethered

OUTLIVES = """
import sys, time
gate = open(sys.argv[1], "wb", buffering=0)
time.sleep(10)
gate.write(b"outlived")
"""


async def _asked(url: str, question: str) -> object:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""), ssl=False)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_a_machine_without_postgresql_runs_the_one_from_pip() -> None:
    with postgres(from_pip()[0]) as server:
        assert await _asked(server.url(), "SHOW server_encoding") == "UTF8"


@pytest.fixture
def closed_binaries(tmp_path: Path) -> Path:
    """Return the programs from pip as seen through a folder that only we may enter."""
    binaries = from_pip()[0]
    package = binaries.parents[1]
    tmp_path.chmod(0o700)
    for folder in (package, package.with_name(f"{package.name}.libs")):
        (tmp_path / folder.name).symlink_to(folder)
    return tmp_path / binaries.relative_to(package.parent)


async def test_a_checkout_that_is_closed_to_others_still_runs_postgresql(
    closed_binaries: Path,
) -> None:
    with postgres(closed_binaries) as server:
        assert await _asked(server.url(), "SELECT 1") == 1


async def test_a_machine_without_mosquitto_runs_the_broker_from_pip() -> None:
    with mqtt.broker(mqtt.with_amqtt) as broker:
        assert await _echo(broker) == "您好".encode()


async def test_the_broker_of_this_machine_hands_on_what_is_published(
    mqtt_broker: mqtt.Broker,
) -> None:
    assert await _echo(mqtt_broker) == "您好".encode()


async def _echo(broker: mqtt.Broker) -> object:
    async with aiomqtt.Client(broker.host, broker.port) as client:
        await client.subscribe("desk/1")
        await client.publish("desk/1", "您好".encode(), qos=1)
        async for message in client.messages:
            return message.payload
    raise AssertionError("the broker hung up")


async def test_each_test_has_a_database_of_its_own(
    postgres_database: str, sqlite_database: str
) -> None:
    assert await _asked(postgres_database, "SELECT current_database()") != "postgres"
    tables = await _asked(
        postgres_database,
        "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'",
    )
    assert isinstance(tables, int)
    assert tables > 0
    assert _tables_in(sqlite_database) == tables


def _tables_in(sqlite_url: str) -> object:
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection:
        question = (
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
        return connection.execute(question).fetchone()[0]


def test_a_server_that_ends_early_is_quoted(tmp_path: Path) -> None:
    cause = [sys.executable, "-c", "raise SystemExit('no room for a desk')"]
    with (
        pytest.raises(DidNotStart, match="no room for a desk"),
        running(cause, ready=lambda: False, log=tmp_path / "log"),
    ):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a process to its parent")
def test_a_server_ends_when_its_test_run_is_killed(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    server = [sys.executable, "-c", OUTLIVES, str(gate)]
    run = f"""if True:
        import subprocess, sys
        sys.path.insert(0, {str(Path(__file__).parents[2])!r})
        from tests.support.processes import tethered
        subprocess.Popen(tethered({server!r})).wait()
    """
    runner = subprocess.Popen([sys.executable, "-c", run])  # noqa: S603  # our own code
    with gate.open("rb") as held:  # the server has started, and holds the other end until it ends
        runner.send_signal(signal.SIGKILL)
        runner.wait()
        assert held.read() == b""


def test_a_command_runs_as_itself_behind_its_tether() -> None:
    command = tethered([sys.executable, "-c", "print('here')"])
    assert subprocess.check_output(command, text=True) == "here\n"  # noqa: S603  # our own code
