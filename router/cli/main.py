"""The commands. Each reads the configuration, does one thing and says what it did."""

import asyncio
import json
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from router import daemon
from router.channel.capture import decode_capture
from router.channel.captured import BadCapture
from router.channel.contract import Channel
from router.channel.registry import BrokenChannel, channels
from router.cli import admin
from router.cli.bench.commands import bench
from router.cli.chaos import chaos
from router.cli.evaluate import evaluate
from router.cli.history import history
from router.cli.imports import ImportProblem, read_agents, read_written
from router.cli.whatif import staffing_command, whatif
from router.domain.errors import DomainError
from router.logs import configure
from router.service.files import KINDS
from router.settings.accounts import generated
from router.settings.load import ConfigError, Settings, load
from router.store.migrate import head, upgrade

Printing = TypeVar("Printing", bound=Callable[..., None])
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("mainstem"), prog_name="mainstem")
def main() -> None:
    """Mainstem: one timeline per customer, and no complaint missed."""


def _settings() -> Settings:
    try:
        return load()
    except ConfigError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        raise SystemExit(2) from error


@main.command()
def run() -> None:
    """Migrate the database and run the daemon until it is stopped."""
    settings = _settings()
    configure(json=None, level=settings.log_level)
    sys.exit(asyncio.run(daemon.run(settings)))


@main.command()
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Where the demonstration keeps its files; a fresh folder each time if not given.",
)
@click.option("--listen", default=None, help="host:port of the pages.")
@click.option("--pace", default=1.0, show_default=True, help="How fast customers come.")
@click.option(
    "--conversations",
    type=click.IntRange(1),
    default=None,
    help="Have so many at full speed instead, audit what is left behind, and end.",
)
def demo(data: Path | None, listen: str | None, pace: float, *, conversations: int | None) -> None:
    """Run the daemon with an invented furniture shop and its customers on every channel."""
    from router.cli.demo import play  # noqa: PLC0415  only here

    sys.exit(play(data=data, listen=listen, pace=pace, conversations=conversations))


@main.command()
def check() -> None:
    """Check the configuration: print every problem at once, or what is in force."""
    settings = _settings()
    for folder in settings.sources:
        click.echo(f"read {folder}")
    click.echo(json.dumps(admin.in_force(settings), ensure_ascii=False, indent=2))
    click.echo(f"ok: {len(settings.accounts)} accounts, {len(settings.policy.queues)} queues")


@main.command()
@click.option("--database-url", default=None, help="Instead of the configured database.")
def migrate(database_url: str | None) -> None:
    """Bring the database to the schema that this version needs."""
    url = database_url or _settings().database_url
    asyncio.run(upgrade(url))
    click.echo(f"the database is at revision {head()}")


@main.command()
@click.argument("name")
def secret(name: str) -> None:
    """Print a generated secret, such as phone-api-key."""
    click.echo(generated(_settings().data, name))


@main.command()
@click.option(
    "--training",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=None,
    help="The folder of labelled messages; that of this checkout if not given.",
)
@click.option("--reference", type=_FILE, default=None, help="Instead of the shipped reference set.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Also write the weights, their hash and their card there.",
)
@click.option(
    "--adopt/--dry-run", default=True, show_default=True, help="Use it if it loses no complaint."
)
def train(training: Path | None, reference: Path | None, out: Path | None, *, adopt: bool) -> None:
    """Train the reader anew with what colleagues corrected; show before and after; adopt it."""
    from router.cli.train import train_reader  # noqa: PLC0415  only here

    safe = train_reader(_settings(), training=training, reference=reference, out=out, adopt=adopt)
    sys.exit(0 if safe else 1)


@main.command()
@click.argument("login")
@click.option("--name", default="command line", show_default=True, help="What it is for.")
def token(login: str, name: str) -> None:
    """Make a bearer token of the API for a person and print it, this once."""
    try:
        click.echo(asyncio.run(admin.make_token(_settings(), login, name)))
    except DomainError as error:
        raise click.ClickException(str(error)) from error


@main.command("channels")
def list_channels() -> None:
    """List the channels that are installed."""
    for name, channel in sorted(channels().items()):
        click.echo(
            f"{name:<14} {channel.family.value:<8} {channel.transport:<8} "
            f"{channel.title['en']} / {channel.title['zh']}"
        )


@main.command()
@click.argument("account_type")
@click.argument("capture", type=_FILE, required=False)
@click.option("--file", "upload", type=_FILE, help="An uploaded file (.vtt, .srt, .json).")
@click.option("--response", type=_FILE, help="What a send API answered.")
@click.option("--pull-response", type=_FILE, help="What a pull API answered.")
@click.option("--config", "config", type=_FILE, help="The account's settings as JSON.")
def decode(
    account_type: str,
    capture: Path | None,
    *,
    upload: Path | None,
    response: Path | None,
    pull_response: Path | None,
    config: Path | None,
) -> None:
    """Show what a channel makes of a captured delivery, as JSON.

    CAPTURE is a JSON file with `config`, `now` and `steps`; see docs/OPERATIONS.md.
    """
    from router.cli.decoding import assembled  # noqa: PLC0415  only here

    channel = _channel(account_type)
    try:
        given = assembled(
            capture=capture,
            upload=upload,
            response=response,
            pull_response=pull_response,
            config=config,
        )
        click.echo(decode_capture(channel, given).decode("utf-8"))
    except BadCapture as error:
        raise click.ClickException(str(error)) from error


def _channel(name: str) -> Channel:
    try:
        known = channels()
    except BrokenChannel as error:
        raise click.ClickException(str(error)) from error
    for channel in known.values():
        if name == channel.name or name in channel.aliases:
            return channel
    raise click.ClickException(f"{name!r} is not one of {', '.join(sorted(known))}")


@main.group("import")
def import_() -> None:
    """Bring people or articles from a file into the database."""


@import_.command("agents")
@click.argument("file", type=_FILE)
def import_agents(file: Path) -> None:
    """Add or change agents from a CSV or JSON file; prints one-time passwords of new ones."""
    _import(read_agents, file, admin.import_agents)


@import_.command("articles")
@click.argument("file", type=_FILE)
def import_articles(file: Path) -> None:
    """Add or change articles, as `import knowledge` does; the older name."""
    _import_written(file, "articles")


@import_.command("knowledge")
@click.argument("file", type=_FILE)
def import_knowledge(file: Path) -> None:
    """Add or change articles from a CSV, JSON, JSON-lines or Markdown file, all or none."""
    _import_written(file, "articles")


@import_.command("products")
@click.argument("file", type=_FILE)
def import_products(file: Path) -> None:
    """Add or change products from a CSV, JSON or JSON-lines file, all or none."""
    _import_written(file, "products")


@import_.command("scripts")
@click.argument("file", type=_FILE)
def import_scripts(file: Path) -> None:
    """Add or change scripts from a CSV, JSON or JSON-lines file, all or none."""
    _import_written(file, "scripts")


def _import_written(file: Path, kind: str) -> None:
    _import(partial(read_written, kind=kind), file, partial(admin.import_written, kind=kind))


@main.group("export")
def export_() -> None:
    """Write what stands in the database to a file."""


def _format(kind: str) -> Callable[[Printing], Printing]:
    formats = click.Choice(KINDS[kind].formats)
    return click.option("--format", "form", type=formats, default="json", help="What is printed.")


@export_.command("knowledge")
@_format("articles")
def export_knowledge(form: str) -> None:
    """Print every article as a file that `import knowledge` takes."""
    _export(form, "articles")


@export_.command("products")
@_format("products")
def export_products(form: str) -> None:
    """Print every product as a file that `import products` takes."""
    _export(form, "products")


@export_.command("scripts")
@_format("scripts")
def export_scripts(form: str) -> None:
    """Print every script as a file that `import scripts` takes."""
    _export(form, "scripts")


def _export(form: str, kind: str) -> None:
    click.echo(asyncio.run(admin.export_written(_settings(), form, kind=kind)), nl=False)


def _import(read: Any, file: Path, write: Any) -> None:
    try:
        rows = read(file)
    except ImportProblem as error:
        raise click.ClickException(str(error)) from error
    for line in asyncio.run(write(_settings(), rows)):
        click.echo(line)


@main.command()
@click.argument("delivery", required=False)
def replay(delivery: str | None) -> None:
    """Read kept deliveries again that nobody could read; one, or all of them."""
    settings = _settings()
    configure(json=None, level=settings.log_level)
    for line in asyncio.run(admin.replay(settings, delivery)):
        click.echo(line)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option(
    "--ledger", type=_FILE, help="Also hold what others saw against the tables: JSON lines."
)
def audit(*, as_json: bool, ledger: Path | None) -> None:
    """Re-derive the guarantees G1 to G4 from the stored history; exit 1 over a violation.

    With a ledger, such as `mainstem chaos --folder` keeps, also: whatever was acknowledged stands
    on a timeline once and in order, no answer was said twice, nobody was given too much.
    """
    settings = _settings()
    proof, found = asyncio.run(admin.audit_all(settings))
    for each in found:
        click.echo(json.dumps(each, ensure_ascii=False) if as_json else admin.told(each))
    click.echo(admin.summed_up(proof), err=True)
    wrong = 0 if ledger is None else _reckon(settings, ledger, as_json=as_json)
    sys.exit(1 if found or wrong else 0)


def _reckon(settings: Settings, ledger: Path, *, as_json: bool) -> int:
    """Check a ledger against the configured database; return how much is wrong."""
    from router.cli.ledger.book import BadLedger, read_ledger  # noqa: PLC0415  only here
    from router.cli.ledger.check import check as checked  # noqa: PLC0415

    try:
        result = checked(settings.database_url, read_ledger(ledger))
    except BadLedger as error:
        raise click.ClickException(f"{ledger}: {error}") from error
    for each in result.wrong:
        shown = json.dumps(msgspec.to_builtins(each), ensure_ascii=False) if as_json else str(each)
        click.echo(shown)
    click.echo(
        f"{len(result.wrong)} things are wrong among {result.deliveries} deliveries, "
        f"{result.replies} replies and {result.calls} calls",
        err=True,
    )
    return len(result.wrong)


@main.command()
@click.argument("scenario", type=_FILE, nargs=-1, required=True)
@click.option("--policy", "policies", multiple=True, help="One or several; all if not given.")
@click.option("--seeds", default="report", show_default=True, help="report, tune, or 1,2,5-8.")
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON instead of a table.")
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Write a bar chart of the cost (SVG).",
)
@click.option("--processes", type=click.IntRange(1), default=None, help="All cores if not given.")
def simulate(
    scenario: tuple[Path, ...],
    policies: tuple[str, ...],
    *,
    seeds: str,
    as_json: bool,
    plot: Path | None,
    processes: int | None,
) -> None:
    """Play invented days under routing policies and compare what they are worth.

    SCENARIO is a file as in config/scenarios; see docs/SIMULATION.md.
    """
    from router.sim.command import simulate_command  # noqa: PLC0415  only here
    from router.sim.scenario import BadScenario  # noqa: PLC0415  only here

    try:
        simulate_command(
            scenario,
            policies=policies,
            seeds=seeds,
            shop=_settings().policy,
            as_data=as_json,
            plot=plot,
            processes=processes,
            say=click.echo,
            note=lambda text: click.echo(f"\r{text}", nl=False, err=True),
        )
    except BadScenario as error:
        raise click.ClickException(str(error)) from error


main.add_command(bench)
main.add_command(chaos)
main.add_command(evaluate)
main.add_command(history)
main.add_command(staffing_command)
main.add_command(whatif)
