"""How long it takes from a customer's message to the offer on an agent's screen, all included."""

import asyncio
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import aiohttp
import click

from router.cli.bench.figures import spread, told
from router.cli.bench.ground import LOOPBACK, Ground, daemon
from router.cli.bench.limits import fdatasync
from router.cli.bench.screens import open_screens
from router.cli.bench.staff import staffed
from router.cli.bench.wechat import ACCOUNT, address, messages

_SETTLE_S = 3.0
#: Customers before the clock starts: what is compiled at first use is not the others'.
_WARM = 10
_LONGEST_S = 30.0


@click.command()
@click.option("--agents", type=click.IntRange(1), default=100, show_default=True)
@click.option(
    "--rate", type=click.FloatRange(min=0.1), default=50.0, show_default=True, help="A second."
)
@click.option("--seconds", type=click.FloatRange(min=0.1), default=10.0, show_default=True)
@click.option(
    "--database-url",
    default="",
    help="A PostgreSQL server: a database is made there and removed. SQLite if not given.",
)
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON object.")
def offer(*, agents: int, rate: float, seconds: float, database_url: str, as_json: bool) -> None:
    """Let new customers write and agents watch their desks; time until each sees the offer.

    Signature, identity, timeline, reading, routing and the live update are in it, and that the
    screen fetches the desk again. The limit in the same run is one row's way to the disk.
    """
    disk = fdatasync()
    with daemon(
        channels={"wechat": ACCOUNT}, router={"log_level": "warning"}, database_url=database_url
    ) as ground:
        staff = staffed(ground.database_url, ground.env, agents)
        time.sleep(_SETTLE_S)  # the daemon follows what other processes commit
        asyncio.run(_watched(ground, staff, count=_WARM, rate=rate, first="warm"))
        seen = asyncio.run(_watched(ground, staff, count=int(rate * seconds), rate=rate))
    found: dict[str, Any] = {
        "database": "postgresql" if database_url else "sqlite",
        "agents": agents,
        "a_second": rate,
        "messages": int(rate * seconds),
        "offered": len(seen),
        "load": os.getloadavg()[0],
        "fdatasync_median_ms": round(disk.median_s * 1000, 3),
        "webhook_to_offer": spread(list(seen.values())),
    }
    found["ratios"] = {
        "p50_to_fdatasync": round(
            found["webhook_to_offer"]["p50_ms"] / max(found["fdatasync_median_ms"], 0.001), 1
        )
    }
    click.echo(json.dumps(found) if as_json else told(found))
    if len(seen) < int(rate * seconds):
        raise click.ClickException("not every customer was offered to somebody in time")


class _Floor:
    """What the agents' screens show, and since when."""

    def __init__(self, ground: Ground, staff: list[dict[str, str]], count: int) -> None:
        self._ground, self._staff, self._count = ground, staff, count
        self._fetching: set[int] = set()
        self.written: dict[str, float] = {}
        self.seen: dict[str, float] = {}
        self.everybody = asyncio.Event()

    def streams(self) -> list[tuple[str, dict[str, str]]]:
        """Return the address of each agent's stream."""
        url = f"{self._ground.url}/live?topics=desk"
        return [(url, headers) for headers in self._staff]

    async def heard(self, http: aiohttp.ClientSession, number: int, topic: str) -> None:
        """Fetch an agent's desk again, as the page does when it is told so."""
        if topic == "desk" and number not in self._fetching:
            self._fetching.add(number)
            try:
                await self._fetch(http, number)
            finally:
                self._fetching.discard(number)

    async def _fetch(self, http: aiohttp.ClientSession, number: int) -> None:
        url = f"{self._ground.url}/api/v1/desk"
        async with http.get(url, headers=self._staff[number]) as answer:
            desk = await answer.json()
        now = time.perf_counter()
        for each in desk["offers"]:
            name = each["card"]["conversation"]["external_id"]
            if name in self.written and name not in self.seen:
                self.seen[name] = now - self.written[name]
        if len(self.seen) == self._count:
            self.everybody.set()


async def _watched(
    ground: Ground, staff: list[dict[str, str]], *, count: int, rate: float, first: str = "openid"
) -> Mapping[str, float]:
    """Return, for each customer, after how many seconds an agent's screen showed them."""
    host = f"{LOOPBACK}:{ground.port}"
    number = 1 if first == "openid" else 1_000_001
    written = messages(count, customers=count, host=host, first=number, sender=first)
    bodies = [address(each) for each in written]
    floor = _Floor(ground, staff, count)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:

        async def heard(number: int, topic: str) -> None:
            await floor.heard(http, number, topic)

        async with open_screens(http, floor.streams(), heard), asyncio.TaskGroup() as tasks:
            began = time.perf_counter()
            for place, (path, body) in enumerate(bodies):
                pause = began + place / rate - time.perf_counter()
                if pause > 0:
                    await asyncio.sleep(pause)
                floor.written[f"{first}-{(number + place) % count}"] = time.perf_counter()
                tasks.create_task(_write(http, f"{ground.url}{path}", body))
            with suppress(TimeoutError):
                async with asyncio.timeout(_LONGEST_S):
                    await floor.everybody.wait()
    return floor.seen


async def _write(http: aiohttp.ClientSession, url: str, body: bytes) -> None:
    async with http.post(url, data=body, headers={"Content-Type": "text/xml"}) as answer:
        if answer.status != 200:  # noqa: PLR2004
            raise click.ClickException(f"a message was not taken: {answer.status}")
        await answer.read()
