"""A database for one benchmark on somebody's PostgreSQL server: made before, removed after."""

import asyncio

import asyncpg
import click
from sqlalchemy.engine import make_url


def created(server: str, name: str) -> str:
    """Make the database ``name`` on the server that ``server`` names; return its address."""
    asyncio.run(_say(server, f"CREATE DATABASE {name}"))
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def dropped(server: str, name: str) -> None:
    """Remove the database."""
    asyncio.run(_say(server, f"DROP DATABASE {name} WITH (FORCE)"))


async def _say(server: str, statement: str) -> None:
    address = make_url(server).set(drivername="postgresql")
    try:
        connection = await asyncpg.connect(address.render_as_string(hide_password=False))
    except (OSError, asyncpg.PostgresError) as error:
        raise click.ClickException(f"--database-url: the server cannot be used: {error}") from error
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
