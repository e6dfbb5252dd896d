"""`mainstem train`: learns from corrections, shows before and after, adopts what loses nothing."""

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from router.domain.ids import AgentId, ContactId, InteractionId
from router.domain.reading import Alarm, Intent, Labels, Reading
from router.readers.models import ADOPTED, opened
from router.service.records import Correction
from router.service.unit import Unit
from router.store.engine import open_store
from router.store.migrate import upgrade
from router.understanding.adopt import compared
from router.understanding.evaluate import Message
from router.understanding.model import open_model
from router.understanding.reader import RuleReader
from tests.cli.test_commands import Run, run
from tests.support.fakes import CountingIds, FixedClock

__all__ = ["run"]
AUTHORED = Path(__file__).parents[1] / "data" / "authored" / "messages_dev.jsonl"
ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "router" / "understanding"
COMPLAINT = {"id": "r1", "lang": "zh", "text": "桌腿一长一短，放水杯都滑下来", "complaint": 1}
QUESTION = {"id": "r2", "lang": "en", "text": "Is the bench made of oak?", "complaint": 0}


def rows() -> list[dict[str, object]]:
    """Return some of the authored messages."""
    read = [json.loads(line) for line in AUTHORED.read_text("utf-8").splitlines()]
    return read[::5]


def written(path: Path, lines: Iterable[dict[str, object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


def labelled(each: dict[str, object]) -> dict[str, object]:
    complaint = each["complaint"]
    return {
        **each,
        "intent": "after_sales" if complaint else "product",
        "severity": 2 if complaint else 0,
        "wants_human": 0,
        "sentiment": -0.5 if complaint else 0.0,
    }


async def corrected(url: str) -> None:
    """Keep two corrections of one message: the later one counts."""
    await upgrade(url)
    store = open_store(url, clock=FixedClock(), ids=CountingIds())

    def add(unit: Unit) -> None:
        for number, severity in ((1, 1), (2, 2)):
            unit.corrections.add(
                Correction(
                    id=f"c{number}",
                    interaction=InteractionId("said"),
                    contact=ContactId("ann"),
                    at=datetime(2026, 11, number, tzinfo=UTC),
                    by=AgentId("wang"),
                    text="桌腿可以当牙签",
                    labels=Labels(
                        complaint=True,
                        severity=severity,
                        intent=Intent.AFTER_SALES,
                        language="zh",
                        wants_human=False,
                    ),
                    before=None,
                )
            )

    await store.transact(add)
    await store.close()


@pytest.fixture
def train(run: Run, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Return what trains on given rows and says how it ended."""

    def command(training: list[dict[str, object]], *options: str) -> tuple[int, str]:
        folder = tmp_path / "training"
        written(folder / "some.jsonl", training)
        reference = written(tmp_path / "reference.jsonl", map(labelled, (COMPLAINT, QUESTION)))
        done = run("train", "--training", str(folder), "--reference", str(reference), *options)
        return done.returncode, done.stdout + done.stderr

    return command


def test_a_model_that_loses_nothing_is_adopted_and_used(
    train: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    asyncio.run(corrected(f"sqlite:///{data / 'mainstem.db'}"))
    code, said = train(rows(), "--out", str(tmp_path / "out"))
    assert code == 0, said
    assert "1 corrections" in said
    assert "complaint recall" in said
    assert "adopted as" in said
    assert "no text of any customer" in (tmp_path / "out" / "CARD.md").read_text("utf-8")
    held = opened(data)
    assert held.warning == ""
    assert "+1." in held.name
    (data / ADOPTED / "reader.npz").write_bytes(b"broken")
    fallen = opened(data)
    assert "reader.npz" in fallen.warning
    assert fallen.name == open_model().name


def test_a_model_that_alerts_on_everything_is_refused(
    train: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    upside_down = [{**each, "complaint": 1 - int(str(each["complaint"]))} for each in rows()]
    code, said = train(upside_down)
    assert code == 1, said
    assert "not adopted" in said
    assert not (tmp_path / "data" / ADOPTED).exists()


def test_a_complaint_that_only_the_old_reader_saw_is_lost() -> None:
    quiet, loud, grave, fine = (
        Message(id=name, text=name, lang="en", intent="other", complaint=here, severity=severity)
        for name, here, severity in (
            ("quiet", 1, 1),
            ("loud", 1, 2),
            ("grave", 1, 3),
            ("fine", 0, 0),
        )
    )
    old = {"quiet": Alarm.WATCH, "loud": Alarm.ALERT, "grave": Alarm.ALERT, "fine": Alarm.ALERT}
    new = {"quiet": Alarm.NONE, "loud": Alarm.WATCH, "grave": Alarm.WATCH, "fine": Alarm.NONE}
    found = compared(
        (quiet, loud, grave, fine),
        before=lambda text: read_as(old[text]),
        after=lambda text: read_as(new[text]),
    )
    assert found.lost == ("quiet", "grave")


def read_as(alarm: Alarm) -> Reading:
    return replace(RuleReader().read("table"), complaint=alarm)


def test_a_folder_without_messages_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = run("train", "--training", str(tmp_path / "empty"))
    assert done.returncode == 1
    assert "--training" in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_of_the_reference_set_is_trained_on() -> None:
    held_out = (SHIPPED / "reference" / "messages.jsonl").read_text("utf-8").splitlines()
    texts = {json.loads(line)["text"] for line in held_out}
    known = {
        json.loads(line)["text"]
        for file in (*(SHIPPED / "training").glob("*.jsonl"), AUTHORED)
        for line in file.read_text("utf-8").splitlines()
    }
    assert len(texts) == len(held_out) == 80
    assert texts.isdisjoint(known)


def test_a_broken_shipped_model_leaves_the_rules(tmp_path: Path) -> None:
    broken = tmp_path / "shipped"
    broken.mkdir()
    held = opened(tmp_path / "data", shipped=broken)
    assert held.name.startswith("rules/")
    assert "cannot be read" in held.warning
