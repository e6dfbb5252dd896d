"""How fast one piece of news reaches many open pages, and bare aiohttp beside it."""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import click

from router.cli.bench.figures import spread, told
from router.cli.bench.ground import daemon, echo
from router.cli.bench.screens import open_screens
from router.cli.bench.staff import staffed
from router.cli.bench.wechat import ACCOUNT

_SETTLE_S = 3.0
_PATIENCE_S = 20.0
#: Rounds that are not counted: the streams say once that they have begun.
_WARM = 3


@click.command()
@click.option("--pages", type=click.IntRange(1), default=200, show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON object.")
def fanout(*, pages: int, rounds: int, as_json: bool) -> None:
    """Change one agent's presence again and again; every page of theirs hears of each change.

    A round ends when the last page has heard. In the daemon a round includes the request, the
    commit and the look-up; in the limit only the request.
    """
    with daemon(channels={"wechat": ACCOUNT}, router={"log_level": "warning"}) as ground:
        (page,) = staffed(ground.database_url, ground.env, 1)
        time.sleep(_SETTLE_S)  # the daemon follows what other processes commit

        async def change(http: aiohttp.ClientSession, number: int) -> None:
            body = {"presence": "available" if number % 2 else "away"}
            url = f"{ground.url}/api/v1/me/presence"
            async with http.put(url, json=body, headers=page) as answer:
                answer.raise_for_status()

        ours = asyncio.run(_rounds(f"{ground.url}/live?topics=desk", page, pages, rounds, change))
    with echo() as (port, _process):

        async def ring(http: aiohttp.ClientSession, _number: int) -> None:
            async with http.post(f"http://127.0.0.1:{port}/ring") as answer:
                answer.raise_for_status()

        bare = asyncio.run(_rounds(f"http://127.0.0.1:{port}/stream", {}, pages, rounds, ring))
    found: dict[str, Any] = {
        "pages": pages,
        "rounds": rounds,
        "load": os.getloadavg()[0],
        "daemon": {"told_a_second": round(pages * rounds / sum(ours)), **spread(ours)},
        "bare": {"told_a_second": round(pages * rounds / sum(bare)), **spread(bare)},
    }
    ratio = found["daemon"]["told_a_second"] / found["bare"]["told_a_second"]
    found["ratios"] = {"daemon_to_bare": round(ratio, 3)}
    click.echo(json.dumps(found) if as_json else told(found))


async def _rounds(
    url: str,
    headers: dict[str, str],
    pages: int,
    rounds: int,
    change: Callable[[aiohttp.ClientSession, int], Awaitable[None]],
) -> list[float]:
    """Return how long each round took, from the request until the last page has heard."""
    heard: set[int] = set()
    everybody = asyncio.Event()

    async def told_to(number: int, _topic: str) -> None:
        heard.add(number)
        if len(heard) == pages:
            everybody.set()

    spent = []
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
        open_screens(http, [(url, headers)] * pages, told_to),
    ):
        for number in range(_WARM + rounds):
            heard.clear()
            everybody.clear()
            began = time.perf_counter()
            await change(http, number)
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    await everybody.wait()
            except TimeoutError as error:
                said = f"only {len(heard)} of {pages} pages heard of round {number}"
                raise click.ClickException(said) from error
            if number >= _WARM:
                spent.append(time.perf_counter() - began)
    return spent
