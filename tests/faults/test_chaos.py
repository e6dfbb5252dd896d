"""Kills under load, outages, platforms that fail: the same code as `mainstem chaos`."""

from pathlib import Path

from router.cli.chaos.play import Plan, Result, play
from tests.support.mqtt import Broker

SEED = 20261111


async def played(folder: Path, plan: Plan) -> Result:
    (folder / "data").mkdir()
    return await play(plan, folder, say=lambda _text: None)


async def test_twelve_kills_of_a_lone_daemon_lose_double_and_reorder_nothing(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'data' / 'mainstem.db'}"
    plan = Plan(seed=SEED, kills=12, daemons=1, database_url=url, disk=1, database=1, outage_s=1.0)
    result = await played(tmp_path, plan)
    assert result.wrong == ()
    assert result.done == {"kill": 12, "database": 1, "disk": 1}
    assert result.statuses["503"] > 0  # while the disk was full
    assert result.replies >= 3
    assert sum(result.answers.values()) >= 3
    assert result.most_memory_mib < 300


async def test_eight_kills_of_two_daemons_on_one_database_and_broker_lose_nothing_either(
    tmp_path: Path, postgres_database: str, mqtt_broker: Broker
) -> None:
    plan = Plan(
        seed=SEED,
        kills=8,
        daemons=2,
        database_url=postgres_database,
        mqtt_url=f"mqtt://{mqtt_broker.host}:{mqtt_broker.port}/chaos",
        database=1,
        broker=1,
        disk=1,
        outage_s=1.0,
    )
    result = await played(tmp_path, plan)
    assert result.wrong == ()
    assert result.done == {"kill": 8, "database": 1, "broker": 1, "disk": 1}
    assert result.replies >= 3
    assert result.offers >= 3
