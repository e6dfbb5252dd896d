"""The rules of the socket: what ends a connection, and with which code."""

import pytest
from aiohttp import ClientSession, WSServerHandshakeError

from router.channel.contract import Push
from router.domain.ids import AccountName
from router.web.sockets import SOCKETS
from tests.web.house import SITE, House

CHAT = AccountName("chat")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x00", 1003),
        ("x" * (64 * 1024 + 1), 1009),
        ('{"v":1,"op":"typing"}', 1008),
        ('{"v":1,"op":"hello","locale":"\\ud800"}', 1007),
    ],
)
async def test_what_breaks_the_protocol_closes_the_socket_with_its_code(
    house: House, client: ClientSession, frame: str | bytes, code: int
) -> None:
    async with house.visitor(client) as visitor:
        if isinstance(frame, bytes):
            await visitor.socket.send_bytes(frame)
        else:
            await visitor.socket.send_str(frame)
        assert await visitor.closed_with() == code


async def test_who_floods_is_let_go(house: House, client: ClientSession) -> None:
    async with house.visitor(client) as visitor:
        await visitor.hello()
        for _ in range(100):
            await visitor.say("typing")
        assert await visitor.closed_with() == 4009


async def test_an_unknown_site_has_no_socket(client: ClientSession) -> None:
    with pytest.raises(WSServerHandshakeError) as refused:
        await client.ws_connect("/ws/v1?site=elsewhere")
    assert refused.value.status == 404
    assert (await client.get(f"/ws/v1?site={SITE}")).status == 426


async def test_a_frame_for_somebody_who_is_not_there_is_left_to_the_next_hello(
    house: House,
) -> None:
    answer = await house.app[SOCKETS].push(CHAT, Push(recipient="nobody", payload=b"{}"))
    assert answer.status == 202


async def test_every_browser_is_told_to_come_again_when_the_daemon_stops(
    house: House, client: ClientSession
) -> None:
    async with house.visitor(client) as visitor:
        await visitor.hello()
        house.app[SOCKETS].close_all()
        assert await visitor.closed_with() == 1001


async def test_a_browser_that_does_not_read_is_let_go(house: House, client: ClientSession) -> None:
    async with house.visitor(client) as visitor:
        welcome = await visitor.hello()
        frame = Push(recipient=welcome["visitor_id"], payload=b'{"v":1,"op":"typing"}')
        for _ in range(300):
            await house.app[SOCKETS].push(CHAT, frame)
        assert await visitor.closed_with() == 4008
