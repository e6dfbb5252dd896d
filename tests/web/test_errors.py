"""What went wrong is said once, in the reader's language, in the form that the reader can use."""

from aiohttp import ClientSession

from tests.web.house import House, sign_in


async def test_a_page_that_is_not_there_is_said_on_a_page(
    house: House, client: ClientSession
) -> None:
    await house.agent("chen")
    await sign_in(client, "chen")
    answer = await client.get("/nowhere", headers={"Accept-Language": "zh"})
    assert (answer.status, answer.content_type) == (404, "text/html")
    assert "找不到此项" in await answer.text()


async def test_a_part_of_a_page_says_its_trouble_in_a_part(
    house: House, client: ClientSession
) -> None:
    await house.agent("chen")
    await sign_in(client, "chen")
    answer = await client.get("/contacts/nobody", headers={"HX-Request": "true"})
    text = await answer.text()
    assert answer.status == 404
    assert "There is no such thing" in text
    assert "<html" not in text


async def test_a_rule_that_was_broken_is_a_conflict_with_its_reason(
    house: House, client: ClientSession
) -> None:
    await house.agent("chen")
    csrf = await sign_in(client, "chen")
    conversation = await house.wechat_says(client, "你好")
    path = f"/desk/{conversation}/reply"
    given = {"csrf": csrf, "text": "您好"}
    answer = await client.post(path, data=given, headers={"HX-Request": "true"})
    assert answer.status == 409
    assert "Another agent has this" in await answer.text()


async def test_a_method_that_an_address_does_not_take_is_named(client: ClientSession) -> None:
    answer = await client.delete("/hooks/wechat")
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET,POST"


async def test_a_part_asked_for_without_a_session_leads_to_the_door(
    client: ClientSession,
) -> None:
    answer = await client.get("/desk/part", headers={"HX-Request": "true"})
    assert (answer.status, answer.headers["HX-Redirect"]) == (401, "/signin")
