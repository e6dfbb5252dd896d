"""Pictures and files of web-chat visitors: posted once, seen by whom they concern."""

from datetime import timedelta

from aiohttp import ClientSession
from yarl import URL

from router.domain.content import Media
from router.domain.ids import AccountName
from tests.web.house import House

CHAT = AccountName("chat")
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


async def test_a_posted_picture_stands_on_the_timeline_and_only_its_sender_can_name_it(
    house: House, client: ClientSession
) -> None:
    async with house.visitor(client) as visitor:
        await visitor.hello()
        await visitor.say("upload_request", id="u", name="坏椅子.png", size=len(PNG), mime="x/y")
        place = await visitor.hear_op("upload")
        posted = await client.post(place["url"], data=PNG)
        assert posted.status == 200, await posted.text()
        assert posted.headers["Access-Control-Allow-Origin"] == "*"
        ref = (await posted.json())["ref"]
        file = {"ref": ref, "name": "坏椅子.png", "mime": "image/png", "size": len(PNG)}
        await visitor.say("send", client_msg_id="p", type="image", attachment=file)
        await visitor.hear_op("ack")
    (held,) = await house.open()
    (said,) = await house.said(held.id)
    assert isinstance(said.content, Media)
    async with house.visitor(client) as visitor:
        await visitor.hello()
        shown = await visitor.hear_op("message")
    link = URL(shown["attachment"]["link"])
    seen = await client.get(link)
    assert (seen.status, await seen.read(), seen.content_type) == (200, PNG, "image/png")
    assert seen.headers["X-Content-Type-Options"] == "nosniff"
    assert (await client.get(link.path)).status == 401
    async with house.browser() as other, house.visitor(other) as thief:
        await thief.hello()
        await thief.say("send", id="t", client_msg_id="t", type="image", attachment=file)
        assert (await thief.hear_op("error"))["code"] == "unknown_file"


async def test_a_page_of_html_is_no_picture_whatever_it_is_called(
    house: House, client: ClientSession
) -> None:
    async with house.visitor(client) as visitor:
        await visitor.hello()
        await visitor.say("upload_request", id="u", name="a.png", size=20, mime="image/png")
        place = await visitor.hear_op("upload")
    answer = await client.post(place["url"], data=b"<html><script>1</script>")
    assert answer.status == 415
    house.clock.advance(timedelta(hours=1))
    assert (await client.post(place["url"], data=PNG)).status == 401


async def test_an_address_for_a_file_takes_one_file(house: House, client: ClientSession) -> None:
    async with house.visitor(client) as visitor:
        await visitor.hello()
        await visitor.say("upload_request", id="u", name="a.png", size=20, mime="image/png")
        place = await visitor.hear_op("upload")
    assert (await client.post(place["url"], data=PNG)).status == 200
    assert (await client.post(place["url"], data=PNG + b"other")).status == 409
