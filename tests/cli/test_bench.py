"""The benchmarks run the real daemon and say what they measured beside the limit."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from router.cli.ledger.tables import ask


def bench(*arguments: str) -> dict[str, Any]:
    """Run a benchmark in a process of its own and return its report."""
    done = subprocess.run(  # noqa: S603  our own arguments
        [sys.executable, "-m", "router", "bench", *arguments, "--json"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_ingest_answers_for_every_message_once_and_says_what_the_limit_was() -> None:
    arguments = ("--messages", "40", "--connections", "4", "--rate", "20", "--lasting", "1")
    report = bench("ingest", *arguments, "--one-by-one", "--complaint")
    assert report["database"] == "sqlite"
    assert report["kept"] == {"heard": 124, "different": 124}  # 64 of them to warm up
    assert report["durable"]["a_second"] > 0
    expected = report["durable"]["a_second"] / report["bare"]["a_second"]
    assert report["ratios"]["durable_to_bare"] == pytest.approx(expected, abs=0.001)
    assert report["caught_up_s"] >= 0
    assert 0 < report["complaint"]["offered_after_s"] < 60
    assert report["at_20_a_second"]["p99_ms"] > 0
    assert report["ratios"]["batched_to_one_by_one"] > 0


def test_ingest_on_a_server_leaves_no_database_behind(postgres_url: str) -> None:
    before = ask(postgres_url, "SELECT datname FROM pg_database ORDER BY 1")
    arguments = ("--messages", "40", "--connections", "4", "--no-catch-up")
    report = bench("ingest", *arguments, "--database-url", postgres_url)
    assert report["database"] == "postgresql"
    assert report["kept"]["different"] == 104
    assert ask(postgres_url, "SELECT datname FROM pg_database ORDER BY 1") == before


def test_route_decides_each_event_and_says_how_long_it_took() -> None:
    report = bench("route", "--agents", "40", "--waiting", "200", "--events", "30")
    assert report["agents"] == 40
    for name in ("agent_has_room", "somebody_comes"):
        assert 0 < report[name]["median_ms"] <= report[name]["p99_ms"]
    assert report["agent_has_room"]["offers"] > 0
    assert report["somebody_comes"]["offers"] > 20


def test_offer_sees_every_customer_on_a_screen() -> None:
    report = bench("offer", "--agents", "2", "--rate", "5", "--seconds", "1")
    assert report["offered"] == report["messages"] == 5
    assert report["webhook_to_offer"]["p50_ms"] > 0


def test_fanout_tells_every_page_of_every_round() -> None:
    report = bench("fanout", "--pages", "5", "--rounds", "2")
    assert report["daemon"]["told_a_second"] > 0
    assert report["bare"]["told_a_second"] > 0


def test_timeline_asks_the_store_and_the_bare_driver_for_the_same_page() -> None:
    report = bench("timeline", "--interactions", "6000", "--interactions", "12000")
    assert {"at_6000", "at_12000", "ratios"} <= report.keys()
    assert report["ratios"]["store_to_bare"] > 0


def test_an_idle_daemon_says_what_it_holds_and_what_a_socket_adds() -> None:
    report = bench("idle", "--sockets", "20")
    assert len(report["readers_mib"]) == 1
    assert report["together_mib"] > report["daemon_mib"] > report["readers_mib"][0] / 4
    assert report["together_shared_once_mib"] <= report["together_mib"]
    assert report["socket_kib"] >= 0


def test_a_lone_notice_is_heard_long_before_an_acknowledgement_would_be_missed() -> None:
    report = bench("mqtt", "--messages", "5")
    assert 0 < report["publish_to_receive"]["p50_ms"] < 30  # a socket that waits takes 40 and more


def test_reading_says_how_long_the_slow_ones_took() -> None:
    for tier in ("--rules", "--urgent"):
        report = bench("reading", tier, "--count", "50")
        assert 0 < report["median_ms"] <= report["p95_ms"]
