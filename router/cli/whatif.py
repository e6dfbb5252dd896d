"""The commands that play a recorded day again: other staffing, and how much staffing it needed."""

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import click

from router.cli.admin import opened
from router.daemon import families
from router.domain.ids import Skill
from router.domain.policy import ShopPolicy
from router.domain.recorded import Changes, Goal, RecordedDay
from router.domain.workforce import LEVELS
from router.service.recorded import recorded_day
from router.service.unit import Unit
from router.settings.files import duration
from router.settings.load import ConfigError, Settings, load
from router.sim.shown import as_answer, as_needed, table
from router.sim.staffing import staffing
from router.sim.whatif import NothingRecorded, what_if

_NUMBER = re.compile(r"[+-]?\d{1,4}")
_SKILL = re.compile(r"([A-Za-z0-9_.-]+)=([1-5])")


class _Agents(click.ParamType[int]):
    name = "±N"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        if isinstance(value, int):
            return value
        if not _NUMBER.fullmatch(value):
            self.fail(f"{value!r} is not a number of agents; write +5 or -3", param, ctx)
        return int(value)


class _Skill(click.ParamType[tuple[str, int]]):
    name = "skill=level"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, int]:
        if isinstance(value, tuple):
            return value
        found = _SKILL.fullmatch(value)
        if found is None:
            levels = f"{LEVELS[0]} to {LEVELS[-1]}"
            self.fail(
                f"{value!r} is not a skill and a level ({levels}), as in logistics=3", param, ctx
            )
        return found[1], int(found[2])


class _Duration(click.ParamType[timedelta]):
    name = "duration"

    def convert(self, value: Any, param: Any, ctx: Any) -> timedelta:
        found = value if isinstance(value, timedelta) else duration(value)
        if not found:
            self.fail(f"{value!r} is not a duration; write 20s, 3m or 2h", param, ctx)
        return found


_DAY = click.option(
    "--day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The recorded day, local."
)
_SEEDS = click.option(
    "--seeds",
    type=click.IntRange(1, 50),
    default=3,
    show_default=True,
    help="How often the day is played.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command()
@_DAY
@click.option("--agents", type=_Agents(), default=0, help="So many more, or fewer.")
@click.option(
    "--skill",
    "skills",
    type=_Skill(),
    multiple=True,
    help="What the new agents can do; all that was needed, at level 3, if not given.",
)
@click.option("--family", "kinds", multiple=True, help="Kinds of channels they serve; all.")
@click.option("--from", "begins", type=click.DateTime(["%H:%M"]), help="When they begin.")
@click.option("--until", "ends", type=click.DateTime(["%H:%M"]), help="When they go.")
@click.option("--volume", type=click.FloatRange(0.0, 10.0), default=1.0, help="Times what came.")
@click.option(
    "--bot",
    type=click.FloatRange(0.0, 1.0),
    default=0.0,
    help="The part of waits without a complaint that the bot would have kept.",
)
@_SEEDS
@_JSON
def whatif(
    day: datetime,
    agents: int,
    skills: tuple[tuple[str, int], ...],
    kinds: tuple[str, ...],
    *,
    begins: datetime | None,
    ends: datetime | None,
    volume: float,
    bot: float,
    seeds: int,
    as_json: bool,
) -> None:
    """Play a recorded day again with other staffing, through the router of the daemon."""
    settings = _settings()
    policy = settings.policy
    unknown = sorted({name for name, _level in skills} - set(policy.skills))
    if unknown:
        raise click.ClickException(
            f"--skill: no skill {', '.join(unknown)}; there are {', '.join(sorted(policy.skills))}"
        )
    strange = sorted(set(kinds) - set(policy.routing.family_weight))
    if strange:
        raise click.ClickException(
            f"--family: no kind of channel {', '.join(strange)}; "
            f"there are {', '.join(sorted(policy.routing.family_weight))}"
        )
    changes = Changes(
        agents=agents,
        skills={Skill(name): level for name, level in skills} if skills else None,
        families=frozenset(kinds),
        begins=_moment(day, begins, policy),
        ends=_moment(day, ends, policy),
        volume=volume,
        bot=bot,
    )
    recorded = asyncio.run(_recorded(settings, day.date()))
    answer = _or_say(
        lambda: what_if(
            recorded, changes, policy, seeds=range(1, seeds + 1), progress=_progress("days played")
        )
    )
    click.echo(err=True)
    click.echo(json.dumps(as_answer(answer), indent=1) if as_json else table(answer))


@click.command(name="staffing")
@_DAY
@click.option("--share", type=click.FloatRange(0.01, 1.0), default=0.9, show_default=True)
@click.option("--within", type=_Duration(), default="30s", show_default=True)
@_SEEDS
@_JSON
def staffing_command(
    day: datetime, share: float, within: timedelta, *, seeds: int, as_json: bool
) -> None:
    """Search how many agents with which skills a recorded day needed for a promise."""
    settings = _settings()
    recorded = asyncio.run(_recorded(settings, day.date()))
    found = _or_say(
        lambda: staffing(
            recorded,
            Goal(share=share, within=within),
            settings.policy,
            seeds=range(1, seeds + 1),
            progress=lambda tried, reached: click.echo(
                f"\r{tried} tried, {reached:.1%}", nl=False, err=True
            ),
        )
    )
    click.echo(err=True)
    shown = as_needed(found)
    if as_json:
        click.echo(json.dumps(shown, indent=1))
        return
    click.echo(f"recorded {shown['recorded']:.1%}, reached {shown['reached']:.1%}")
    for kind in shown["kinds"]:
        known = ", ".join(f"{name} {level}" for name, level in kind["skills"].items()) or "no skill"
        serves = ", ".join(kind["families"]) or "every channel"
        click.echo(f"{kind['count']:4} (there were {kind['present']})  {known}; {serves}")
    if not shown["kept"]:
        raise click.ClickException(
            f"not kept after {shown['tried']} tries; lower --share or raise --within"
        )


def _settings() -> Settings:
    try:
        return load()
    except ConfigError as error:
        raise click.ClickException("\n".join(map(str, error.problems))) from error


def _moment(day: datetime, at: datetime | None, policy: ShopPolicy) -> datetime | None:
    if at is None:
        return None
    local = datetime.combine(day.date(), time(at.hour, at.minute), policy.hours.zone)
    return local.astimezone(UTC)


async def _recorded(settings: Settings, day: date) -> RecordedDay:
    known: Mapping[Any, str] = families(settings)

    def ask(unit: Unit) -> RecordedDay:
        return recorded_day(unit, day, policy=settings.policy, families=known)

    store = await opened(settings)
    try:
        return await store.read(ask)
    finally:
        await store.close()


def _or_say(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except NothingRecorded as nothing:
        raise click.ClickException(str(nothing)) from nothing


def _progress(what: str) -> Callable[[int, int], None]:
    return lambda done, everything: click.echo(
        f"\r{done} of {everything} {what}", nl=False, err=True
    )
