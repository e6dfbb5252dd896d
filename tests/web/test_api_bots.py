"""What bots did, counted, over the API."""

from tests.web.program import Program


async def test_where_no_bot_did_anything_all_is_zero(boss: Program) -> None:
    found = await boss.get("/figures/bots?days=7")
    assert found["total"] == {
        "answered": 0,
        "asked_back": 0,
        "handed_over": 0,
        "failed": 0,
        "tokens": 0,
    }
    assert (found["share"], found["days"], found["bots"], found["reasons"]) == (None, [], [], [])
    refused = await boss.get("/figures/bots?days=91", status=400)
    assert refused["error"]["field"] == "days"
