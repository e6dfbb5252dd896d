"""What bots did: answered, asked back, handed over and why, failed and why, and what it cost."""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec

from router.domain.botcounts import BotTally, Did
from router.domain.workforce import Role
from router.service.botcounts import bot_counts
from router.web.api.operations import Asked, Operations
from router.web.api.shapes import Shape

operations = Operations("figures")


class BotCountsQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Over how many days up to now, 90 at most."""

    days: Annotated[int, msgspec.Meta(ge=1, le=90)] = 30


class BotTallyShape(Shape, frozen=True):
    """How often; ``tokens`` is what models were paid for."""

    answered: int
    asked_back: int
    handed_over: int
    failed: int
    tokens: int


class BotDayShape(Shape, frozen=True):
    """A day, as 2026-11-11; ``share`` is that of the conversations that a bot settled alone."""

    day: str
    tally: BotTallyShape
    conversations: int
    alone: int
    share: float | None


class NamedBotShape(Shape, frozen=True):
    """What one bot did; the built-in one is ``built_in``."""

    bot: str
    tally: BotTallyShape


class ReasonShape(Shape, frozen=True):
    """Why a bot handed over or failed, as a stable code, and how often."""

    bot: str
    did: Did
    why: str
    times: int


class BotCountsShape(Shape, frozen=True):
    """What bots did in a time; days newest first, reasons most frequent first."""

    since: datetime
    until: datetime
    total: BotTallyShape
    conversations: int
    alone: int
    share: float | None
    days: tuple[BotDayShape, ...]
    bots: tuple[NamedBotShape, ...]
    reasons: tuple[ReasonShape, ...]


@operations.add(
    "GET", "/figures/bots", answer=BotCountsShape, query=BotCountsQuery, role=Role.SUPERVISOR
)
async def get_bot_counts(asked: Asked) -> BotCountsShape:
    """Count what bots did in the last days, by day, by bot and by reason."""
    since = asked.at - timedelta(days=asked.query.days)
    found = await asked.deps.store.read(
        bot_counts, since=since, until=asked.at, policy=asked.deps.policy
    )
    return BotCountsShape(
        since=since,
        until=asked.at,
        total=_tally(found.total),
        conversations=found.conversations,
        alone=found.alone,
        share=found.share,
        days=tuple(
            BotDayShape(
                day=each.day,
                tally=_tally(each.tally),
                conversations=each.conversations,
                alone=each.alone,
                share=each.share,
            )
            for each in found.days
        ),
        bots=tuple(NamedBotShape(bot=name, tally=_tally(each)) for name, each in found.bots),
        reasons=tuple(map(ReasonShape.of, found.reasons)),
    )


def _tally(value: BotTally) -> BotTallyShape:
    return BotTallyShape.of(value)
