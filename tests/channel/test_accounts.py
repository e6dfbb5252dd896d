"""An account is opened whole, or every problem with its settings is said at once."""

from typing import Any

import pytest

from router.channel.accounts import Account, BadSettings, open_account, shown_settings
from router.channel.registry import channels
from router.domain.ids import AccountName, QueueName

GOOD = {"token": "t0ken", "appid": "wx7f3c9a1b5d2e4680", "app_secret": "s3cret"}
PATH = "0123456789abcdef"


def opened(settings: dict[str, Any], *, path_secret: str = PATH) -> Account:
    return open_account(
        channels()["wechat"],
        name=AccountName("shop"),
        queue=QueueName("general"),
        settings=settings,
        path_secret=path_secret,
    )


def problems(settings: dict[str, Any], *, path_secret: str = PATH) -> tuple[str, ...]:
    with pytest.raises(BadSettings) as raised:
        opened(settings, path_secret=path_secret)
    return raised.value.problems


def test_an_account_holds_its_adapter() -> None:
    account = opened(GOOD)
    assert (account.name, account.queue, account.path_secret) == ("shop", "general", PATH)
    assert account.adapter.settings == account.settings


def test_every_problem_is_said_at_once() -> None:
    found = problems({"token": 7, "apid": "wx", "mode": "half"}, path_secret="short")
    said = "\n".join(found)
    assert "path_secret: wechat signs too little" in said
    assert "apid: wechat has no such setting; allowed are token, appid, app_secret" in said
    assert "appid: missing, wechat needs it" in said
    assert "app_secret: missing" in said
    assert "token: expected `str`, got `int`" in said
    assert "mode: invalid enum value 'half'" in said
    assert len(found) == 6


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"encoding_aes_key": "short"}, "expected an EncodingAESKey"),
        ({"mode": "safe"}, "mode safe needs an encoding_aes_key"),
        ({"mode": "compatible"}, "mode compatible needs an encoding_aes_key"),
        ({"token": ""}, "must not be empty"),
        ({"api_base": "api.weixin.qq.com"}, "starts with https://"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(more: dict[str, str], said: str) -> None:
    assert said in "\n".join(problems({**GOOD, **more}))


def test_secrets_are_not_shown_and_an_unset_one_is_seen_to_be_unset() -> None:
    shown = shown_settings(opened(GOOD))
    assert "t0ken" not in str(shown)
    assert "s3cret" not in str(shown)
    assert shown["appid"] == GOOD["appid"]
    assert shown["encoding_aes_key"] == ""
