"""`mainstem evaluate`: the figures, and one row a prediction."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from router.cli.main import main

AUTHORED = Path(__file__).parent.parent / "data" / "authored"


def some(name: str, folder: Path, count: int) -> Path:
    lines = (AUTHORED / name).read_text("utf-8").splitlines()
    path = folder / name
    path.write_text("\n".join(lines[:: max(1, len(lines) // count)]), encoding="utf-8")
    return path


def run(*args: str | Path) -> str:
    result = CliRunner().invoke(main, ["evaluate", *map(str, args)])
    assert result.exit_code == 0, result.output
    return result.output


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_messages_are_measured_and_predicted(tmp_path: Path) -> None:
    file, out = some("messages_dev.jsonl", tmp_path, 30), tmp_path / "out.jsonl"
    told = run("understanding", file, "--predictions", out)
    assert "complaint recall" in told
    assert "labelled / given" in told
    assert "calibration" in told
    assert [row["id"] for row in rows(out)] == [row["id"] for row in rows(file)]
    assert set(rows(out)[0]) == {
        "id",
        "lang",
        "intent",
        "complaint",
        "complaint_score",
        "severity",
        "wants_human",
        "sentiment",
        "ms",
    }


def test_questions_are_answered_from_the_given_articles(tmp_path: Path) -> None:
    file, out = some("faq_questions_dev.jsonl", tmp_path, 30), tmp_path / "out.jsonl"
    told = run("faq", "--knowledge", AUTHORED / "faq_kb.jsonl", file, "--predictions", out)
    assert "common precision" in told
    assert set(rows(out)[0]) == {"id", "faq_id", "score", "answered", "top3", "ms"}
    assert all(row["faq_id"] == (row["top3"] or [""])[0] for row in rows(out))


def test_more_wordings_answer_more(tmp_path: Path) -> None:
    questions = AUTHORED / "faq_questions_dev.jsonl"
    file, out = some("faq_questions_dev.jsonl", tmp_path, 60), tmp_path / "out.jsonl"
    knowledge = ("--knowledge", AUTHORED / "faq_kb.jsonl", "--rules", "--predictions", out)
    run("faq", *knowledge, file)
    few = sum(row["answered"] for row in rows(out))
    run("faq", *knowledge, "--wordings", questions, file)
    assert sum(row["answered"] for row in rows(out)) > few


def test_numbers_are_measured_and_predicted(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    told = run("extraction", AUTHORED / "extraction_dev.jsonl", "--predictions", out)
    assert told.startswith("precision ")
    assert {key for row in rows(out) for each in row["entities"] for key in each} == {
        "type",
        "value",
    }


def test_conversations_are_followed(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    told = run("conversations", AUTHORED / "conversations_dev.jsonl", "--predictions", out)
    assert "escalate recall         1.000" in told
    first = rows(out)[0]
    assert set(first) == {"id", "turns", "trend", "escalate"}
    assert set(first["turns"][0]) == {"anger", "repeat"}


def test_unlabelled_rows_are_read_all_the_same(tmp_path: Path) -> None:
    file, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    file.write_text('{"id": "1", "text": "什么时候发货"}\n', encoding="utf-8")
    told = run("understanding", file, "--rules", "--predictions", out)
    assert "recall" not in told
    assert rows(out)[0]["lang"] == "zh"


@pytest.mark.parametrize("text", ['{"id": 1}', "no json", '{"id": "1"}'])
def test_a_file_that_is_none_is_refused_by_name(text: str, tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    file.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(main, ["evaluate", "understanding", "--rules", str(file)])
    assert result.exit_code == 1
    assert "in.jsonl" in result.output
