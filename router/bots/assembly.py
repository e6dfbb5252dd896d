"""Opens the bots that bot.toml names, over one pooled session."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp

from router.bots.briefing import ModelWriter
from router.bots.model import Model
from router.bots.rasa import Rasa
from router.bots.webhook import Webhook
from router.service.botport import Bot, BotKind, BotSpec

_CONNECTIONS = 32
_CONNECT_S = 5.0
_KINDS: Mapping[BotKind, type[Model | Rasa | Webhook]] = {
    BotKind.MODEL: Model,
    BotKind.RASA: Rasa,
    BotKind.WEBHOOK: Webhook,
}


@asynccontextmanager
async def open_bots(specs: Mapping[str, BotSpec]) -> AsyncIterator[Mapping[str, Bot]]:
    """Open them until the end of the block. The time limit of an answer is the caller's."""
    longest = max((each.time_limit.total_seconds() for each in specs.values()), default=1.0)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=longest + 1.0, connect=_CONNECT_S),
        headers={"user-agent": "Mainstem"},
    ) as session:
        yield {name: _KINDS[each.kind](spec=each, session=session) for name, each in specs.items()}


def writer_named(name: str, bots: Mapping[str, Bot]) -> ModelWriter | None:
    """Return the model of that name as one that sums up; None if there is no such model."""
    model = bots.get(name)
    return ModelWriter(model=model) if isinstance(model, Model) else None
