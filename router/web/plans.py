"""What the page and the API ask of the planner, checked and begun the same way."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec

from router.domain.errors import Invalid
from router.domain.ids import AgentId, Skill
from router.domain.policy import ShopPolicy
from router.domain.recorded import Changes, Goal
from router.domain.workforce import LEVELS
from router.service.plans import Job
from router.service.recorded import recorded_day
from router.web.deps import Deps

#: So many agents more or fewer at most, and so many plays of the day.
MOST_AGENTS, MOST_SEEDS = 500, 20
_MOST_VOLUME = 10.0


class WhatIfBody(msgspec.Struct, forbid_unknown_fields=True):
    """Which recorded day, and what is different.

    ``agents`` more (or fewer), who know ``skills`` (name → level; null: all that was needed, at
    level 3), serve ``families`` (none: all) and work from ``begins`` to ``ends`` (local ``HH:MM``).
    ``volume`` times what came; ``bot`` is the part of waits without a complaint that the bot keeps.
    """

    day: date
    agents: int = 0
    skills: dict[str, int] | None = None
    families: tuple[str, ...] = ()
    begins: str = ""
    ends: str = ""
    volume: float = 1.0
    bot: float = 0.0
    seeds: int = 3


class StaffingBody(msgspec.Struct, forbid_unknown_fields=True):
    """Which recorded day, and the promise: ``share`` answered within ``within`` seconds."""

    day: date
    share: float = 0.9
    within: float = 30.0
    seeds: int = 2


def changes_of(body: WhatIfBody, policy: ShopPolicy) -> Changes:
    """Return the changes that are asked for; raises Invalid with the field."""
    _within("agents", body.agents, -MOST_AGENTS, MOST_AGENTS)
    _within("volume", body.volume, 0.0, _MOST_VOLUME)
    _within("bot", body.bot, 0.0, 1.0)
    for name, level in (body.skills or {}).items():
        if name not in policy.skills:
            raise Invalid(f"skills: there is no skill {name}")
        _within("skills", level, LEVELS[0], LEVELS[-1])
    for family in body.families:
        if family not in policy.routing.family_weight:
            raise Invalid(f"families: there is no kind of channel {family}")
    begins = _moment("begins", body.day, body.begins, policy)
    ends = _moment("ends", body.day, body.ends, policy)
    if begins is not None and ends is not None and begins >= ends:
        raise Invalid("ends: must be after begins")
    skills = None if body.skills is None else {Skill(n): at for n, at in body.skills.items()}
    return Changes(
        agents=body.agents,
        skills=skills,
        families=frozenset(body.families),
        begins=begins,
        ends=ends,
        volume=body.volume,
        bot=body.bot,
    )


def goal_of(body: StaffingBody) -> Goal:
    """Return the promise that is asked for; raises Invalid with the field."""
    _within("share", body.share, 0.01, 1.0)
    _within("within", body.within, 1.0, 86_400.0)
    return Goal(share=body.share, within=timedelta(seconds=body.within))


async def begin(deps: Deps, body: WhatIfBody | StaffingBody, *, by: AgentId, at: datetime) -> Job:
    """Read the recorded day and begin to play it; raises Invalid."""
    _within("seeds", body.seeds, 1, MOST_SEEDS)
    policy = deps.policy
    play = changes_of(body, policy) if isinstance(body, WhatIfBody) else goal_of(body)
    day = await deps.store.read(recorded_day, body.day, policy=policy, families=deps.families)
    job = Job(
        id=deps.ids.new(),
        kind="whatif" if isinstance(body, WhatIfBody) else "staffing",
        asked=msgspec.to_builtins(body),
        by=by,
        at=at,
    )
    deps.plans.start(job, day=day, play=play, policy=policy, seeds=body.seeds)
    return job


def _within(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise Invalid(f"{name}: must be from {least:g} to {most:g}")


def _moment(name: str, day: date, text: str, policy: ShopPolicy) -> datetime | None:
    if not text:
        return None
    try:
        at = time.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"{name}: {text!r} is not a time such as 09:30") from error
    return datetime.combine(day, at, policy.hours.zone).astimezone(UTC)


def day_of(text: str) -> date:
    """Return a date of a form; raises Invalid."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid(f"day: {text!r} is not a date such as 2026-11-11") from error


def number_of(given: dict[str, Any], name: str, usual: float) -> float:
    """Return a number of a form, or ``usual`` where it was left empty; raises Invalid."""
    text = given.get(name, "")
    try:
        return float(text) if text else usual
    except ValueError as error:
        raise Invalid(f"{name}: {text!r} is not a number") from error
