"""How long the last fifty interactions of one contact take among very many, as history grows."""

import asyncio
import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import click
from sqlalchemy.engine import make_url

from router.cli.bench.figures import spread, told
from router.cli.bench.ground import database
from router.daemon import SystemClock, SystemIds
from router.domain.ids import ContactId
from router.service.unit import Unit
from router.store.engine import open_store
from router.store.migrate import upgrade

_EACH = 100  # interactions of one contact
_PAGE = 50
_ASKED = 200  # contacts that are looked at
_CACHE_KIB = 512 * 1024  # while the rows are written
_COLUMNS = (
    "id, contact_id, conversation_id, channel, account, external_id, direction, kind, content,"
    " text, at, received_at, seq, unread"
)
_BARE = "SELECT * FROM interactions WHERE contact_id = {} ORDER BY at DESC, id DESC LIMIT 50"
_TEXT = "订单什么时候发货？我等了好几天了"
_CONTENT = json.dumps({"$": "Text", "text": _TEXT}, ensure_ascii=False)
_GROWING = (
    "WITH RECURSIVE n(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :last)"
)
_SQLITE = {
    "indexes": """SELECT name, sql FROM sqlite_master
        WHERE type = 'index' AND tbl_name = 'interactions' AND sql IS NOT NULL
        AND sql NOT LIKE '%UNIQUE%'""",
    "contacts": f"""{_GROWING}
        INSERT INTO contacts (id, root_id, created_at)
        SELECT 'c' || i, 'c' || i, '2026-01-01 00:00:00.000000' FROM n""",  # noqa: S608  ours
    "interactions": f"""{_GROWING}
        INSERT INTO interactions ({_COLUMNS})
        SELECT printf('i%010d', i), 'c' || (i % :people), 't' || (i % :people), 'wechat',
            'wechat', 'm' || i, 'in', 'message', :content, :text,
            strftime('%Y-%m-%d %H:%M:%f000', 1767225600 + i, 'unixepoch'),
            strftime('%Y-%m-%d %H:%M:%f000', 1767225600 + i, 'unixepoch'), i, 0 FROM n""",  # noqa: S608
}
_SERVER = {
    "indexes": (
        "SELECT indexname, indexdef FROM pg_indexes"
        " WHERE tablename = 'interactions' AND indexdef NOT LIKE '%UNIQUE%'"
    ),
    "contacts": (
        "INSERT INTO contacts (id, root_id, created_at)"
        " SELECT 'c' || i, 'c' || i, now() FROM generate_series($1::bigint, $2::bigint - 1) i"
    ),
    "interactions": (
        f"INSERT INTO interactions ({_COLUMNS})"  # noqa: S608  our own columns
        " SELECT 'i' || lpad(i::text, 10, '0'), 'c' || (i % $3::bigint), 't' || (i % $3::bigint),"
        " 'wechat', 'wechat', 'm' || i, 'in', 'message', $4, $5,"
        " to_timestamp(1767225600 + i), to_timestamp(1767225600 + i), i, false"
        " FROM generate_series($1::bigint, $2::bigint - 1) i"
    ),
}


@click.command()
@click.option(
    "--interactions",
    "sizes",
    type=click.IntRange(1000),
    multiple=True,
    default=(100_000, 1_000_000),
    show_default=True,
    help="How long the history is; given again, it grows from one to the next.",
)
@click.option(
    "--database-url",
    default="",
    help="A PostgreSQL server: a database is made there and removed. SQLite if not given.",
)
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON object.")
def timeline(*, sizes: tuple[int, ...], database_url: str, as_json: bool) -> None:
    """Ask for the last fifty of many contacts as the pages do, and with the bare driver."""
    found: dict[str, Any] = {
        "database": "postgresql" if database_url else "sqlite",
        "load": os.getloadavg()[0],
    }
    with (
        tempfile.TemporaryDirectory(prefix="mainstem-bench-") as folder,
        database(database_url, Path(folder)) as url,
    ):
        written = 0
        for size in sorted(sizes):
            asyncio.run(grow(url, written, size))
            written = size
            names = [f"c{number * 7919 % (size // _EACH)}" for number in range(_ASKED)]
            asyncio.run(_asked_bare(url, names))  # what comes from the disk is neither's
            bare = asyncio.run(_asked_bare(url, names))
            ours = asyncio.run(_asked(url, names))
            found[f"at_{size}"] = {
                **{f"store_{name}": each for name, each in spread(ours).items()},
                **{f"bare_{name}": each for name, each in spread(bare).items()},
            }
    first, last = (found[f"at_{each}"] for each in (min(sizes), max(sizes)))
    found["ratios"] = {
        "store_to_bare": round(last["store_p50_ms"] / last["bare_p50_ms"], 2),
        "growth": round(last["store_p50_ms"] / first["store_p50_ms"], 2),
    }
    click.echo(json.dumps(found) if as_json else told(found))


async def grow(url: str, written: int, size: int) -> None:
    """Write interactions until there are ``size``, and their contacts.

    Indexes are made again afterwards: ten million rows take minutes then instead of an hour.
    """
    await upgrade(url)
    people, before = size // _EACH, written // _EACH
    address = make_url(url)
    if address.get_backend_name() == "postgresql":
        connection = await _connected(url)
        try:
            indexes = await connection.fetch(_SERVER["indexes"])
            for name, _again in indexes:
                await connection.execute(f'DROP INDEX "{name}"')
            await connection.execute(_SERVER["contacts"], before, people)
            await connection.execute(
                _SERVER["interactions"], written, size, people, _CONTENT, _TEXT
            )
            for _name, again in indexes:
                await connection.execute(again)
            await connection.execute("VACUUM ANALYZE interactions")
            await connection.execute("VACUUM ANALYZE contacts")
        finally:
            await connection.close()
        return
    with closing(sqlite3.connect(str(address.database))) as file:
        for pragma in ("synchronous=OFF", f"cache_size=-{_CACHE_KIB}", "temp_store=MEMORY"):
            file.execute(f"PRAGMA {pragma}")
        indexes = file.execute(_SQLITE["indexes"]).fetchall()
        for name, _again in indexes:
            file.execute(f'DROP INDEX "{name}"')
        file.execute(_SQLITE["contacts"], {"first": before, "last": people})
        given = {"first": written, "last": size, "people": people}
        file.execute(_SQLITE["interactions"], {**given, "content": _CONTENT, "text": _TEXT})
        for _name, again in indexes:
            file.execute(again)
        file.commit()
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


async def _asked(url: str, names: Sequence[str]) -> list[float]:
    """Return how long the store took for each contact's page."""
    store = open_store(url, clock=SystemClock(), ids=SystemIds())
    try:
        spent = []
        for name in names:
            began = time.perf_counter()
            page = await store.read(_page, ContactId(name))
            spent.append(time.perf_counter() - began)
            if len(page) != _PAGE:
                raise click.ClickException(f"expected {_PAGE} interactions, got {len(page)}")
    finally:
        await store.close()
    return spent


def _page(unit: Unit, contact: ContactId) -> Sequence[object]:
    return unit.conversations.timeline((contact,), limit=_PAGE)


async def _asked_bare(url: str, names: Sequence[str]) -> list[float]:
    """Return how long the driver alone took for the same rows."""
    address = make_url(url)
    if address.get_backend_name() == "postgresql":
        connection = await _connected(url)
        try:
            asked = await connection.prepare(_BARE.format("$1"))
            spent = []
            for name in names:
                began = time.perf_counter()
                await asked.fetch(name)
                spent.append(time.perf_counter() - began)
            return spent
        finally:
            await connection.close()
    with closing(sqlite3.connect(f"file:{address.database}?mode=ro", uri=True)) as file:
        return [_timed(file, name) for name in names]


def _timed(file: sqlite3.Connection, name: str) -> float:
    began = time.perf_counter()
    file.execute(_BARE.format("?"), (name,)).fetchall()
    return time.perf_counter() - began


async def _connected(url: str) -> Any:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return await asyncpg.connect(plain)
