"""Fixtures for every room: databases, a broker, a browser. Each starts when first asked for."""

import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.support import chromium as browsers
from tests.support import mqtt
from tests.support import postgres as servers
from tests.support.chromium import Console, OpenPage
from tests.support.mqtt import Broker
from tests.support.postgres import Postgres, settle
from tests.support.processes import REQUIRE_ALL, everything_is_required
from tests.support.stores import clock, ids, sqlite_store, store  # noqa: F401  # fixtures

TEMPLATE = "mainstem_template"


def pytest_configure(config: pytest.Config) -> None:
    """Let programs that tests start keep their compiled code; say at once what is missing.

    Compiling all of our modules is half of the time in which the daemon comes up.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if not everything_is_required() or hasattr(config, "workerinput"):
        return
    missing = []
    if browsers.find_chromium() is None:
        missing.append(browsers.HOW_TO_INSTALL)
    if mqtt.find_mosquitto() is None:
        missing.append(mqtt.HOW_TO_INSTALL)
    try:
        servers.find_binaries()
    except FileNotFoundError as error:
        missing.append(str(error))
    if missing:
        pytest.exit("\n".join([f"{REQUIRE_ALL} is set and this is missing:", *missing]), 1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """Run a PostgreSQL of our own (each worker of a parallel run has one)."""
    with servers.postgres(servers.find_binaries()) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres_server: Postgres) -> str:
    """Return the address of the server's empty maintenance database."""
    return postgres_server.url()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Postgres) -> str:
    """Make the schema once a run and return the name of the database to copy it from."""
    from router.store.migrate import upgrade  # noqa: PLC0415  # only where a store is wanted

    postgres_server.create(TEMPLATE)
    settle(upgrade(postgres_server.url(TEMPLATE)))
    postgres_server.seal(TEMPLATE)
    return TEMPLATE


@pytest.fixture(scope="session")
def _numbers() -> Iterator[int]:
    return count(1)


@pytest.fixture
def postgres_database(
    postgres_server: Postgres, postgres_template: str, _numbers: Iterator[int]
) -> Iterator[str]:
    """Return the address of a PostgreSQL database with our schema, for this test alone."""
    name = f"mainstem_{next(_numbers)}"
    postgres_server.create(name, template=postgres_template)
    yield postgres_server.url(name)
    postgres_server.drop(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the schema once a run and return the file to copy it from."""
    from router.store.migrate import upgrade  # noqa: PLC0415  # only where a store is wanted

    path = tmp_path_factory.mktemp("template") / "mainstem.db"
    settle(upgrade(f"sqlite:///{path}"))
    with closing(sqlite3.connect(path)) as connection:  # the copy is of one file
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return path


@pytest.fixture
def sqlite_database(sqlite_template: Path, tmp_path: Path) -> str:
    """Return the address of an SQLite file with our schema, for this test alone."""
    path = tmp_path / "mainstem.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Run the test twice: on SQLite and on PostgreSQL, each time on a database of its own."""
    kind = {"sqlite": "sqlite_database", "postgresql": "postgres_database"}[request.param]
    url: str = request.getfixturevalue(kind)
    return url


@pytest.fixture(scope="session")
def mqtt_broker() -> Iterator[Broker]:
    """Run an MQTT broker of our own, without a password, on the loopback address."""
    with mqtt.broker(mqtt.find_command()) as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of this machine's Chromium, or fail and say how to install one."""
    found = browsers.find_chromium()
    if found is None:
        pytest.fail(browsers.HOW_TO_INSTALL, pytrace=False)
    return found


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """Run a browser on the test's own event loop."""
    async with browsers.launched(chromium) as running:
        yield running


@pytest.fixture
def console() -> Iterator[Console]:
    """Listen to the browser's console; the test fails over what it did not expect there."""
    heard = Console()
    yield heard
    assert heard.unexpected() == []


@pytest.fixture
def open_page(browser: Browser, console: Console) -> OpenPage:
    """Return how to open a page for one more person, with a browser context of its own."""
    return browsers.opener(browser, console)


@pytest.fixture
async def page(open_page: OpenPage) -> Page:
    """Open a page of a browser, in English, with cookies of its own."""
    return await open_page()
