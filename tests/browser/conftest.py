"""Fixtures of the page tests: a shop behind its pages, and people signed in to it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Page

from router.domain.workforce import Presence, Role
from tests.browser.seed import PASSWORD, Shop, opened
from tests.support.chromium import OpenPage

SignIn = Callable[..., Awaitable[Page]]
"""Opens a page for one person and signs in; takes the login and options of a browser context."""


@pytest.fixture
async def shop(sqlite_database: str, tmp_path: Path) -> AsyncIterator[Shop]:
    """Run a shop with a supervisor, whose login is ``boss``, and nobody else."""
    async with opened(sqlite_database, tmp_path) as running:
        await running.staff("boss", "Boss", role=Role.ADMIN, presence=Presence.OFFLINE, skills={})
        yield running


@pytest.fixture
def sign_in(shop: Shop, open_page: OpenPage) -> SignIn:
    """Return how to sign in on a browser of one's own."""

    async def enter(login: str, **options: object) -> Page:
        page = await open_page(base_url=shop.url, **options)
        await page.goto("/signin")
        await page.locator("input[name=login]").fill(login)
        await page.locator("input[name=password]").fill(PASSWORD)
        await page.locator("input[name=password]").press("Enter")
        await page.wait_for_url(lambda url: "/signin" not in url)
        return page

    return enter
