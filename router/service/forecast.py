"""Counting what needs a person, from the event log, and foreseeing it from the counts.

Each event is counted once: the place in the log that was reached is kept with the counts.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from router.domain.conversation import Conversation
from router.domain.events import Logged
from router.domain.forecast import (
    AHEAD,
    LOOKS_BACK,
    QUARTER,
    Demand,
    Foresight,
    foresee,
    quarter_of,
)
from router.domain.ids import AccountName, Skill
from router.domain.policy import ShopPolicy
from router.domain.score import weight_of
from router.service.floor import waiting_entry
from router.service.ports import Conflict
from router.service.unit import Unit

_REACHED = "demand_reached"
_SINCE = "demand_since"
_AT_ONCE = 500
#: By then a conversation has been read, and it is known whether the bot took it.
_SETTLED = timedelta(minutes=1)
#: A new wait for a person begins with each of these.
_BEGINS = frozenset({"handed_to_human", "conversation_queued", "conversation_transferred"})
_HISTORY = 20
_QUARTERS_A_DAY = 96


def tally(
    unit: Unit,
    *,
    policy: ShopPolicy,
    families: Mapping[AccountName, str],
    lease: str,
    fence: int,
    at: datetime,
) -> bool:
    """Count what has come to need a person since the last time; return whether there may be more.

    Raises Conflict if another daemon holds the lease by now.
    """
    held = unit.journal.leased(lease)
    if held is None or held.fence != fence:
        raise Conflict("another daemon counts by now")
    reached = int(unit.journal.meta(_REACHED) or 0)
    page = unit.journal.events_since(reached, limit=_AT_ONCE)
    settled = [each for each in page if each.at <= at - _SETTLED]
    if not settled:
        return False
    if unit.journal.meta(_SINCE) is None:
        unit.journal.set_meta(_SINCE, settled[0].at.astimezone(UTC).isoformat())
    for each in _summed(unit, settled, policy, families):
        unit.demands.add(each, time_of_day=time_of_day(each.quarter, policy))
    unit.journal.set_meta(_REACHED, str(settled[-1].seq))
    return len(settled) == _AT_ONCE


def time_of_day(quarter: datetime, policy: ShopPolicy) -> int:
    """Return the quarter's number in the shop's day, from 0 to 95."""
    local = quarter.astimezone(policy.hours.zone)
    return (local.hour * 60 + local.minute) // 15


def foreseen(unit: Unit, *, policy: ShopPolicy, at: datetime) -> Foresight | None:
    """Return what is expected from now on; None before anything was counted."""
    began = unit.journal.meta(_SINCE)
    if began is None:
        return None
    since = datetime.fromisoformat(began)
    first = time_of_day(quarter_of(at), policy)
    around = range(first - 5, first + AHEAD + 1)  # an hour back, as far as it looks, one more each
    history = unit.demands.at_times(
        {each % _QUARTERS_A_DAY for each in around},
        since=at - LOOKS_BACK - QUARTER,
        until=at + QUARTER,
    )
    return foresee(history, since=since, until=at, policy=policy)


def _summed(
    unit: Unit,
    logged: list[Logged],
    policy: ShopPolicy,
    families: Mapping[AccountName, str],
) -> list[Demand]:
    counts: dict[tuple[datetime, str, Skill | None], int] = defaultdict(int)
    weights: dict[tuple[datetime, str, Skill | None], float] = defaultdict(float)
    for each in logged:
        held = _needing(unit, each)
        if held is None:
            continue
        family = families.get(held.account, "im")
        weight = weight_of(waiting_entry(unit, held, family=family, policy=policy), policy.routing)
        for skill in (None, *(need.skill for need in held.needs)):
            name = (quarter_of(each.at), family, skill)
            counts[name] += 1
            weights[name] += weight
    return [
        Demand(quarter=name[0], family=name[1], skill=name[2], count=count, weight=weights[name])
        for name, count in sorted(counts.items(), key=lambda item: (item[0][0], str(item[0])))
    ]


def _needing(unit: Unit, logged: Logged) -> Conversation | None:
    """Return the conversation that began to need a person with this event, if one did."""
    event = logged.event
    if event.conversation is None:
        return None
    if event.kind in _BEGINS:
        return unit.conversations.get(event.conversation)
    if event.kind != "conversation_opened":
        return None
    later = unit.journal.history(conversation=event.conversation, limit=_HISTORY)
    if any(each.event.kind == "handed_to_bot" for _, each in later):
        return None  # it counts when the bot hands it over, if it does
    return unit.conversations.get(event.conversation)
