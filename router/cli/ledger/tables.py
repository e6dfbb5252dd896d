"""What the tables hold, asked with the bare drivers, so that no code of ours is believed."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url

_HEARD = "SELECT count(*), count(DISTINCT external_id) FROM interactions WHERE direction = 'in'"
_UNREAD = {
    "sqlite": "SELECT count(*) FROM interactions WHERE unread = 1",
    "postgresql": "SELECT count(*) FROM interactions WHERE unread",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How many messages stand on timelines, and how many of them are different."""

    heard: int
    different: int

    def shown(self) -> dict[str, int]:
        """Return it for a report."""
        return {"heard": self.heard, "different": self.different}


def kept(url: str) -> Kept:
    """Count what customers said, as the tables have it."""
    ((heard, different),) = ask(url, _HEARD)
    return Kept(heard=heard, different=different)


def unread(url: str) -> int:
    """Count what no reader has seen."""
    ((count,),) = ask(url, _UNREAD[make_url(url).get_backend_name()])
    return int(count)


def ask(url: str, question: str) -> Sequence[Sequence[Any]]:
    """Return the rows that answer ``question``, which is one of ours."""
    address = make_url(url)
    if address.get_backend_name() == "postgresql":
        return asyncio.run(_ask_server(url, question))
    with closing(sqlite3.connect(f"file:{address.database}?mode=ro", uri=True)) as connection:
        return connection.execute(question).fetchall()


async def _ask_server(url: str, question: str) -> Sequence[Sequence[Any]]:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(plain)
    try:
        rows: Sequence[Sequence[Any]] = await connection.fetch(question)
        return rows
    finally:
        await connection.close()
