"""The documents hold together: blocks run or parse, links lead somewhere, both languages agree."""

import ast
import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import click
import pytest

from router.channel.capture import decode_capture
from router.channel.registry import channels
from router.cli.main import main
from router.domain.ids import AccountName
from router.settings.files import ChannelFile, Problem, read_struct
from router.settings.load import load

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("adapters/*/README.md"),
    ]
)
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)


def blocks(language: str) -> list[tuple[str, str]]:
    return [
        (f"{path.relative_to(ROOT)}:{number}", text)
        for path in PAGES
        for number, (kind, text) in enumerate(_FENCE.findall(path.read_text("utf-8")))
        if kind == language
    ]


def prose(path: Path) -> str:
    return _FENCE.sub("", path.read_text("utf-8"))


def named(language: str) -> pytest.MarkDecorator:
    found = blocks(language)
    return pytest.mark.parametrize("text", [text for _, text in found], ids=[at for at, _ in found])


def lines(script: str) -> Iterator[list[str]]:
    """Yield the words of each command of a script; a line that goes on is one."""
    for line in script.replace("\\\n", " ").splitlines():
        words = line.split()
        if words and not words[0].startswith("#"):
            yield words


@named("toml")
def test_toml_parses_and_an_account_has_known_keys(text: str) -> None:
    read = tomllib.loads(text)
    problems: list[Problem] = []
    if "channel" in read:
        file = read_struct(ChannelFile, read, "example", problems)
        assert file is not None, problems
        assert file.channel in channels()
        known = channels()[file.channel].settings.__struct_fields__
        assert set(file.settings) <= set(known)


@named("json")
def test_json_parses_and_a_capture_can_be_decoded(text: str) -> None:
    read = json.loads(text)
    if "steps" in read:
        shown = json.loads(decode_capture(channels()["weibo"], text.encode()))
        assert [step["verified"] for step in shown["steps"]] == [False]


@named("python")
def test_python_compiles(text: str) -> None:
    ast.parse(text)


@named("html")
def test_html_is_a_script_of_ours(text: str) -> None:
    seen: list[str] = []

    class Look(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append(str(dict(attrs)["src"]).partition("/static/")[2])

    Look().feed(text)
    assert seen
    assert all((ROOT / "router/web/static" / path).is_file() for path in seen)


@named("sh")
def test_a_script_is_one_that_the_shell_and_our_commands_understand(text: str) -> None:
    subprocess.run(["bash", "-n"], input=text.encode(), check=True)  # noqa: S607
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    for program, *words in lines(text):
        if program == "make":
            assert words[0] in targets
        elif program.endswith("mainstem"):
            understood(words)


def understood(words: list[str]) -> None:
    """Let click read a command line, without running it."""
    command: click.Command = main
    while isinstance(command, click.Group):
        command = command.commands[words[0]]
        words = words[1:]
    options = {name for each in command.params for name in each.opts}
    assert {word for word in words if word.startswith("--")} <= options
    places = [each for each in command.params if isinstance(each, click.Argument)]
    assert len(words) >= sum(each.required for each in places)


def anchors(path: Path) -> set[str]:
    """Return what headings can be pointed at, as forges name them."""
    titles = (title for _, title in _HEADING.findall(prose(path)))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for link in _LINK.findall(prose(path)):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        file, _, anchor = link.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), link
        if anchor:
            assert anchor in anchors(there), link


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_of_the_program_that_a_page_names_are_there(path: Path) -> None:
    named = re.findall(r"`((?:router|adapters|tests|config|docs)/[\w./-]+)`", prose(path))
    there = (each for each in named if "local" not in each and "NAME" not in each)
    assert [each for each in there if not (ROOT / each).exists()] == []


def test_the_two_readmes_have_the_same_shape() -> None:
    shapes = []
    for name in ("README.md", "README.zh.md"):
        text = (ROOT / name).read_text("utf-8")
        ranks = [len(marks) for marks, _ in _HEADING.findall(_FENCE.sub("", text))]
        shapes.append((ranks, _FENCE.findall(text)))
    assert shapes[0] == shapes[1]


def test_the_readmes_begin_with_the_first_promise_and_have_both_commands_and_a_picture() -> None:
    for name, promise in (("README.md", "No complaint is missed"), ("README.zh.md", "不漏掉")):
        text = (ROOT / name).read_text("utf-8")
        assert promise in text[:300]
        assert "```sh\nmake run\nmake test\n```" in text
    pictures = sorted((ROOT / "docs/images").glob("queues.*.png"))
    assert [each.name for each in pictures] == ["queues.en.png", "queues.zh.png"]
    assert all(each.stat().st_size <= 300_000 for each in pictures)


def test_the_readmes_first_channels_are_a_configuration_that_fits(tmp_path: Path) -> None:
    blocks_of_readme = [text for at, text in blocks("toml") if at.startswith("README.md")]
    folder = tmp_path / "config/channels"
    folder.mkdir(parents=True)
    for name, text in zip(("web-chat.toml", "wechat.toml"), blocks_of_readme, strict=True):
        (folder / name).write_text(text, "utf-8")
    secrets = {"WECHAT_TOKEN": "t", "WECHAT_APP_SECRET": "s"}
    key = {"WECHAT_ENCODING_AES_KEY": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"}
    places = {"MAINSTEM_CONFIG": str(folder.parent), "MAINSTEM_DATA": str(tmp_path)}

    accounts = load(environ={**secrets, **key, **places}).accounts

    assert accounts[AccountName("wechat")].settings.is_encrypted
    assert accounts[AccountName("web-chat")].settings.origins == ("https://www.shop.example",)


def test_each_decision_is_on_the_list_of_decisions() -> None:
    folder = ROOT / "docs/decisions"
    listed = set(_LINK.findall((folder / "README.md").read_text("utf-8")))
    assert listed == {path.name for path in folder.glob("*.md")} - {"README.md"}
