"""A log line is one line of JSON in UTC, ours or a library's, and shows no local variables."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from router.logs import configure


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_carries_its_facts_what_was_bound_and_the_time_in_utc() -> None:
    stream = io.StringIO()
    configure(json=True, level="info", stream=stream)
    structlog.contextvars.bind_contextvars(delivery="d1")

    structlog.get_logger().info("delivery_taken_in", account="客服", new=2)

    (line,) = _lines(stream)
    assert datetime.fromisoformat(line.pop("timestamp")).tzinfo == UTC
    expected = {"event": "delivery_taken_in", "level": "info", "delivery": "d1"}
    assert line == {**expected, "account": "客服", "new": 2}


def test_away_from_a_terminal_lines_are_json() -> None:
    stream = io.StringIO()
    configure(json=None, level="info", stream=stream)
    structlog.get_logger().info("started")
    assert _lines(stream)[0]["event"] == "started"


def test_at_a_terminal_lines_are_for_people() -> None:
    stream = io.StringIO()
    configure(json=False, level="info", stream=stream)
    structlog.get_logger().info("started", account="main")
    assert "started" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_a_logger_made_before_the_configuration_obeys_it() -> None:
    log, stream = structlog.get_logger(), io.StringIO()
    configure(json=True, level="warning", stream=stream)
    log.info("unasked")
    log.warning("asked")
    assert [line["event"] for line in _lines(stream)] == ["asked"]


def test_a_library_warns_in_the_same_form_and_is_silent_below() -> None:
    stream = io.StringIO()
    configure(json=True, level="info", stream=stream)
    logging.getLogger("aiohttp.access").info("GET /chat?name=somebody")
    logging.getLogger("aiohttp.server").warning("slow %s", "peer")
    (line,) = _lines(stream)
    assert (line["event"], line["logger"]) == ("slow peer", "aiohttp.server")


@pytest.mark.parametrize("as_json", [True, False])
def test_a_traceback_shows_no_local_variables(*, as_json: bool) -> None:
    stream = io.StringIO()
    configure(json=as_json, level="info", stream=stream)
    said = " ".join(reversed(["broken", "is", "sofa"]))  # so the source line does not hold it
    try:
        len(said) / 0
    except ZeroDivisionError:
        structlog.get_logger().exception("reading_failed", interaction="i1")
        logging.getLogger("library").exception("failed")
    assert stream.getvalue().count("ZeroDivisionError") == 2
    assert said not in stream.getvalue()


def test_a_level_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="'loud'"):
        configure(json=True, level="loud")


class FullDisk(io.StringIO):
    """Takes nothing while it is full."""

    full = False

    def write(self, text: str) -> int:
        if self.full:
            raise OSError(28, "No space left on device")
        return super().write(text)


def test_a_full_disk_costs_lines_and_nothing_else_and_the_log_says_how_many() -> None:
    stream = FullDisk()
    configure(json=True, level="info", stream=stream)
    stream.full = True
    structlog.get_logger().info("daemon_started")
    logging.getLogger("aiohttp").warning("something")
    stream.full = False
    structlog.get_logger().info("daemon_stopped")
    lost, stopped = _lines(stream)
    assert (lost["event"], lost["lines"]) == ("log_lines_lost", 2)
    assert stopped["event"] == "daemon_stopped"
