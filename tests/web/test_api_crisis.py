"""Crises, guarantees and figures over the API."""

from aiohttp import ClientSession

from router.domain.workforce import Role
from tests.web.house import House

ROOT = "/api/v1"
WORDS = {"any": {"zh": "物流延误我们已知悉。", "en": "We know about the delays."}}


async def test_a_crisis_is_raised_stated_said_and_ended(
    house: House, client: ClientSession
) -> None:
    boss = await house.token(await house.agent("boss", Role.SUPERVISOR))
    talk = await house.wechat_says(client, "物流到哪了")

    async def post(path: str, body: object = None, method: str = "POST") -> dict[str, object]:
        answer = await client.request(method, f"{ROOT}{path}", json=body or {}, headers=boss)
        assert answer.status < 300, await answer.text()
        found: dict[str, object] = await answer.json()
        return found

    crisis = await post("/crises", {"subject": "topic:logistics"})
    at = f"/crises/{crisis['id']}"
    too_soon = await client.post(f"{ROOT}{at}/say", json={"conversations": [talk]}, headers=boss)
    assert (await too_soon.json())["error"]["code"] == "illegal_step"
    await post(f"{at}/statement", {"wordings": WORDS}, "PUT")
    await post(f"{at}/approve")
    assert (await post(f"{at}/pin"))["state"] == "pinned"
    assert await post(f"{at}/route", {"conversations": [talk], "queue": "complaints"}) == {
        "done": [talk],
        "left_out": {},
    }
    assert (await post(f"{at}/end"))["state"] == "ended"
    listed = await (await client.get(f"{ROOT}/crises", headers=boss)).json()
    assert [each["id"] for each in listed] == [crisis["id"]]


async def test_a_crisis_on_nothing_known_is_refused(house: House, client: ClientSession) -> None:
    boss = await house.token(await house.agent("boss", Role.SUPERVISOR))
    for subject in ("topic:weather", "product:rocket", "sofa"):
        answer = await client.post(f"{ROOT}/crises", json={"subject": subject}, headers=boss)
        assert (await answer.json())["error"]["code"] == "invalid"


async def test_the_guarantees_are_checked_over_the_api_by_supervisors(
    house: House, client: ClientSession
) -> None:
    boss = await house.token(await house.agent("boss", Role.SUPERVISOR))
    lin = await house.token(await house.agent("lin"))
    assert (await client.get(f"{ROOT}/audit", headers=boss)).status == 404
    assert (await client.post(f"{ROOT}/audit", headers=lin)).status == 403
    ran = await (await client.post(f"{ROOT}/audit", headers=boss)).json()
    assert (ran["total"], ran["is_whole"]) == (0, True)
    assert await (await client.get(f"{ROOT}/audit", headers=boss)).json() == ran


async def test_figures_count_nothing_before_the_time_for_a_return_is_over(
    house: House, client: ClientSession
) -> None:
    boss = await house.token(await house.agent("boss", Role.SUPERVISOR))
    found = await (await client.get(f"{ROOT}/figures?days=7", headers=boss)).json()
    assert found["fcr"] is None
    assert (found["total"]["conversations"], found["rows"]) == (0, [])
    assert (await client.get(f"{ROOT}/figures?by=moon", headers=boss)).status == 400
    assert (await client.get(f"{ROOT}/figures?days=0", headers=boss)).status == 400
