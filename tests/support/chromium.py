"""The browser of the page tests: this machine's Chromium, driven by Playwright and listened to."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, ConsoleMessage, Error, Page, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW_TO_INSTALL = """\
The browser tests need Chromium, and there is none on this machine.
    Debian:  apt-get install chromium fonts-noto-cjk
    Ubuntu:  install Google Chrome, or point to any Chromium with CHROMIUM=/path/to/chromium
    Fedora:  dnf install chromium google-noto-sans-cjk-fonts
    macOS:   brew install --cask chromium, then CHROMIUM=/Applications/Chromium.app/…/Chromium
All other tests run without it: make test PYTEST_ARGS="--ignore tests/browser" """
ARGUMENTS = (
    "--no-sandbox",  # a container's root may not make one
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PATIENCE = 10_000.0  # milliseconds that a page may take to show what a test looks for

OpenPage = Callable[..., Awaitable[Page]]
"""Opens a page for one more person; takes the options of ``Browser.new_context``."""


@dataclass  # without slots: Playwright hangs its wrappers on the owner of a handler
class Console:
    """What the pages of one test complained about."""

    complaints: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def expect(self, words: str) -> None:
        """Take a complaint with ``words`` in it as part of the test (a refused form, say)."""
        self.expected.append(words)

    def unexpected(self) -> list[str]:
        """Return what no test had reason to see."""
        return [said for said in self.complaints if not any(w in said for w in self.expected)]

    def listen(self, page: Page) -> None:
        """Note what ``page`` writes to the console as a warning or an error, and what it throws."""
        page.on("console", self._wrote)
        page.on("pageerror", self._threw)

    def _wrote(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            where = message.location.get("url", "")
            self.complaints.append(f"{message.type}: {message.text} ({where})")

    def _threw(self, error: Error) -> None:
        self.complaints.append(f"thrown: {error}")


def find_chromium() -> str | None:
    """Return the path of a Chromium: the variable ``CHROMIUM``, else what the path offers."""
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named)
    found = (shutil.which(name) for name in NAMES)
    return next((path for path in found if path is not None), None)


@asynccontextmanager
async def launched(chromium: str) -> AsyncIterator[Browser]:
    """Run a browser until the end of the block; takes about half a second."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=[*ARGUMENTS])
        try:
            yield browser
        finally:
            await browser.close()


def opener(browser: Browser, console: Console) -> OpenPage:
    """Return what opens pages in ``browser``, each with its own cookies, heard by ``console``."""

    async def open_page(**options: Any) -> Page:
        context = await browser.new_context(**{"locale": "en-GB", **options})
        context.set_default_timeout(PATIENCE)
        page = await context.new_page()
        console.listen(page)
        return page

    return open_page
