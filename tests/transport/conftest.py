"""Fixtures of the way out: a platform to call and the daemon's side of it."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from router.store.engine import SqlStore
from tests.support.fakes import CountingIds, FixedClock
from tests.transport.certificates import a_certificate
from tests.transport.platform import Platform, a_platform
from tests.transport.rig import Rig, a_rig, settings, wechat, weibo


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    """Run a platform for this test."""
    async with a_platform() as running:
        yield running


@pytest.fixture
async def rig(
    sqlite_store: SqlStore,
    clock: FixedClock,
    ids: CountingIds,
    platform: Platform,
    tmp_path: Path,
) -> AsyncIterator[Rig]:
    """Build a daemon's way out, with a WeChat and a Weibo account of the platform."""
    accounts = [wechat(platform.url), weibo(platform.url)]
    given = settings(tmp_path / "media")
    async with a_rig(sqlite_store, clock, ids, accounts=accounts, given=given) as built:
        yield built


@pytest.fixture
async def rig_on_both(
    store: SqlStore,
    clock: FixedClock,
    ids: CountingIds,
    platform: Platform,
    tmp_path: Path,
) -> AsyncIterator[Rig]:
    """Build the same on each database, for what depends on who locks what."""
    accounts = [wechat(platform.url), weibo(platform.url)]
    given = settings(tmp_path / "media")
    async with a_rig(store, clock, ids, accounts=accounts, given=given) as built:
        yield built


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make a certificate of this test's own; return the server's side and who trusts it."""
    return a_certificate(tmp_path)
