"""Weibo's dates are read with their offset and their English months, whatever the locale."""

from datetime import UTC, datetime

import pytest

from adapters.weibo.wire import read_date
from router.channel.contract import Malformed


@pytest.mark.parametrize(
    ("given", "at"),
    [
        ("Mon Jul 16 18:09:20 +0800 2012", datetime(2012, 7, 16, 10, 9, 20, tzinfo=UTC)),
        ("Thu Oct 09 00:00:00 +0800 2025", datetime(2025, 10, 8, 16, 0, 0, tzinfo=UTC)),
        ("Thu Oct  9 00:00:00 +0800 2025", datetime(2025, 10, 8, 16, 0, 0, tzinfo=UTC)),
        ("Wed Dec 31 22:30:00 -0330 2025", datetime(2026, 1, 1, 2, 0, 0, tzinfo=UTC)),
    ],
)
def test_a_date_is_read_with_its_offset(given: str, at: datetime) -> None:
    assert read_date(given) == at


@pytest.mark.parametrize(
    "given",
    [
        *("", "1760000000", "Mon Jul 16 18:09:20 2012", "周一 7月 16 18:09:20 +0800 2012"),
        *("Mon Feb 30 18:09:20 +0800 2012", "Mon Jul 16 25:09:20 +0800 2012"),
        *("Mon Jul 16 18:09:20 +9999 2012", "Mon Jan 01 00:00:00 +0800 0001"),
    ],
)
def test_what_is_no_date_is_malformed(given: str) -> None:
    with pytest.raises(Malformed, match="created_at"):
        read_date(given)
