"""Sockets that shops' platforms tell their news over: greeted, kept alive, confirmed, reopened."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import WSMessage, WSMsgType, web
from tmcpy.message import Message  # type: ignore[import-untyped]
from tmcpy.messageio import reader, writer  # type: ignore[import-untyped]

from adapters.pinduoduo import CHANNEL as PINDUODUO
from adapters.pinduoduo.adapter import socket_sign
from adapters.taobao import CHANNEL as TAOBAO
from adapters.taobao.proof import connect_sign
from adapters.taobao.settings import Settings
from router.channel.accounts import Account, open_account
from router.channel.connection import Holds
from router.channel.contract import Channel
from router.domain.content import plain_text
from router.domain.ids import AccountName, QueueName
from router.service.accept import Intake
from router.settings.load import load
from router.store.engine import SqlStore
from router.transport.sockets import Socket
from router.transport.taking import Taking
from tests.support.fakes import CountingIds, FixedClock
from tests.support.processes import LOOPBACK, free_port
from tests.transport.rig import PATIENCE, Rig, a_rig, settings

SHOP = AccountName("shop")
POLICY = load(environ={}).policy
Script = Callable[[web.WebSocketResponse, WSMessage], Awaitable[bool]]


@dataclass(slots=True)
class Far:
    """The platform's side: every connection's path, every frame of ours, and what it does."""

    script: Script
    paths: list[str] = field(default_factory=list)
    heard: "asyncio.Queue[Any]" = field(default_factory=asyncio.Queue)

    async def connected(self, request: web.Request) -> web.WebSocketResponse:
        self.paths.append(request.path)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                await self.heard.put(message.data)
                if not await self.script(socket, message):
                    await socket.close()
        return socket

    async def hears(self, wanted: Callable[[Any], bool]) -> Any:
        """Return the first frame of ours that is wanted."""
        async with asyncio.timeout(PATIENCE):
            while True:
                frame = await self.heard.get()
                if wanted(frame):
                    return frame


@asynccontextmanager
async def a_platform(script: Script) -> AsyncIterator[tuple[Far, str]]:
    far, port = Far(script=script), free_port()
    app = web.Application()
    app.router.add_get("/{path:.*}", far.connected)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port).start()
    try:
        yield far, f"ws://{LOOPBACK}:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def holding(
    channel: Channel, given: dict[str, Any], store: SqlStore, folder: Path, ids: CountingIds
) -> AsyncIterator[Rig]:
    """Hold an account's socket until the end of the block."""
    account = open_account(
        channel,
        name=SHOP,
        queue=QueueName("general"),
        settings=given,
        path_secret="0123456789abcdef",
    )
    quick = settings(
        folder,
        poll=timedelta(milliseconds=100),
        total=timedelta(seconds=5),
        first_reconnect=timedelta(milliseconds=20),
        longest_reconnect=timedelta(milliseconds=100),
    )
    clock = FixedClock()
    async with (
        a_rig(store, clock, ids, accounts=[account], given=quick) as rig,
        asyncio.TaskGroup() as tasks,
    ):
        intake = Intake(rig.store, POLICY)
        owned = [
            tasks.create_task(each, name="owned")
            for each in (intake.run(), _socket(rig, account, intake).run())
        ]
        try:
            yield rig
        finally:
            for task in owned:
                task.cancel()


def _socket(rig: Rig, account: Account, intake: Intake) -> Socket:
    taking = Taking(
        account=account,
        intake=intake,
        store=rig.store,
        after=lambda _name, _calls: None,
        clock=rig.clock,
        ids=rig.ids,
    )
    assert isinstance(account.adapter, Holds)
    assert account.adapter.holds
    return Socket(taking, account.adapter, name="daemon-1", settings=rig.settings)


async def stands(rig: Rig, key: str) -> str:
    """Return what stands on the timeline under an id of the platform's."""

    def read(unit: Any) -> str:
        found = unit.conversations.by_external(SHOP, key)
        return plain_text(found.content) if found else ""

    return await rig.store.read(read)


# ----- Taobao: binary frames, as tmcpy reads and writes them -------------------------------------


TMC = {"app_key": "12345678", "app_secret": "tbSecretDemo0001", "socket": True}


KEYS = Settings(app_key="12345678", app_secret="tbSecretDemo0001")


def let_in(token: str) -> bytes:
    message = Message(protocol_version=2, message_type=1)
    message.token = token
    return bytes(writer(message))


def refund(number: int, token: str) -> bytes:
    message = Message(protocol_version=2, message_type=2)
    message.token = token
    content = {"tid": 2231958349000000001, "refund_fee": "44.00", "reason": "质量问题"}
    message.update_content(
        {
            "__kind": 3,
            "id": 10**12 + number,
            "topic": "taobao_refund_RefundCreated",
            "content": json.dumps(content).encode().decode(),
        }
    )
    return bytes(writer(message))


def kind_of(frame: bytes) -> int:
    return int(reader(frame).content.get("__kind") or 0)


async def test_taobaos_news_is_asked_for_kept_and_only_then_confirmed(
    sqlite_store: SqlStore, ids: CountingIds, tmp_path: Path
) -> None:
    async def script(socket: web.WebSocketResponse, message: WSMessage) -> bool:
        said = reader(message.data)
        if said.message_type == 0:
            assert said.content["sign"] == connect_sign(KEYS, said.content["timestamp"])
            await socket.send_bytes(let_in("tok-1"))
        elif kind_of(message.data) == 1:
            assert said.token == "tok-1"
            await socket.send_bytes(refund(1, "tok-1"))
        return True

    async with (
        a_platform(script) as (far, url),
        holding(TAOBAO, {**TMC, "socket_base": f"{url}/"}, sqlite_store, tmp_path, ids) as rig,
    ):
        confirmed = reader(
            await far.hears(lambda frame: reader(frame).message_type == 2 and kind_of(frame) == 2)
        )
        kept = await stands(rig, f"tmc:{10**12 + 1}")
    assert (confirmed.content["id"], confirmed.token) == (10**12 + 1, "tok-1")
    assert "质量问题" in kept


async def test_taobao_is_dialled_again_when_it_refuses_or_hangs_up(
    sqlite_store: SqlStore, ids: CountingIds, tmp_path: Path
) -> None:
    times = iter(("refuse", "hang up", "let in"))

    async def script(socket: web.WebSocketResponse, message: WSMessage) -> bool:
        if reader(message.data).message_type != 0:
            return True
        match next(times, "let in"):
            case "refuse":
                await socket.send_bytes(b"\x02\x01\x02\x00\xa1\x0f\x00\x00\x00\x00")
                return True
            case "hang up":
                return False
            case _:
                await socket.send_bytes(let_in("tok-3"))
                return True

    async with (
        a_platform(script) as (far, url),
        holding(TAOBAO, {**TMC, "socket_base": f"{url}/"}, sqlite_store, tmp_path, ids),
    ):
        await far.hears(lambda frame: kind_of(frame) == 1)
    assert len(far.paths) == 3


# ----- Pinduoduo: JSON in text -------------------------------------------------------------------


PMC = {"client_id": "demo", "client_secret": "s3cret", "mall_id": "101010", "socket": True}


async def test_pinduoduos_news_is_acknowledged_after_the_commit_and_a_signed_path_is_kept_nowhere(
    sqlite_store: SqlStore, ids: CountingIds, tmp_path: Path
) -> None:
    async def script(socket: web.WebSocketResponse, message: WSMessage) -> bool:
        if json.loads(message.data)["commandType"] == "HeartBeat":
            content = json.dumps({"mall_id": 101010, "tid": "230101-1", "reason": "破损"})
            news = {"type": "pdd_refund_RefundCreated", "mallID": 101010, "content": content}
            frame = {"id": 2**53 + 1, "commandType": "Common", "message": news}
            await socket.send_str(json.dumps(frame))
        return True

    async with (
        a_platform(script) as (far, url),
        holding(PINDUODUO, {**PMC, "socket_base": url}, sqlite_store, tmp_path, ids) as rig,
    ):
        ack = json.loads(await far.hears(lambda frame: '"Ack"' in frame))
        kept = await stands(rig, f"pmc:{2**53 + 1}")
        raw = await rig.store.read(lambda unit: unit.journal.deliveries(state="taken"))
    _, client, milliseconds, sign = far.paths[0].removeprefix("/").split("/", 3)
    assert (client, sign) == ("demo", socket_sign("demo", milliseconds, "s3cret"))
    assert (ack["id"], ack["type"]) == (2**53 + 1, "pdd_refund_RefundCreated")
    assert "破损" in kept
    assert raw
    assert all(each.url == url for each in raw)
