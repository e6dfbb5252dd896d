"""An account's settings stand on the page as they are written in its file."""

from datetime import timedelta

import pytest

from router.web.console.trouble import as_written


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        ("", "–"),
        ((), "–"),
        (True, "true"),
        (False, "false"),
        (587, "587"),
        ("mail.example", "mail.example"),
        (frozenset({"replace", "link"}), '["link", "replace"]'),
        (("a", "b"), '["a", "b"]'),
        ({"name": "小杉", "again": True}, '{ name = "小杉", again = true }'),
        (timedelta(seconds=90), "90 s"),
    ],
)
def test_a_value_is_shown_as_it_is_written(value: object, shown: str) -> None:
    assert as_written(value) == shown
