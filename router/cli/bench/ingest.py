"""How many messages a second are durable when the platform is answered, against the limits."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import click

from router.cli.bench.client import Done, Job
from router.cli.bench.figures import spread, told
from router.cli.bench.ground import LOOPBACK, Ground, cpu_seconds, daemon, echo, write
from router.cli.bench.limits import fdatasync
from router.cli.bench.middle import in_the_middle
from router.cli.bench.staff import staffed
from router.cli.bench.wechat import ACCOUNT, messages
from router.cli.ledger.tables import Kept, kept, unread

_CATCH_UP_S = 1800.0
_POLL_S = 0.5
#: Messages that are written before the clock starts: what is compiled at first use is not theirs.
_WARM = 64
#: How many of its messages a batch of one gets.
_FEWER = 5
#: How many agents wait for the complaint, and how long the daemon is given to hear of them.
_STAFF = 5
_SETTLE_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """How many write how much, and where it is kept."""

    count: int
    connections: int
    customers: int
    database_url: str

    def job(self, port: int, *, first: int = 1, rate: float = 0.0) -> Job:
        """Return the requests of this plan, numbered from ``first``."""
        host = f"{LOOPBACK}:{port}"
        asked = messages(self.count, customers=self.customers, host=host, first=first)
        requests = [each.decode() for each in asked]
        return Job(
            host=LOOPBACK, port=port, connections=self.connections, requests=requests, rate=rate
        )


@click.command()
@click.option(
    "--messages",
    "count",
    type=click.IntRange(1),
    default=20_000,
    show_default=True,
    help="How many messages come at once.",
)
@click.option("--connections", type=click.IntRange(1), default=64, show_default=True)
@click.option(
    "--customers",
    type=click.IntRange(1),
    default=None,
    help="How many people write them; one in four messages if not given.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=1),
    multiple=True,
    help="Also so many a second, whatever the answers (may be given again).",
)
@click.option(
    "--lasting",
    type=click.FloatRange(min=0.5),
    default=5.0,
    show_default=True,
    help="For how many seconds each rate is kept up.",
)
@click.option("--one-by-one", is_flag=True, help="Also the same daemon with batches of one.")
@click.option(
    "--complaint",
    is_flag=True,
    help="Also as many messages with a complaint in their middle: how long until it is offered.",
)
@click.option("--no-catch-up", is_flag=True, help="Do not wait until everything is read.")
@click.option(
    "--database-url",
    default="",
    help="A PostgreSQL server: a database is made there and removed. SQLite if not given.",
)
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON object.")
def ingest(
    *,
    count: int,
    connections: int,
    customers: int | None,
    rate: tuple[float, ...],
    lasting: float,
    one_by_one: bool,
    complaint: bool,
    no_catch_up: bool,
    database_url: str,
    as_json: bool,
) -> None:
    """Write messages to the real daemon over its webhook and count what it answers for.

    Every message is signed; identity, timeline, outbox and routing are on. The limits are measured
    in the same run: bare aiohttp that gives the same answer, and one row at a time to the disk.
    """
    people = customers or max(1, count // 4)
    plan = _Plan(count=count, connections=connections, customers=people, database_url=database_url)
    found: dict[str, Any] = {
        "database": "postgresql" if database_url else "sqlite",
        "messages": count,
        "connections": connections,
        "customers": people,
        "load": os.getloadavg()[0],
    }
    disk = fdatasync()
    found["fdatasync"] = {"a_second": round(disk.rate), "median_ms": round(disk.median_s * 1000, 3)}
    found["bare"] = _bare(plan)
    with _standing(plan) as ground:
        found["durable"] = _burst(ground, plan)
        began = time.monotonic()
        if not no_catch_up:
            found["caught_up_s"] = _caught_up(ground, began)
        written = _WARM + count
        for each in rate:
            done = _open_loop(ground, plan, each, lasting=lasting, first=written + 1)
            found[f"at_{each:g}_a_second"] = _figures(done)
            written += len(done.latencies)
        tally = kept(ground.database_url)
        found["kept"] = tally.shown()
        _must_be_kept(tally, written)
    if one_by_one:
        with _standing(plan, batch=1) as ground:
            alone = _burst(ground, replace(plan, count=max(1, count // _FEWER)))
            found["one_by_one"] = alone
    if complaint:
        with _standing(plan) as ground:
            found["complaint"] = _complaint(ground, plan)
    found["ratios"] = _ratios(found)
    click.echo(json.dumps(found) if as_json else told(found))


@contextmanager
def _standing(plan: _Plan, *, batch: int | None = None) -> Iterator[Ground]:
    """Run the daemon, with its statements compiled and its first rows written."""
    router: dict[str, Any] = {"log_level": "warning"}
    if batch is not None:
        router["intake_batch"] = batch
    channels = {"wechat": ACCOUNT}
    with daemon(channels=channels, router=router, database_url=plan.database_url) as ground:
        warm = replace(plan, count=_WARM, connections=min(8, plan.connections))
        _must_be_taken(write(warm.job(ground.port)))
        yield ground


def _burst(ground: Ground, plan: _Plan) -> dict[str, Any]:
    before = cpu_seconds(ground.process)
    done = _must_be_taken(write(plan.job(ground.port, first=_WARM + 1)))
    return _figures(done, cpu_seconds(ground.process) - before)


def _complaint(ground: Ground, plan: _Plan) -> dict[str, Any]:
    """Return how long a complaint in a burst waits for its offer, with a few people at work."""
    staffed(ground.database_url, ground.env, _STAFF)
    time.sleep(_SETTLE_S)  # the daemon follows what other processes commit
    done, seconds = in_the_middle(
        ground, count=plan.count, connections=plan.connections, customers=plan.customers
    )
    burst = _figures(_must_be_taken(done))
    return {"burst_s": round(done.took, 3), "offered_after_s": round(seconds, 3), **burst}


def _bare(plan: _Plan) -> dict[str, Any]:
    with echo() as (port, process):
        write(replace(plan, count=_WARM).job(port))
        before = cpu_seconds(process)
        done = _must_be_taken(write(plan.job(port, first=_WARM + 1)))
        return _figures(done, cpu_seconds(process) - before)


def _open_loop(ground: Ground, plan: _Plan, rate: float, *, lasting: float, first: int) -> Done:
    paced = replace(plan, count=max(1, int(rate * lasting)))
    return _must_be_taken(write(paced.job(ground.port, first=first, rate=rate)))


def _must_be_taken(done: Done) -> Done:
    if set(done.statuses) != {"200"}:
        raise click.ClickException(f"not every message was taken: {done.statuses}")
    return done


def _must_be_kept(tally: Kept, count: int) -> None:
    if (tally.heard, tally.different) != (count, count):
        raise click.ClickException(f"{count} messages were answered for, but kept is {tally}")


def _caught_up(ground: Ground, began: float) -> float:
    """Return after how many seconds everything was read."""
    while unread(ground.database_url):
        if time.monotonic() - began > _CATCH_UP_S:
            raise click.ClickException(f"not everything was read within {_CATCH_UP_S:.0f} s")
        time.sleep(_POLL_S)
    return round(time.monotonic() - began, 1)


def _figures(done: Done, cpu_s: float = 0.0) -> dict[str, Any]:
    """Return the rate, the spread, and the CPU of the answering process for each message."""
    count = len(done.latencies)
    cpu = {"cpu_ms_each": round(cpu_s * 1000 / count, 3)} if cpu_s else {}
    return {"a_second": round(count / done.took), **spread(done.latencies), **cpu}


def _ratios(found: Mapping[str, Any]) -> dict[str, float]:
    rate = found["durable"]["a_second"]
    ratios = {
        "durable_to_bare": rate / found["bare"]["a_second"],
        "durable_to_fdatasync": rate / found["fdatasync"]["a_second"],
    }
    if "cpu_ms_each" in found["durable"]:
        own = found["durable"]["cpu_ms_each"]
        ratios["bare_cpu_to_durable_cpu"] = found["bare"].get("cpu_ms_each", 0.0) / own
    if "one_by_one" in found:
        ratios["batched_to_one_by_one"] = rate / found["one_by_one"]["a_second"]
    return {name: round(each, 3) for name, each in ratios.items()}
