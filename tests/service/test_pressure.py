"""What can wait gives way while deliveries come fast, and only then."""

import asyncio

import pytest

from router.service.pressure import Pressure


async def rested(pressure: Pressure, worked_s: float) -> float:
    """Return how long a loop that worked so long is made to rest, in seconds."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await pressure.give_way(worked_s)
    return loop.time() - began


async def test_on_an_ordinary_day_nobody_rests() -> None:
    pressure = Pressure()
    for _ in range(20):
        pressure.came(1)
    assert not pressure.high
    assert await rested(pressure, 10.0) < 0.05


async def test_many_deliveries_in_a_moment_are_a_burst() -> None:
    pressure = Pressure()
    for _ in range(100):
        pressure.came(1)
    assert pressure.high
    assert await rested(pressure, 0.02) >= 0.07


async def test_many_that_waited_for_one_commit_are_a_burst_and_the_rest_is_bounded() -> None:
    pressure = Pressure()
    pressure.came(12)
    assert pressure.high
    assert 0.3 <= await rested(pressure, 60.0) < 5.0


async def test_who_can_wait_rests_as_long_as_anybody_may() -> None:
    loop, pressure = asyncio.get_running_loop(), Pressure()
    pressure.came(200)
    began = loop.time()
    await pressure.give_way()
    assert 0.4 <= loop.time() - began < 5.0


async def test_a_burst_is_over_soon_after_its_last_delivery() -> None:
    pressure = Pressure()
    pressure.came(200)
    await asyncio.sleep(0.6)
    assert not pressure.high


async def test_a_long_burst_puts_off_what_is_not_urgent_for_a_while_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop, pressure = asyncio.get_running_loop(), Pressure()
    assert not pressure.only_urgent
    now, put_off = loop.time(), []
    with monkeypatch.context() as patch:
        patch.setattr(loop, "time", lambda: now)
        for _ in range(40):
            pressure.came(200)
            assert pressure.high
            put_off.append(pressure.only_urgent)
            now += 0.3
    assert put_off == [True] * 34 + [False] * 6  # ten seconds
