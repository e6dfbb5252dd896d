"""`mainstem chaos`: kill daemons under load, take away what they need, and check the ledger."""

import asyncio
import json
import secrets
import tempfile
from pathlib import Path

import click
import msgspec

from router.cli.bench.ground import database
from router.cli.chaos.play import Plan, Result, play


@click.command()
@click.option("--kills", type=click.IntRange(0), default=20, show_default=True)
@click.option("--seed", type=int, default=None, help="Repeats a run; a new one if not given.")
@click.option("--daemons", type=click.IntRange(1), default=1, show_default=True)
@click.option("--customers", type=click.IntRange(1), default=24, show_default=True)
@click.option("--agents", type=click.IntRange(1), default=4, show_default=True)
@click.option(
    "--pause",
    type=click.FloatRange(min=0),
    default=0.3,
    show_default=True,
    help="Seconds between two messages of a customer, in the middle.",
)
@click.option(
    "--database",
    "without_database",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="How often the database goes away, too.",
)
@click.option(
    "--broker",
    "without_broker",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="How often the broker goes away.",
)
@click.option(
    "--disk",
    "without_room",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="How often the disk is full.",
)
@click.option(
    "--outage",
    type=click.FloatRange(min=0.1),
    default=30.0,
    show_default=True,
    help="Seconds that an outage lasts.",
)
@click.option(
    "--database-url",
    default="",
    help="A PostgreSQL server: a database is made there and removed. SQLite if not given.",
)
@click.option("--mqtt-url", default="", help="An MQTT broker for the daemons.")
@click.option("--events", type=click.IntRange(0), default=0, help="Go on until there are so many.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Keep ledger and logs there; the ledger is what `audit --ledger` reads.",
)
@click.option("--json", "as_json", is_flag=True, help="The result as one JSON object.")
def chaos(
    *,
    kills: int,
    seed: int | None,
    daemons: int,
    customers: int,
    agents: int,
    pause: float,
    without_database: int,
    without_broker: int,
    without_room: int,
    outage: float,
    events: int,
    database_url: str,
    mqtt_url: str,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Kill daemons with SIGKILL while customers write and agents answer; then check the ledger.

    Everything runs on this machine in a folder of its own, on a database of its own. Platforms
    answer 500, slowly, or never; deliveries come twice and in the wrong order. Exit 1 if anything
    acknowledged is missing, doubled or out of order, an answer was said twice, somebody was given
    more than they can carry, or a guarantee does not hold.
    """
    if daemons > 1 and not database_url:
        raise click.UsageError("several daemons need --database-url of a PostgreSQL server")
    given = secrets.randbelow(1_000_000) if seed is None else seed
    with tempfile.TemporaryDirectory(prefix="mainstem-chaos-") as name:
        place = Path(name) if folder is None else folder
        place.mkdir(parents=True, exist_ok=True)
        (place / "data").mkdir(exist_ok=True)
        with database(database_url, place) as url:
            plan = Plan(
                seed=given,
                kills=kills,
                daemons=daemons,
                database_url=url,
                mqtt_url=mqtt_url,
                customers=customers,
                agents=agents,
                pause_s=pause,
                database=without_database,
                broker=without_broker,
                disk=without_room,
                outage_s=outage,
                events=events,
            )
            result = asyncio.run(play(plan, place, say=lambda text: click.echo(text, err=True)))
    click.echo(json.dumps(msgspec.to_builtins(result)) if as_json else told(result))
    if result.wrong:
        raise click.ClickException(f"{len(result.wrong)} things are wrong; --seed {given}")


def told(result: Result) -> str:
    """Return a result for people."""
    lines = [f"seed {result.seed}, {result.took_s:.0f} s, {result.done}"]
    lines += [
        f"{name}: {value}"
        for name, value in msgspec.to_builtins(result).items()
        if name not in {"seed", "took_s", "done", "wrong"}
    ]
    lines += [f"wrong: {each}" for each in result.wrong] or ["nothing is wrong"]
    return "\n".join(lines)
