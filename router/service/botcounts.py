"""What bots did in a time, from the decisions that were written down and from what was paid."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Final

from router.domain.botcounts import BotCounts, Deed, Did, counted
from router.domain.policy import ShopPolicy
from router.service.botport import BUILT_IN
from router.service.figures import visits
from router.service.records import DecisionRecord
from router.service.unit import Unit

#: What a bot decides, and the outcome of a conversation that it settled alone.
SPOKE: Final = "bot_turn"
HANDED: Final = "bot_hands_over"
ALONE: Final = "answered_by_bot"
#: Why a bot outside gave nothing that can be used.
FAILURES: Final = frozenset(
    {
        "bot_slow",
        "bot_unreachable",
        "bot_denied",
        "bot_busy",
        "bot_error",
        "bot_malformed",
        "bot_refuses",
        "bot_rests",
        "bot_interrupted",
    }
)


def bot_counts(unit: Unit, *, since: datetime, until: datetime, policy: ShopPolicy) -> BotCounts:
    """Return what bots did in a time, by day of the shop's time zone, by bot, and why."""
    zone = policy.hours.zone
    decided = unit.journal.decided_between(since, until, kinds=(SPOKE, HANDED))
    tokens: Counter[tuple[str, str]] = Counter()
    for turn in unit.bot_turns.asked_between(since, until):
        if turn.tokens:
            tokens[_day(turn.asked_at, zone), turn.bot] += turn.tokens
    return counted(
        [deed for each in decided for deed in _deeds(each, zone)],
        tokens=tokens,
        closed=[
            (_day(each.closed_at, zone), each.disposition == ALONE)
            for each in visits(unit.conversations.ended_between(since, until))
        ],
    )


def _day(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).date().isoformat()


def _deeds(decided: DecisionRecord, zone: tzinfo) -> Iterator[Deed]:
    """Return what a decision tells: what failed before it, and what was done then."""
    day, because = _day(decided.at, zone), decided.because
    why, bot = str(because.get("why", "")), str(because.get("bot", BUILT_IN))
    if because.get("failed") and because["failed"] != "cost_limit":
        failed, by = str(because["failed"]), str(because.get("instead_of", bot))
        yield Deed(day=day, bot=by, did=Did.FAILED, why=failed)
    elif because.get("fault"):
        yield Deed(day=day, bot=bot, did=Did.FAILED, why=str(because["fault"]))
    elif why in FAILURES:
        yield Deed(day=day, bot=bot, did=Did.FAILED, why=why)
    if decided.kind == HANDED:
        yield Deed(day=day, bot=bot, did=Did.HANDED_OVER, why=why)
    else:
        asked = why in {"ask_back", "bot_refused"}
        yield Deed(day=day, bot=bot, did=Did.ASKED_BACK if asked else Did.ANSWERED, why=why)
