"""The commands, as an operator types them."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from router.cli.main import main
from tests.adapters.vectors import vector

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended and what it said."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs a command in an empty folder on a configuration of its own."""
    (tmp_path / "config").mkdir()
    for key in [key for key in os.environ if key.startswith("MAINSTEM_")]:
        monkeypatch.delenv(key)
    monkeypatch.setenv("MAINSTEM_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("MAINSTEM_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> Done:
        done = CliRunner().invoke(main, arguments)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Done(done.exit_code, done.stdout, done.stderr)

    return command


def test_the_program_is_started_as_a_module(run: Run) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "router", "check"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == run("check").stdout


def test_check_says_what_is_in_force_and_hides_secrets(run: Run) -> None:
    done = run("check")
    assert done.returncode == 0
    assert "ok: 2 accounts, 4 queues" in done.stdout
    secret = run("secret", "phone-api-key").stdout.strip()
    assert secret
    assert secret not in done.stdout


def test_check_prints_every_problem_and_fails(run: Run, tmp_path: Path) -> None:
    (tmp_path / "config" / "router.toml").write_text('listen = "here"\nlog_level = "loud"')
    done = run("check")
    assert done.returncode == 2
    assert "router.toml: listen" in done.stderr
    assert "router.toml: log_level" in done.stderr
    assert "Traceback" not in done.stderr


def test_migrate_makes_a_database_that_audit_finds_clean(run: Run) -> None:
    assert "revision" in run("migrate").stdout
    done = run("audit")
    assert (done.returncode, done.stdout) == (0, "")
    assert "0 violations" in done.stderr


def test_people_are_imported_changed_and_refused_with_a_reason(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("login,name,skills,languages\nlin,林,returns:3 complaint:4,zh en\n", "utf-8")
    assert "lin: added, one-time password" in run("import", "agents", str(file)).stdout
    assert run("import", "agents", str(file)).stdout == "lin: changed\n"
    file.write_text("login,name,skills\nwang,王,juggling:3\n", "utf-8")
    assert "wang: not imported" in run("import", "agents", str(file)).stdout
    file.write_text("login,name\n,nobody\n", "utf-8")
    done = run("import", "agents", str(file))
    assert done.returncode == 1
    assert "row 2" in done.stderr


@pytest.mark.parametrize(
    ("kind", "row", "said"),
    [
        ("knowledge", {"question_zh": "怎么开发票", "answer_zh": "点申请发票"}, "articles"),
        ("products", {"title_zh": "云朵沙发"}, "products"),
        ("scripts", {"title": "问候", "wordings": {"any": {"zh": "您好"}}}, "scripts"),
    ],
)
def test_what_the_shop_has_written_is_imported_and_exported(
    run: Run, tmp_path: Path, kind: str, row: dict[str, object], said: str
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({"id": "a1", **row}) + "\n", "utf-8")
    done = run("import", kind, str(file))
    assert done.stdout == f"1 {said} are written, 1 of them new or different\n"
    csv = run("export", kind, "--format", "csv").stdout
    assert csv.count("a1") == 1
    (tmp_path / "again.csv").write_text(csv, "utf-8")
    again = run("import", kind, str(tmp_path / "again.csv"))
    assert again.stdout == f"1 {said} are written, 0 of them new or different\n"
    file.write_text(json.dumps({"id": "a1"}) + "\n", "utf-8")
    refused = run("import", kind, str(file))
    assert refused.returncode == 1
    assert f"{file}: line 1: " in refused.stderr


def decoded(run: Run, *arguments: str) -> dict[str, object]:
    done = run("decode", *arguments)
    assert done.returncode == 0, done.stderr
    shown: dict[str, object] = json.loads(done.stdout)
    return shown


def test_decode_shows_why_a_webhook_was_refused(run: Run, tmp_path: Path) -> None:
    known = vector("wechat-handshake")
    query = {key: known["inputs"][key] for key in ("timestamp", "nonce", "echostr")}
    request = {"method": "GET", "path": "/hooks/wechat", "headers": {}, "body": ""}
    good = {**request, "query": {**query, "signature": known["outputs"]["signature"]}}
    forged = {**request, "query": {**query, "signature": "0" * 40}}
    file = tmp_path / "capture.json"
    file.write_text(
        json.dumps(
            {
                "config": {"token": known["inputs"]["token"]},
                "now": "2025-10-09T08:53:20Z",
                "steps": [{"request": good}, {"request": forged}],
            }
        )
    )
    first, second = decoded(run, "wechat", str(file))["steps"]  # type: ignore[misc]
    assert first["verified"] is True
    assert first["answer"]["body"] == known["inputs"]["echostr"]
    assert second["verified"] is False
    assert second["error"].startswith("Unverified")


def test_decode_reads_a_send_apis_answer(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "answer.json"
    file.write_text('{"errcode":45047,"errmsg":"out of response count limit"}')
    (step,) = decoded(run, "wechat", "--response", str(file))["steps"]  # type: ignore[misc]
    assert step["outcome"]["type"] == "Refused"
    assert step["outcome"]["reason"] == "quota"


def test_decode_reads_an_uploaded_file(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "call.srt"
    file.write_text("1\n00:00:00,500 --> 00:00:02,100\nCustomer: 我要退货\n\n", "utf-8")
    (step,) = decoded(run, "transcript_upload", "--file", str(file))["steps"]  # type: ignore[misc]
    turn = step["events"][0]
    assert (turn["type"], turn["text"], turn["by"]) == ("Turn", "我要退货", "contact")


@pytest.mark.parametrize(
    ("text", "said"),
    [("[]", "JSON object"), ("{", "not JSON"), ('{"steps": [{}]}', "steps[0]"), ("{}", "nothing")],
)
def test_decode_says_what_is_wrong_with_a_capture(
    run: Run, tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "capture.json"
    file.write_text(text)
    done = run("decode", "wechat", str(file))
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_decode_names_the_channels_when_it_does_not_know_one(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "capture.json"
    file.write_text("{}")
    done = run("decode", "pigeon", str(file))
    assert done.returncode == 1
    assert "wechat" in done.stderr


def test_bench_reading_says_how_many_messages_a_core_reads(run: Run) -> None:
    done = run("bench", "reading", "--rules", "--count", "40")
    assert done.returncode == 0, done.stderr
    assert re.search(r"reader +rules/\d+\nmessages +40\n", done.stdout)
    assert re.search(r"a_second_of_cpu +\d+\nmedian_ms +[\d.]+\np95_ms +[\d.]+\n", done.stdout)


def test_a_day_without_anything_recorded_is_said_so(run: Run) -> None:
    for command in ("whatif", "staffing"):
        done = run(command, "--day", "2026-11-11")
        assert done.returncode == 1
        assert "day: on 2026-11-11 nobody waited" in done.stderr
        assert "Traceback" not in done.stderr


def test_what_if_names_what_it_does_not_know(run: Run) -> None:
    unknown = run("whatif", "--day", "2026-11-11", "--agents", "+2", "--skill", "juggling=3")
    assert unknown.returncode == 1
    assert "--skill: no skill juggling; there are" in unknown.stderr
    many = run("whatif", "--day", "2026-11-11", "--agents", "many")
    assert many.returncode == 2
    assert "is not a number of agents; write +5 or -3" in many.stderr
