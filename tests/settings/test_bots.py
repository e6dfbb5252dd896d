"""Bots of bot.toml: found where they are wanted, with their secrets from the environment."""

import base64
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from router.domain.ids import AccountName, QueueName
from router.service.botport import BotKind
from router.settings.load import ConfigError, Settings, load

SIGNING = f"whsec_{base64.b64encode(bytes(24)).decode()}"
BOTS = """
use = "assistant"
handover = "assistant"
[accounts]
phone = "own"
[queues]
general = "rasa"
[bots.assistant]
kind = "model"
url = "https://llm.example/v1"
model = "small"
secret = { env = "BOT_KEY" }
[bots.rasa]
kind = "rasa"
url = "http://rasa.example:5005"
time_limit = "3s"
[bots.own]
kind = "webhook"
url = "https://bot.example/turns"
secret = { env = "BOT_SECRET" }
"""


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Settings]:
    """Return what reads a bot.toml laid over the shipped configuration."""

    def given(text: str, **environ: str) -> Settings:
        (tmp_path / "bot.toml").write_text(text, "utf-8")
        return load(
            environ={
                "MAINSTEM_CONFIG": str(tmp_path),
                "MAINSTEM_DATA": str(tmp_path / "data"),
                **environ,
            }
        )

    return given


def test_the_accounts_bot_goes_before_the_queues_and_the_shops(
    read: Callable[..., Settings],
) -> None:
    bots = read(BOTS, BOT_KEY="key-1", BOT_SECRET=SIGNING).bots
    names = [
        bots.name_for(AccountName(account), QueueName(queue))
        for account, queue in (("phone", "general"), ("chat", "general"), ("chat", "other"))
    ]
    assert names == ["own", "rasa", "assistant"]
    assert bots.writer == "assistant"
    model = bots.specs["assistant"]
    assert (model.kind, model.secret, model.fallback, model.any_question) == (
        BotKind.MODEL,
        "key-1",
        True,
        False,
    )
    assert bots.specs["rasa"].time_limit == timedelta(seconds=3)
    assert bots.takes_any(AccountName("phone"))
    assert not bots.takes_any(AccountName("chat"))
    assert "key-1" not in repr(bots)


def test_the_built_in_bot_answers_where_nothing_is_said(read: Callable[..., Settings]) -> None:
    bots = read("most_turns = 4").bots
    assert bots.spec_for(AccountName("phone"), QueueName("general")) is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('use = "nobody"', "use"),
        ('handover = "a"\n[bots.a]\nkind = "rasa"\nurl = "http://a"', "handover"),
        ('[accounts]\nnowhere = "built_in"', "accounts.nowhere"),
        ('[queues]\nattic = "built_in"', "queues.attic"),
        ('[bots.a]\nkind = "model"\nurl = "https://a.example"', "bots.a.model"),
        ('[bots.a]\nkind = "rasa"\nurl = "rasa:5005"', "bots.a.url"),
        ('[bots.a]\nkind = "rasa"\nurl = "http://a"\ntime_limit = "1h"', "bots.a.time_limit"),
        ('[bots.a]\nkind = "webhook"\nurl = "https://a.example"', "bots.a.secret"),
        ('[bots.a]\nkind = "rasa"\nurl = "http://a"\nsecret = "plain"', "bots.a.secret"),
        ('[bots.a]\nkind = "rasa"\nurl = "http://a"\nsecret = { env = "GONE" }', "bots.a.secret"),
        ('[bots.built_in]\nkind = "rasa"\nurl = "http://a"', "bots.built_in"),
        ('[bots.a]\nkind = "rasa"\nurl = "http://a"\nsurprise = 1', "bots.a.surprise"),
    ],
)
def test_every_mistake_is_named_with_its_key(
    read: Callable[..., Settings], text: str, key: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert [(each.file, each.key) for each in caught.value.problems] == [("bot.toml", key)]
