"""Each channel's page has its limits as the code has them; LIMITS_UPDATE=1 writes them anew."""

import os
import re
from datetime import timedelta
from pathlib import Path

import pytest

from router.channel.contract import Capabilities, Window
from router.channel.registry import channels

ROOT = Path(__file__).parents[2]
UPDATE = os.environ.get("LIMITS_UPDATE") == "1"
HEADING = "## Limits · 限制\n\n"
OURS = frozenset({"webchat", "inapp", "transcript", "standard"})
_BLOCK = re.compile(re.escape(HEADING) + r"(?:\|[^\n]*\n)+")
_UNITS = {"characters": "characters · 字符", "bytes": "bytes of UTF-8 · UTF-8 字节"}


def table(can: Capabilities) -> str:
    """Return what a channel's page says about what it can carry."""
    rows = [("can be answered · 可回复", _yes(yes=can.replies))]
    if can.replies:
        rows += [
            ("longest text · 文字上限", f"{can.max_text} {_UNITS[can.text_unit]}"),
            ("files out · 可发文件", ", ".join(sorted(can.media_out)) or "as links · 以链接发送"),
            ("reply windows · 回复时限", _windows(can.windows)),
            ("sends a second · 每秒发送", f"{can.sends_per_second or '–'}"),
            ("said twice, arrives once · 重发不重复", _yes(yes=can.idempotent_sends)),
        ]
    rows.append(("files in · 可收文件", ", ".join(sorted(can.media_in)) or "–"))
    if can.public:
        readers = ", ".join(can.public_answers) if can.replies else ""
        rows.append(("public words are answered · 公开发言的回复", readers or "–"))
    rows += [
        ("recalls · 撤回", _yes(yes=can.recalls_in)),
        ("receipts · 回执", _yes(yes=can.receipts)),
    ]
    return "| | |\n|---|---|\n" + "".join(f"| {name} | {value} |\n" for name, value in rows)


def _yes(*, yes: bool) -> str:
    return "yes · 是" if yes else "no · 否"


def _windows(windows: tuple[Window, ...]) -> str:
    return "; ".join(map(_window, windows)) or "none · 无"


def _window(window: Window) -> str:
    hours = window.lasts / timedelta(hours=1)
    lasts = f"{hours:g} h" if hours >= 1 else f"{hours * 60:g} min"
    sends = f", {window.sends} ×" if window.sends is not None else ""
    readers = f" ({window.audience})" if window.audience is not None else ""
    return f"{window.kind}{readers}: {lasts}{sends}"


def written(page: str, limits: str) -> str:
    """Return the page with these limits, before what is unverified or at its end."""
    block = HEADING + limits
    if _BLOCK.search(page):
        return _BLOCK.sub(lambda _: block, page)
    head, mark, rest = page.partition("## Unverified")
    return f"{head.rstrip()}\n\n{block}\n{mark}{rest}".rstrip() + "\n"


@pytest.mark.parametrize("name", sorted(channels()))
def test_a_channels_page_has_the_limits_of_its_code(name: str) -> None:
    path = ROOT / "adapters" / name / "README.md"
    page = path.read_text("utf-8")
    wanted = written(page, table(channels()[name].capabilities))
    if UPDATE:
        path.write_text(wanted, "utf-8")
        return
    assert page == wanted, "run it with LIMITS_UPDATE=1 and look at what it wrote"


@pytest.mark.parametrize("name", sorted(channels()))
def test_a_channels_page_is_in_both_languages_and_says_what_every_setting_is(name: str) -> None:
    page = (ROOT / "adapters" / name / "README.md").read_text("utf-8")
    settings = channels()[name].settings.__struct_fields__
    assert [each for each in settings if f"`{each}`" not in page] == []
    chinese = len(re.findall(r"[\u4e00-\u9fff]", page))
    assert chinese > 150, f"{chinese} Chinese characters"
    ours = name in OURS  # nothing of a protocol of our own is a guess
    assert ours or re.search(r"unverified|未经证实", page, re.IGNORECASE)
