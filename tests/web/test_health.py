"""Monitors: alive, ready, and figures; and nothing of what customers say in any log."""

import asyncio
from datetime import timedelta
from io import StringIO
from pathlib import Path

from aiohttp import ClientSession

from router import logs
from router.domain.workforce import Role
from router.service.carry import LEASE
from router.store.engine import SqlStore
from tests.support.fakes import CountingIds, FixedClock
from tests.web.house import House, a_house, sign_in

MARKED = "绝密标记7f3a"


async def test_a_daemon_is_ready_once_somebody_routes(house: House, client: ClientSession) -> None:
    assert (await client.get("/healthz")).status == 200
    answer = await client.get("/readyz")
    assert (answer.status, list((await answer.json())["wrong"])) == (503, ["dispatcher"])
    now = house.clock.now()
    await house.store.transact(
        lambda unit: unit.journal.lease(
            LEASE, holder="test", now=now, until=now + timedelta(minutes=1)
        )
    )
    assert (await client.get("/readyz")).status == 200


async def test_a_closed_database_is_said_and_not_hidden(
    house: House, client: ClientSession
) -> None:
    await house.store.close()
    answer = await client.get("/readyz")
    assert (answer.status, list((await answer.json())["wrong"])) == (503, ["database"])
    assert (await client.get("/metrics")).status == 200
    page = await client.get("/api/v1/me", headers={"Authorization": "Bearer x"})
    assert (page.status, page.headers["Retry-After"]) == (503, "2")


async def test_prometheus_is_told_what_stands_and_what_happened(
    house: House, client: ClientSession
) -> None:
    conversation = await house.wechat_says(client, "桌子坏了")
    agent = await house.agent("chen")
    await house.complaint(conversation, agent, "桌子坏了")
    house.clock.advance(timedelta(seconds=90))
    text = await (await client.get("/metrics")).text()
    for line in (
        'mainstem_waiting{queue="general"} 1.0',
        'mainstem_longest_wait_seconds{queue="general"} 90.0',
        'mainstem_cases_open{severity="2"} 1.0',
        'mainstem_deliveries_total{account="wechat",outcome="taken"} 1.0',
        'mainstem_events_total{kind="interaction_taken"} 1.0',
        "mainstem_intake_backlog 0.0",
        "mainstem_chat_sockets 0.0",
        'route="/hooks/{account}/{path_secret}"',
    ):
        assert line in text


async def test_nothing_that_a_customer_or_an_agent_says_gets_into_the_logs(
    sqlite_store: SqlStore, clock: FixedClock, ids: CountingIds, tmp_path: Path
) -> None:
    heard = StringIO()
    logs.configure(json=True, level="debug", stream=heard)
    async with (
        a_house(sqlite_store, clock, ids, tmp_path) as house,
        house.browser() as client,
    ):
        boss = await house.agent("boss", Role.SUPERVISOR)
        headers = await house.token(boss)
        await sign_in(client, "boss")
        conversation = await house.wechat_says(client, MARKED, 1, "o-lin")
        path = f"/api/v1/conversations/{conversation}"
        await client.post(f"{path}/take-over", headers=headers)
        await client.post(f"{path}/replies", json={"text": MARKED}, headers=headers)
        await client.post(f"{path}/replies", json={"text": MARKED, "x": 1}, headers=headers)
        await client.get(f"/api/v1/contacts?words={MARKED}", headers=headers)
        async with house.visitor(client) as visitor:
            await visitor.hello()
            await visitor.say("send", client_msg_id="m", type="text", text=MARKED)
            await visitor.hear_op("ack")
            await visitor.say("send", client_msg_id="?", type="text", text=MARKED)
            await visitor.hear_op("error")
        await asyncio.sleep(0)
    written = heard.getvalue()
    assert '"event": "delivery_taken_in"' in written
    for secret in (MARKED, "mst_", "o-lin", "0123456789abcdef"):
        assert secret not in written
