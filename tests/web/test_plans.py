"""Planning over the API: what is asked is checked, and for supervisors only."""

import asyncio

import pytest
from aiohttp import ClientSession

from router.domain.workforce import Role
from tests.web.house import House

ROOT = "/api/v1/plans"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("whatif", {"day": "2026-11-11", "agents": 900}, "agents"),
        ("whatif", {"day": "2026-11-11", "volume": -1}, "volume"),
        ("whatif", {"day": "2026-11-11", "skills": {"juggling": 3}}, "skills"),
        ("whatif", {"day": "2026-11-11", "skills": {"payment": 9}}, "skills"),
        ("whatif", {"day": "2026-11-11", "families": ["pigeon"]}, "families"),
        ("whatif", {"day": "2026-11-11", "begins": "dawn"}, "begins"),
        ("whatif", {"day": "2026-11-11", "begins": "18:00", "ends": "09:00"}, "ends"),
        ("whatif", {"day": "2026-11-11", "seeds": 0}, "seeds"),
        ("staffing", {"day": "2026-11-11", "share": 1.5}, "share"),
        ("staffing", {"day": "2026-11-11", "within": 0}, "within"),
    ],
)
async def test_what_cannot_be_played_is_refused_with_the_field(
    house: House, client: ClientSession, path: str, body: dict[str, object], field: str
) -> None:
    boss = await house.token(await house.agent("boss", Role.SUPERVISOR))
    answer = await client.post(f"{ROOT}/{path}", json=body, headers=boss)
    error = (await answer.json())["error"]
    assert (answer.status, error["code"], error["field"]) == (409, "invalid", field)


async def test_a_job_is_told_until_it_is_over_and_agents_may_not_ask(
    house: House, client: ClientSession
) -> None:
    boss = await house.token(await house.agent("boss", Role.SUPERVISOR))
    lin = await house.token(await house.agent("lin"))
    body = {"day": "2026-11-11"}
    assert (await client.post(f"{ROOT}/whatif", json=body, headers=lin)).status == 403
    begun = await (await client.post(f"{ROOT}/whatif", json=body, headers=boss)).json()
    async with asyncio.timeout(60):
        while begun["state"] in {"waiting", "playing"}:
            await asyncio.sleep(0.05)
            begun = await (await client.get(f"{ROOT}/{begun['id']}", headers=boss)).json()
    assert begun["state"] == "failed"
    assert "nobody waited" in begun["problem"]
    listed = await (await client.get(ROOT, headers=boss)).json()
    assert [each["id"] for each in listed] == [begun["id"]]
    assert (await client.get(f"{ROOT}/nothing", headers=boss)).status == 404
