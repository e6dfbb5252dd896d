"""The reply coach over the API: hints before a reply goes, and a count of what became of them."""

from tests.web.house import House
from tests.web.program import Program

EMPTY_PROMISE = "我们会尽快处理。"
GOOD = "我查到了，今天18点前给您换新的。"


async def taken(house: House, boss: Program) -> str:
    conversation = await house.wechat_says(boss.client, "桌子坏了")
    await boss.post(f"/conversations/{conversation}/take-over")
    return f"/conversations/{conversation}"


async def test_a_draft_is_hinted_at_and_nothing_is_sent(house: House, boss: Program) -> None:
    path = await taken(house, boss)
    (hint,) = await boss.post(f"{path}/coach", json={"text": EMPTY_PROMISE})
    assert (hint["rule"], hint["quote"], hint["blocks"]) == ("no_time", "尽快", False)
    assert "点前" in hint["better"]
    assert await boss.post(f"{path}/coach", json={"text": GOOD}) == []
    assert len(await house.said(path.rpartition("/")[2])) == 1


async def test_hints_that_were_taken_and_those_that_were_not_are_counted(
    house: House, boss: Program
) -> None:
    path = await taken(house, boss)
    await boss.post(f"{path}/replies", json={"text": GOOD, "hinted": ["no_time"]}, status=201)
    said = await boss.post(f"{path}/replies", json={"text": EMPTY_PROMISE}, key="k", status=201)
    assert [each["rule"] for each in said["hints"]] == ["no_time"]
    await boss.post(f"{path}/replies", json={"text": EMPTY_PROMISE}, key="k", status=201)
    assert await boss.get("/coach/counts?days=7") == [
        {"rule": "no_time", "outcome": "sent", "count": 1},
        {"rule": "no_time", "outcome": "taken", "count": 1},
    ]
