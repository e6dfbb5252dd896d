"""The configuration names every problem at once, and points at secrets instead of holding them."""

import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from router.domain.ids import QueueName
from router.settings.accounts import generated
from router.settings.files import duration
from router.settings.load import ConfigError, Settings, load

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return what writes files of an overlay folder; ``__`` in a name stands for a folder."""

    def put(**files: str) -> Path:
        for name, text in files.items():
            path = tmp_path / "config" / f"{name.replace('__', '/')}.toml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        return tmp_path

    return put


def read(folder: Path, **environ: str) -> Settings:
    return load(
        environ={
            "MAINSTEM_CONFIG": str(folder / "config"),
            "MAINSTEM_DATA": str(folder / "data"),
            **environ,
        }
    )


def problems(folder: Path, **environ: str) -> set[str]:
    with pytest.raises(ConfigError) as caught:
        read(folder, **environ)
    return {f"{each.file}: {each.key}" for each in caught.value.problems}


def test_every_problem_is_named_at_once_with_file_and_key(write: Write) -> None:
    folder = write(
        router='default_queue = "nowhere"\nsurprise = 1\nraw_kept = "soon"',
        queues='[general]\nneeds = { juggling = 9 }\n[general.overflow]\nafter = "1m"\nto = "moon"',
        routing="tie = -1.0\n[family_weight]\nim = 4.0",
        hours='zone = "Moon/Base"',
        channels__one='channel = "pigeon"\naccount = "one"\nqueue = "general"',
        channels__two='channel = "weibo"\naccount = "Two"\nqueue = "attic"',
    )
    assert problems(folder) >= {
        "router.toml: surprise",
        "queues.toml: general.needs.juggling",
        "queues.toml: general.overflow.to",
        "routing.toml: tie",
        "hours.toml: zone",
        "channels/one.toml: channel",
        "channels/two.toml: account",
        "router.toml: default_queue",
        "router.toml: raw_kept",
        "routing.toml: family_weight.im",
    }


def test_a_problem_in_a_queue_makes_none_of_those_who_name_it(write: Write) -> None:
    folder = write(
        queues='[attic]\ntitle = { en = "Attic", zh = "阁楼" }\nneeds = 3',
        router='default_queue = "attic"',
    )
    assert problems(folder) == {
        "queues.toml: attic.needs",
        "queues.toml: attic.service_level",
    }


def test_a_file_that_is_no_toml_is_named(write: Write) -> None:
    folder = write(queues="[general")
    assert any("queues.toml" in each for each in problems(folder))


def test_an_overlay_changes_what_it_names_and_leaves_the_rest(write: Write) -> None:
    folder = write(router='[shop]\nen = "Otter"\nzh = "水獭"', routing='offer_lasts = "45s"')
    settings = read(folder)
    assert settings.policy.shop["zh"] == "水獭"
    assert settings.policy.routing.offer_lasts == timedelta(seconds=45)
    assert settings.policy.routing.lapses_until_away == 2


def test_the_environment_wins_over_the_files(write: Write) -> None:
    settings = read(write(router='listen = "127.0.0.1:1"'), MAINSTEM_LISTEN="127.0.0.1:2")
    assert settings.port == 2


WEIBO = """
channel = "weibo"
account = "weibo"
queue = "general"
path_secret = { generate = "weibo-path" }
[settings]
app_secret = { env = "WEIBO_SECRET" }
access_token = { env = "WEIBO_TOKEN" }
"""


def test_a_secret_is_fetched_from_where_it_is_kept_and_never_shown(write: Write) -> None:
    folder = write(channels__weibo=WEIBO)
    settings = read(folder, WEIBO_SECRET="hush", WEIBO_TOKEN="psst")
    account = settings.accounts["weibo"]  # type: ignore[index]
    assert account.settings.app_secret == "hush"
    assert account.path_secret == (folder / "data/secrets/weibo-path").read_text()
    assert "hush" not in str(settings.shown)


def test_a_secret_that_is_not_there_is_named(write: Write) -> None:
    assert problems(write(channels__weibo=WEIBO), WEIBO_TOKEN="psst") == {
        "channels/weibo.toml: settings.app_secret"
    }


def test_a_pointer_in_the_overlay_replaces_the_one_below(write: Write) -> None:
    folder = write(channels__phone='[settings]\napi_key = { env = "PHONE_KEY" }')
    account = read(folder, PHONE_KEY="a-key-of-mine").accounts["phone"]  # type: ignore[index]
    assert account.settings.api_key == "a-key-of-mine"


def test_a_generated_secret_stays_the_same_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    first = generated(tmp_path, "web-chat-identity")
    assert generated(tmp_path, "web-chat-identity") == first
    assert len(first) >= 32
    mode = stat.S_IMODE((tmp_path / "secrets" / "web-chat-identity").stat().st_mode)
    assert mode == 0o600


@pytest.mark.parametrize("name", ["../escape", "", "a b"])
def test_a_generated_secrets_name_is_only_a_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        generated(tmp_path, name)


@pytest.mark.parametrize(
    ("text", "seconds"), [("20s", 20), ("1h30m", 5400), ("7d", 604800), ("250ms", 0.25)]
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "20", "s", "20 s", "-3m"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    assert duration(text) is None


def test_business_hours_and_holidays_are_read(write: Write) -> None:
    folder = write(hours='[week]\nmonday = ["09:00-12:00", "13:00-24:00"]\n[days]\n2027-02-08 = []')
    hours = read(folder).policy.hours
    assert len(hours.week[0]) == 2
    assert list(hours.days.values()) == [()]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[week]\nmonday = ["18:00-09:00"]', "hours.toml: week.monday"),
        ('[week]\nmoonday = ["09:00-18:00"]', "hours.toml: week.moonday"),
        ('[days]\n"first of May" = []', "hours.toml: days.first of May"),
    ],
)
def test_wrong_hours_are_named(write: Write, text: str, key: str) -> None:
    assert problems(write(hours=text)) == {key}


def test_a_queue_keeps_the_shop_s_hours_or_its_own(write: Write) -> None:
    own = '[general.hours]\nzone = "Asia/Tokyo"\n[general.hours.week]\nmonday = ["10:00-12:00"]'
    closed = '[presale]\nhours = "shop"\nclosed = { en = "Back at {opens}." }'
    policy = read(write(queues=f"{own}\n{closed}")).policy
    assert policy.queues[QueueName("general")].hours.zone.key == "Asia/Tokyo"
    assert policy.queues[QueueName("presale")].hours == policy.hours
    assert policy.queues[QueueName("presale")].closed == {"en": "Back at {opens}."}
    assert policy.queues[QueueName("complaints")].hours.always


def test_what_is_wrong_with_a_queue_s_hours_is_named(write: Write) -> None:
    own = '[general.hours]\nzone = "Moon/Base"\n[general.hours.week]\nmonday = ["12:00-10:00"]'
    found = problems(write(queues=f'{own}\n[presale]\nhours = "sometimes"'))
    assert {
        "queues.toml: general.hours.zone",
        "queues.toml: general.hours.week.monday",
        "queues.toml: presale.hours",
    } <= found
