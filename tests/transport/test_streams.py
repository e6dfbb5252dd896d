"""A stream that we open to a platform: frames in, acknowledged after the commit, dialled again."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web
from dingtalk_stream import ChatbotMessage

from adapters.dingtalk import CHANNEL as DINGTALK
from router.channel.accounts import Account, open_account
from router.domain.content import plain_text
from router.domain.ids import AccountName, QueueName
from router.service.accept import Intake
from router.settings.load import load
from router.store.engine import SqlStore
from router.transport.streams import Stream
from router.transport.taking import Taking
from tests.support.fakes import CountingIds, FixedClock
from tests.support.processes import LOOPBACK, free_port
from tests.transport.rig import PATIENCE, Rig, a_rig, settings

ROBOT = AccountName("robot")
POLICY = load(environ={}).policy
Contexts = tuple[ssl.SSLContext, ssl.SSLContext]


@dataclass(slots=True)
class Gateway:
    """DingTalk's side of streams: who dialled, what is said on each, what was answered."""

    secure: int
    asked: list[dict[str, Any]] = field(default_factory=list)
    scripts: list[list[dict[str, Any] | str]] = field(default_factory=list)
    tickets: list[str] = field(default_factory=list)
    answers: "asyncio.Queue[dict[str, Any]]" = field(default_factory=asyncio.Queue)
    refuses: int = 0

    async def opened(self, request: web.Request) -> web.Response:
        self.asked.append(await request.json())
        if self.refuses:
            self.refuses -= 1
            return web.json_response({"code": "AuthFailed", "message": "no"}, status=401)
        endpoint = f"wss://{LOOPBACK}:{self.secure}/connect"
        return web.json_response({"endpoint": endpoint, "ticket": "t+1/="})

    async def connected(self, request: web.Request) -> web.WebSocketResponse:
        self.tickets.append(request.query["ticket"])
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        script = self.scripts.pop(0) if self.scripts else []
        for frame in script:
            await socket.send_str(frame if isinstance(frame, str) else json.dumps(frame))
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self.answers.put(json.loads(message.data))
        return socket


def a_message(key: str, words: str) -> dict[str, Any]:
    data = {
        "conversationId": "cid-1",
        "conversationType": "1",
        "msgId": key,
        "senderId": "$:LWCP_v1:$abc",
        "senderStaffId": "staff-1",
        "senderNick": "小林",
        "createAt": 1760001600000,
        "msgtype": "text",
        "text": {"content": words},
    }
    frame = {
        "specVersion": "1.0",
        "type": "CALLBACK",
        "headers": {
            "messageId": f"frame-{key}",
            "topic": "/v1.0/im/bot/messages/get",
            "contentType": "application/json",
            "time": "1760001600000",
        },
        "data": json.dumps(data),
    }
    assert ChatbotMessage.from_dict(data).text.content == words  # the official package's view
    return frame


LEAVE = {
    "specVersion": "1.0",
    "type": "SYSTEM",
    "headers": {"messageId": "bye", "topic": "disconnect"},
    "data": "{}",
}


@asynccontextmanager
async def a_gateway(contexts: Contexts) -> AsyncIterator[tuple[Gateway, str]]:
    plain = free_port()
    gateway = Gateway(secure=free_port())
    app = web.Application()
    app.router.add_post("/v1.0/gateway/connections/open", gateway.opened)
    app.router.add_get("/connect", gateway.connected)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, plain).start()
    await web.TCPSite(runner, LOOPBACK, gateway.secure, ssl_context=contexts[0]).start()
    try:
        yield gateway, f"http://{LOOPBACK}:{plain}"
    finally:
        await runner.cleanup()


def an_account(url: str) -> Account:
    return open_account(
        DINGTALK,
        name=ROBOT,
        queue=QueueName("general"),
        settings={"app_key": "ding1", "app_secret": "s", "stream": True, "api_base": url},
        path_secret="0123456789abcdef",
    )


@asynccontextmanager
async def streaming(
    rig: Rig, trusts: ssl.SSLContext, name: str = "daemon-1"
) -> AsyncIterator[None]:
    """Hold the robot's stream until the end of the block."""
    intake = Intake(rig.store, POLICY)
    taking = Taking(
        account=rig.accounts[ROBOT],
        intake=intake,
        store=rig.store,
        after=lambda _name, _calls: None,
        clock=rig.clock,
        ids=rig.ids,
    )
    stream = Stream(taking, http=rig.http, name=name, settings=rig.settings, trusts=trusts)
    async with asyncio.TaskGroup() as tasks:
        owned = [tasks.create_task(each, name="owned") for each in (intake.run(), stream.run())]
        try:
            yield
        finally:
            for task in owned:
                task.cancel()


@asynccontextmanager
async def rigged(
    store: SqlStore, url: str, folder: Path, clock: FixedClock, ids: CountingIds
) -> AsyncIterator[Rig]:
    quick = settings(
        folder,
        poll=timedelta(milliseconds=100),
        first_reconnect=timedelta(milliseconds=20),
        longest_reconnect=timedelta(milliseconds=100),
    )
    async with a_rig(store, clock, ids, accounts=[an_account(url)], given=quick) as rig:
        yield rig


async def answered(gateway: Gateway) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        return await gateway.answers.get()


async def words(rig: Rig) -> list[str]:
    def read(unit: Any) -> list[str]:
        found = unit.conversations.by_external(ROBOT, "m-1")
        said = unit.conversations.said_in(found.conversation) if found else ()
        return [plain_text(each.content) for each in said]

    return await rig.store.read(read)


async def test_a_frame_is_acknowledged_once_it_is_kept(
    certificate: Contexts,
    sqlite_store: SqlStore,
    clock: FixedClock,
    ids: CountingIds,
    tmp_path: Path,
) -> None:
    async with (
        a_gateway(certificate) as (gateway, url),
        rigged(sqlite_store, url, tmp_path, clock, ids) as rig,
    ):
        gateway.scripts = [[a_message("m-1", "我要投诉")]]
        async with streaming(rig, certificate[1]):
            ack = await answered(gateway)
            kept = await words(rig)
    assert (ack["code"], ack["headers"]["messageId"]) == (200, "frame-m-1")
    assert kept == ["我要投诉"]
    assert gateway.asked[0]["clientId"] == "ding1"
    assert gateway.tickets == ["t+1/="]


async def test_when_the_platform_parts_another_stream_is_opened(
    certificate: Contexts,
    sqlite_store: SqlStore,
    clock: FixedClock,
    ids: CountingIds,
    tmp_path: Path,
) -> None:
    async with (
        a_gateway(certificate) as (gateway, url),
        rigged(sqlite_store, url, tmp_path, clock, ids) as rig,
    ):
        gateway.scripts = [[a_message("m-1", "一"), LEAVE], [a_message("m-2", "二")]]
        async with streaming(rig, certificate[1]):
            codes = [(await answered(gateway))["headers"]["messageId"] for _ in range(3)]
            kept = await words(rig)
    assert codes == ["frame-m-1", "bye", "frame-m-2"]
    assert kept == ["一", "二"]
    assert len(gateway.asked) >= 2


async def test_a_frame_that_cannot_be_read_is_kept_and_stops_nobody(
    certificate: Contexts,
    sqlite_store: SqlStore,
    clock: FixedClock,
    ids: CountingIds,
    tmp_path: Path,
) -> None:
    async with (
        a_gateway(certificate) as (gateway, url),
        rigged(sqlite_store, url, tmp_path, clock, ids) as rig,
    ):
        gateway.scripts = [["{", a_message("m-1", "还在吗")]]
        async with streaming(rig, certificate[1]):
            ack = await answered(gateway)
            kept = await rig.store.read(
                lambda unit: [each.body for each in unit.journal.deliveries(state="unreadable")]
            )
    assert ack["headers"]["messageId"] == "frame-m-1"
    assert kept == [b"{"]


async def test_a_platform_that_refuses_is_asked_again(
    certificate: Contexts,
    sqlite_store: SqlStore,
    clock: FixedClock,
    ids: CountingIds,
    tmp_path: Path,
) -> None:
    async with (
        a_gateway(certificate) as (gateway, url),
        rigged(sqlite_store, url, tmp_path, clock, ids) as rig,
    ):
        gateway.refuses = 2
        gateway.scripts = [[a_message("m-1", "终于")]]
        async with streaming(rig, certificate[1]):
            await answered(gateway)
        assert len(gateway.asked) == 3
        assert await words(rig) == ["终于"]


async def test_of_two_daemons_one_holds_the_stream_and_the_other_takes_over(
    certificate: Contexts,
    sqlite_store: SqlStore,
    clock: FixedClock,
    ids: CountingIds,
    tmp_path: Path,
) -> None:
    async with (
        a_gateway(certificate) as (gateway, url),
        rigged(sqlite_store, url, tmp_path, clock, ids) as rig,
        contextlib.AsyncExitStack() as second,
    ):
        gateway.scripts = [[a_message("m-1", "一")], [a_message("m-2", "二")]]
        async with streaming(rig, certificate[1], "daemon-1"):
            await answered(gateway)
            await second.enter_async_context(streaming(rig, certificate[1], "daemon-2"))
            while_first_holds_it = len(gateway.tickets)
        await answered(gateway)
        kept = await words(rig)
    assert (while_first_holds_it, kept) == (1, ["一", "二"])
