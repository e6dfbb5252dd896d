"""Channels are found by name, and a broken one is named with what to mend."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from router.channel.contract import Channel
from router.channel.registry import BrokenChannel, channels

CHANNEL = """
import msgspec
from router.channel.contract import Capabilities, Channel, Family

class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    token: str

CHANNEL = Channel(
    name="{name}", title={{"en": "Carrier pigeon", "zh": "信鸽"}}, family=Family.IM,
    transport="webhook", capabilities=Capabilities(replies=False), settings=Settings,
    build=lambda settings: settings, secrets=frozenset({{"token"}}),
)
"""


@pytest.fixture
def loft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a package of channels of its own, away from ours."""
    home = tmp_path / "loft"
    home.mkdir()
    (home / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield home
    for name in [name for name in sys.modules if name.partition(".")[0] == "loft"]:
        del sys.modules[name]


def settle(loft: Path, name: str, source: str) -> None:
    """Put a channel's folder into the package."""
    (loft / name).mkdir()
    (loft / name / "__init__.py").write_text(source, encoding="utf-8")


def found(group: str = "nobody.registers.here") -> dict[str, Channel]:
    """Return the channels in the package."""
    return dict(channels(package="loft", group=group))


def test_the_channels_that_ship_are_found_by_their_folders() -> None:
    ours = channels()
    assert {"wechat", "weibo"} <= set(ours)
    assert all(name == channel.name for name, channel in ours.items())
    assert not any(name.startswith("_") for name in ours)


def test_a_folder_is_all_that_a_new_channel_needs(loft: Path) -> None:
    settle(loft, "pigeon", CHANNEL.format(name="pigeon"))
    settle(loft, "_common", "raise RuntimeError('shared code is not a channel')")
    assert set(found()) == {"pigeon"}
    assert found()["pigeon"].title["zh"] == "信鸽"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import there_is_no_such_module", "loft.pigeon: it cannot be imported"),
        ("x = 1 +", "loft.pigeon: it cannot be imported"),
        ("CHANNEL = 'pigeon'", "expected CHANNEL to be"),
        ("", "expected CHANNEL to be"),
        (CHANNEL.format(name="dove"), "CHANNEL.name is 'dove', expected 'pigeon'"),
        (CHANNEL.format(name="pigeon").replace('"zh"', '"de"'), "the title lacks zh"),
        (CHANNEL.format(name="pigeon").replace('{"token"}', '{"key"}'), "secrets names no setting"),
        (
            CHANNEL.format(name="pigeon").replace(", forbid_unknown_fields=True", ""),
            "forbid_unknown_fields",
        ),
        (CHANNEL.format(name="pigeon").replace("=Settings", "=dict"), "must be a msgspec.Struct"),
    ],
)
def test_a_broken_channel_is_named_with_what_to_mend(loft: Path, source: str, said: str) -> None:
    settle(loft, "pigeon", source)
    with pytest.raises(BrokenChannel, match=said):
        found()


def announce(loft: Path, target: str) -> None:
    """Install a package's metadata that registers ``target``, as an installed one has it."""
    info = loft.parent / "elsewhere-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[loft.channels]\npigeon = {target}\n")


def test_a_package_elsewhere_registers_a_channel(loft: Path) -> None:
    (loft.parent / "loft_elsewhere.py").write_text(CHANNEL.format(name="pigeon"), encoding="utf-8")
    announce(loft, "loft_elsewhere:CHANNEL")
    assert set(found("loft.channels")) == {"pigeon"}


def test_two_channels_of_one_name_are_refused(loft: Path) -> None:
    settle(loft, "pigeon", CHANNEL.format(name="pigeon"))
    announce(loft, "loft.pigeon:CHANNEL")
    with pytest.raises(BrokenChannel, match="the channel name pigeon is already taken"):
        found("loft.channels")


def test_a_registration_that_leads_nowhere_is_named(loft: Path) -> None:
    announce(loft, "there_is_no_such_module:CHANNEL")
    with pytest.raises(BrokenChannel, match="entry point pigeon = there_is_no_such_module"):
        found("loft.channels")
