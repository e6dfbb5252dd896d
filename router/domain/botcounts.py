"""What bots did, counted: answered, asked back, handed over and why, failed and why, and cost."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Did(StrEnum):
    """What a bot did with one thing that a customer said."""

    ANSWERED = "answered"
    ASKED_BACK = "asked_back"
    HANDED_OVER = "handed_over"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One thing that a bot did; ``day`` is as 2026-11-11 in the shop's time zone."""

    day: str
    bot: str
    did: Did
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BotTally:
    """How often; ``tokens`` is what models were paid for. Who failed may have handed over too."""

    answered: int = 0
    asked_back: int = 0
    handed_over: int = 0
    failed: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BotDay:
    """A day: what bots did, and how many of the conversations that closed a bot settled alone."""

    day: str
    tally: BotTally
    conversations: int
    alone: int

    @property
    def share(self) -> float | None:
        """Return the share that a bot settled alone; None if none closed."""
        return self.alone / self.conversations if self.conversations else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a bot handed over or failed, and how often."""

    bot: str
    did: Did
    why: str
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BotCounts:
    """All of a time: in total, by day (the newest first), by bot, and the reasons by frequency."""

    total: BotTally
    conversations: int
    alone: int
    days: tuple[BotDay, ...]
    bots: tuple[tuple[str, BotTally], ...]
    reasons: tuple[Reason, ...]

    @property
    def share(self) -> float | None:
        """Return the share of conversations that a bot settled alone; None if none closed."""
        return self.alone / self.conversations if self.conversations else None


@dataclass(slots=True)
class _Sum:
    did: Counter[Did] = field(default_factory=Counter)
    tokens: int = 0

    def tally(self) -> BotTally:
        return BotTally(
            answered=self.did[Did.ANSWERED],
            asked_back=self.did[Did.ASKED_BACK],
            handed_over=self.did[Did.HANDED_OVER],
            failed=self.did[Did.FAILED],
            tokens=self.tokens,
        )


def counted(
    deeds: Sequence[Deed],
    *,
    tokens: Mapping[tuple[str, str], int],
    closed: Iterable[tuple[str, bool]],
) -> BotCounts:
    """Count deeds, the tokens of each (day, bot), and (day, settled by a bot alone) of what closed.

    A bot that only cost something is among the bots, and a day on which only agents worked among
    the days.
    """
    total, by_day, by_bot = _Sum(), dict[str, _Sum](), dict[str, _Sum]()
    reasons: Counter[tuple[str, Did, str]] = Counter()
    for each in deeds:
        for held in (
            total,
            by_day.setdefault(each.day, _Sum()),
            by_bot.setdefault(each.bot, _Sum()),
        ):
            held.did[each.did] += 1
        if each.did in {Did.HANDED_OVER, Did.FAILED}:
            reasons[each.bot, each.did, each.why] += 1
    for (day, bot), spent in tokens.items():
        for held in (total, by_day.setdefault(day, _Sum()), by_bot.setdefault(bot, _Sum())):
            held.tokens += spent
    ended, alone = Counter[str](), Counter[str]()
    for day, settled in closed:
        ended[day] += 1
        alone[day] += settled
    days = sorted({*by_day, *ended}, reverse=True)
    return BotCounts(
        total=total.tally(),
        conversations=ended.total(),
        alone=alone.total(),
        days=tuple(
            BotDay(
                day=day,
                tally=by_day.get(day, _Sum()).tally(),
                conversations=ended[day],
                alone=alone[day],
            )
            for day in days
        ),
        bots=tuple((bot, held.tally()) for bot, held in sorted(by_bot.items())),
        reasons=tuple(
            Reason(bot=bot, did=did, why=why, times=times)
            for (bot, did, why), times in sorted(
                reasons.items(), key=lambda pair: (pair[0][1], -pair[1], pair[0])
            )
        ),
    )
