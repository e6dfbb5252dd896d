"""Two daemons on one PostgreSQL and one broker: either takes deliveries, one routes, both show."""

import asyncio
import time
from pathlib import Path

import aiohttp
import pytest

from tests.support.house import House, house
from tests.support.mqtt import Broker
from tests.support.platforms import WECHAT, Wechat

FIRST = "first-password-1"
CHANNELS = {"wechat": WECHAT.format(api="http://127.0.0.1:9")}
LIN = {"login": "lin", "name": "林", "password": FIRST}


PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(64)


@pytest.fixture
def settings(mqtt_broker: Broker, tmp_path: Path) -> str:
    broker = f'mqtt_url = "mqtt://{mqtt_broker.host}:{mqtt_broker.port}/two"\n'
    return f'{broker}media = "{tmp_path / "shared"}"\nreaders = 0\n'


async def offers(http: aiohttp.ClientSession, running: House, bearer: str) -> list[str]:
    headers = {"authorization": bearer}
    async with http.get(f"{running.url}/api/v1/desk", headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        desk = await answer.json()
    return [each["card"]["conversation"]["id"] for each in desk["offers"]]


async def test_the_second_daemon_routes_on_when_the_first_is_killed(
    tmp_path: Path, postgres_database: str, settings: str
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    given = {"channels": CHANNELS, "router": settings, "database_url": postgres_database}
    async with aiohttp.ClientSession() as http:
        with house(one, **given) as first, house(two, **given) as second:  # type: ignore[arg-type]
            first.people(LIN)
            bearer = f"Bearer {second.command('token', 'lin').strip()}"
            await presence(http, second, bearer)
            for number, running in enumerate((first, second, first), 1):
                words = f"转人工 {number}"
                assert (
                    await Wechat(running.url).write(http, f"o-{number}", words, number=number)
                    == 200
                )
            assert len(await until(3, http, second, bearer)) == 3
            assert sorted(await offers(http, first, bearer)) == sorted(
                await offers(http, second, bearer)
            )

            file = await posted(http, first, bearer)
            async with http.get(second.url + file, headers={"authorization": bearer}) as answer:
                assert (answer.status, await answer.read()) == (200, PICTURE)

            first.process.kill()
            killed = time.monotonic()
            assert await Wechat(second.url).write(http, "o-4", "转人工", number=4) == 200
            assert len(await until(4, http, second, bearer)) == 4
            assert time.monotonic() - killed < 7  # a lease of four seconds, and a busy machine


async def presence(http: aiohttp.ClientSession, running: House, bearer: str) -> None:
    async with http.put(
        f"{running.url}/api/v1/me/presence",
        json={"presence": "available"},
        headers={"authorization": bearer},
    ) as answer:
        assert answer.status == 200, await answer.text()


async def posted(http: aiohttp.ClientSession, running: House, bearer: str) -> str:
    """Post a picture to one daemon; return the path at which any shows it."""
    address = f"{running.url}/api/v1/media?name=a.png"
    async with http.post(address, data=PICTURE, headers={"authorization": bearer}) as answer:
        assert answer.status == 201, await answer.text()
        return f"/media/{(await answer.json())['media']}"


async def until(count: int, http: aiohttp.ClientSession, running: House, bearer: str) -> list[str]:
    """Return the offers on Lin's desk once there are so many."""
    async with asyncio.timeout(15):
        while len(found := await offers(http, running, bearer)) < count:  # noqa: ASYNC110  another process
            await asyncio.sleep(0.1)
    return found
