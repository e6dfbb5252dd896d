"""What exists is described: settings, commands, variables, log events, metrics and error codes."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest

from router.channel.registry import channels
from router.cli.main import main
from router.domain.events import KINDS
from router.settings import files
from router.web.phrases import PHRASES

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs/OPERATIONS.md").read_text("utf-8")
LOGS = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
SETTINGS = {
    "router.toml": files.RouterFile,
    "queues.toml": files.QueueFile,
    "skills.toml": files.SkillsFile,
    "routing.toml": files.RoutingFile,
    "cases.toml": files.CaseFile,
    "crisis.toml": files.CrisisFile,
    "hours.toml": files.HoursFile,
    "bot.toml": files.BotFile,
    "knowledge.toml": files.KnowledgeFile,
    "coach.toml": files.CoachFile,
    "channels/*.toml": files.ChannelFile,
}


@cache
def section(title: str) -> str:
    """Return what stands under a heading, down to the next one of its rank or above."""
    found = re.search(rf"^(#+) {re.escape(title)}$", OPERATIONS, re.MULTILINE)
    assert found, f"OPERATIONS.md has no section {title}"
    rest = OPERATIONS[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def described(word: str, text: str) -> bool:
    """Return whether a text names a word as code."""
    return f"`{word}`" in text


@cache
def sources() -> tuple[ast.Module, ...]:
    """Return the program as it is written."""
    paths = sorted((ROOT / "router").rglob("*.py"))
    return tuple(ast.parse(path.read_text("utf-8")) for path in paths)


def nodes(kind: type[Any]) -> Iterator[Any]:
    for module in sources():
        yield from (each for each in ast.walk(module) if isinstance(each, kind))


def first_text(call: ast.Call) -> str:
    match call.args:
        case [ast.Constant(value=str(text)), *_]:
            return text
        case _:
            return ""


def log_events() -> set[str]:
    return {
        first_text(call)
        for call in nodes(ast.Call)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in LOGS
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "log"
    }


def error_codes() -> set[str]:
    raised = {
        first_text(call)
        for call in nodes(ast.Call)
        if isinstance(call.func, ast.Name) and call.func.id == "Denied"
    }
    declared = {
        statement.value.value
        for body in nodes(ast.ClassDef)
        for statement in body.body
        if isinstance(statement, ast.Assign)
        and [ast.unparse(target) for target in statement.targets] == ["code"]
        and isinstance(statement.value, ast.Constant)
    }
    return (raised | declared | set(PHRASES["error"])) - {""}


def variables() -> set[str]:
    texts = (each.value for each in nodes(ast.Constant) if isinstance(each.value, str))
    found = {name for text in texts for name in re.findall(r"MAINSTEM_[A-Z_]*[A-Z]", text)}
    return {name for name in found if name != "MAINSTEM_"}


def metrics() -> set[str]:
    calls = (first_text(call) for call in nodes(ast.Call))
    cookies = {"mainstem_session", "mainstem_lang", "mainstem_visitor"}
    texts = {each.value for each in nodes(ast.Constant) if isinstance(each.value, str)}
    named = {text for text in texts if re.fullmatch(r"mainstem_[a-z_]+", text)}
    return (named | {text for text in calls if text.startswith("mainstem_")}) - cookies


def test_there_are_log_events_error_codes_and_metrics_to_describe() -> None:
    assert len(log_events()) > 40
    assert {"illegal_step", "window_closed", "csrf"} < error_codes()
    assert {"mainstem_deliveries", "mainstem_waiting"} < metrics()
    assert {"MAINSTEM_CONFIG", "MAINSTEM_DATA"} < variables()


@pytest.mark.parametrize(("file", "struct"), SETTINGS.items())
def test_every_setting_is_described_under_its_file(file: str, struct: type[msgspec.Struct]) -> None:
    missing = [
        field.name
        for field in msgspec.structs.fields(struct)
        if not described(field.name, section(file))
    ]
    assert missing == []


def test_every_shipped_file_has_a_section() -> None:
    shipped = {path.name for path in (ROOT / "config").glob("*.toml")}
    assert shipped == {name for name in SETTINGS if "/" not in name}


@pytest.mark.parametrize("name", sorted(channels()))
def test_every_setting_of_a_channel_is_described_on_its_page(name: str) -> None:
    page = (ROOT / "adapters" / name / "README.md").read_text("utf-8")
    fields = msgspec.structs.fields(channels()[name].settings)
    assert [each.name for each in fields if each.name not in page] == []


def test_the_list_of_channels_leads_to_the_page_of_each() -> None:
    index = (ROOT / "docs/channels/README.md").read_text("utf-8")
    assert [name for name in channels() if f"adapters/{name}/README.md" not in index] == []


def commands(group: click.Command, prefix: str = "mainstem") -> Iterator[tuple[str, click.Command]]:
    for name, command in getattr(group, "commands", {}).items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command


@pytest.mark.parametrize(
    ("name", "command"), tuple(commands(main)), ids=lambda each: str(each)[:40]
)
def test_every_command_and_option_is_described(name: str, command: click.Command) -> None:
    assert f"`{name}" in section("Commands")
    options = [each for each in command.params if isinstance(each, click.Option)]
    missing = [each.opts[0] for each in options if each.opts[0] not in OPERATIONS]
    assert missing == []


def test_every_environment_variable_is_described() -> None:
    assert [name for name in sorted(variables()) if not described(name, OPERATIONS)] == []


def test_every_log_event_is_described() -> None:
    assert [name for name in sorted(log_events()) if not described(name, section("Log"))] == []


def test_every_error_code_is_described() -> None:
    codes = section("Error codes")
    assert [code for code in sorted(error_codes()) if not described(code, codes)] == []


@pytest.mark.parametrize("topic", ["reason", "alert"])
def test_every_reason_and_alert_is_described(topic: str) -> None:
    assert [code for code in PHRASES[topic] if not described(code, OPERATIONS)] == []


def test_every_domain_event_is_described() -> None:
    text = section("Domain events")
    assert [kind for kind in KINDS if not described(kind, text)] == []


def test_every_metric_is_described() -> None:
    assert [name for name in sorted(metrics()) if not described(name, section("Watching"))] == []


def test_nothing_is_described_that_is_not_there() -> None:
    table = set(re.findall(r"`([a-z_]+)`", section("Log").partition("| event |")[2]))
    known = log_events() | {"send_attempts", "raw_kept", "questions_kept"}
    assert table - known == set()
    codes = set(re.findall(r"^\| `([a-z_]+)` \|", section("Error codes"), re.MULTILINE))
    assert codes - error_codes() == set()
