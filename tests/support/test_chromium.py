"""The browser of the page tests hears what a page complains about."""

import pytest
from playwright.async_api import Page

from tests.support import chromium as browsers
from tests.support.chromium import Console, OpenPage


async def test_what_a_page_throws_or_logs_is_heard(page: Page, console: Console) -> None:
    async with page.expect_event("pageerror"):
        await page.set_content("<script>throw new Error('the desk fell over')</script>")
    async with page.expect_console_message():
        await page.evaluate("() => console.warn('and the chair')")

    console.expect("the desk fell over")

    assert console.unexpected() == ["warning: and the chair ()"]
    console.expect("and the chair")


async def test_two_people_have_cookies_and_languages_of_their_own(open_page: OpenPage) -> None:
    one, other = await open_page(), await open_page(locale="zh-CN")
    assert await one.evaluate("navigator.language") == "en-GB"
    assert await other.evaluate("navigator.language") == "zh-CN"
    assert one.context is not other.context


def test_the_variable_chromium_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    assert browsers.find_chromium() is None
