"""What every player knows: where the daemon is, the accounts' secrets, how fast to play."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import structlog

from router.channel.accounts import Account
from router.cli.demo.platforms import Platforms
from router.cli.demo.scripts import Scripts
from router.domain.ids import AccountName
from router.service.ports import Clock, Ids
from router.settings.load import Settings

log = structlog.get_logger()

_OK = 300


class Refusal(Exception):
    """The daemon did not take what a player brought."""


@dataclass(slots=True, kw_only=True)
class Mood:
    """How full the shop is, as the supervisor last saw it; the players keep it lively."""

    waiting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The demonstration as its players see it."""

    settings: Settings
    scripts: Scripts
    platforms: Platforms
    http: aiohttp.ClientSession
    clock: Clock
    ids: Ids
    pace: float
    mood: Mood = field(default_factory=Mood)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def wait(self, seconds: float) -> None:
        """Let time pass, as fast as the demonstration is played."""
        await asyncio.sleep(seconds / self.pace)

    def account(self, name: str) -> Account:
        """Return an account of the daemon's."""
        return self.settings.accounts[AccountName(name)]

    def address(self, path: str) -> str:
        """Return an address of the daemon, as platforms and browsers call it."""
        return self.settings.public_url + path

    def hook(self, name: str) -> str:
        """Return the address of an account's webhook."""
        return self.address(f"/hooks/{name}/{self.account(name).path_secret}")

    async def bring(self, url: str, **request: Any) -> bytes:
        """Post a delivery as a platform does: again after a while if it is not taken.

        Raises `Refusal` if the daemon says that something is wrong with it.
        """
        for patience in (1.0, 2.0, 4.0, 8.0, None):
            async with self.http.post(url, **request) as answer:
                body = await answer.read()
                if answer.status < _OK:
                    return body
                if answer.status != 503 or patience is None:  # noqa: PLR2004  unavailable
                    raise Refusal(f"{answer.status}: {body[:200]!r}")
            await asyncio.sleep(patience)
        raise AssertionError("the last attempt returns or raises")


async def survive(who: str, act: Callable[[], Awaitable[None]]) -> None:
    """Play one part; what goes wrong in it is told in the log and hurts nobody else."""
    try:
        await act()
    except* (Refusal, aiohttp.ClientError, TimeoutError) as stopped:
        for error in stopped.exceptions:
            log.warning("player_stopped", who=who, why=str(error), kind=type(error).__name__)
