"""`mainstem history`: what keeps the tables in use small."""

import asyncio

import click

from router.daemon import SystemClock
from router.settings.files import duration
from router.settings.load import ConfigError, load
from router.store.past import move_history


@click.group()
def history() -> None:
    """Keep the tables in use small (PostgreSQL)."""


@history.command()
@click.option("--older-than", default="400d", show_default=True, help="An age, such as 400d.")
@click.option("--database-url", default=None, help="Instead of the configured database.")
def move(older_than: str, database_url: str | None) -> None:
    """Move old history into tables of its own, one a month; every page still finds it.

    It may run beside daemons, and be broken off and begun again.
    """
    age = duration(older_than)
    if age is None:
        raise click.UsageError("--older-than: write an age such as 400d")
    try:
        url = database_url or load().database_url
        moved = asyncio.run(move_history(url, before=SystemClock().now() - age, told=_told))
    except (ConfigError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(", ".join(f"{rows} of {table}" for table, rows in moved.items()) + " moved")


def _told(table: str, rows: int) -> None:
    click.echo(f"{table}: {rows}", err=True)
