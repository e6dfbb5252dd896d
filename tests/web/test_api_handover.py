"""What an agent is given with a conversation, over the API."""

from tests.web.house import House
from tests.web.program import Program


async def test_notes_are_written_changed_and_taken_away_and_shown_at_handover(
    house: House, boss: Program
) -> None:
    conversation = await house.wechat_says(boss.client, "你好，桌子什么时候到？")
    opened = await boss.get(f"/conversations/{conversation}")
    contact = opened["card"]["conversation"]["contact"]
    path = f"/contacts/{contact}/remembered"
    noted = await boss.post(path, json={"text": "只用低敏产品"}, status=201)
    assert noted["written_by"] == "boss"
    changed = await boss.ask("PATCH", f"/remembered/{noted['id']}", json={"text": "只用无香产品"})
    assert (changed["text"], changed["changed_by"]) == ("只用无香产品", "boss")
    given = await boss.get(f"/conversations/{conversation}/handover")
    assert [each["text"] for each in given["notes"]] == ["只用无香产品"]
    assert [(each["about"], each["text"]) for each in given["points"]] == [
        ("wants", "桌子什么时候到？")
    ]
    assert (given["anger"], given["trend"]) == (0, "stable")
    await boss.ask("DELETE", f"/remembered/{noted['id']}", status=204)
    assert await boss.get(path) == []
    gone = await boss.ask("DELETE", f"/remembered/{noted['id']}", status=404)
    assert gone["error"]["code"] == "not_found"
