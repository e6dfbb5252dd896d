"""In-app messages over a real broker: in after the commit, out with the broker's word."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from aiomqtt import ProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from structlog.testing import capture_logs

from adapters.inapp import CHANNEL as INAPP
from router.channel.accounts import Account, open_account
from router.channel.contract import Publish
from router.domain.content import plain_text
from router.domain.ids import AccountName, QueueName
from router.domain.timeline import Sending
from router.service.accept import Intake
from router.settings.load import load
from router.store.engine import SqlStore
from router.transport.assembly import Transport, open_transport
from router.transport.http import NotSent
from tests.support.fakes import CountingIds, FixedClock
from tests.support.mqtt import HOW_TO_INSTALL, Broker, find_mosquitto
from tests.transport.rig import PATIENCE, Rig, a_rig, heard, meet, say, settings

APP = AccountName("shop-app")
POLICY = load(environ={}).policy


@pytest.fixture
def broker(mqtt_broker: Broker) -> Broker:
    """Return a broker that speaks MQTT 5 and shares subscriptions, which is a Mosquitto."""
    assert find_mosquitto() is not None, HOW_TO_INSTALL
    return mqtt_broker


def an_account(broker: Broker, tenant: str, **more: Any) -> Account:
    url = f"mqtt://{broker.host}:{broker.port}"
    return open_account(
        INAPP,
        name=APP,
        queue=QueueName("general"),
        settings={"tenant": tenant, "broker_url": url, **more},
    )


@asynccontextmanager
async def a_phone(
    broker: Broker, tenant: str, user: str = "u-1", *, keeps: bool = False
) -> AsyncIterator[aiomqtt.Client]:
    """Connect as the app does: with a session, and a last will that says who went."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 3600 if keeps else 0
    topic = f"pam/{tenant}/u/{user}"
    client = aiomqtt.Client(
        broker.host,
        broker.port,
        identifier=f"app:{tenant}:{user}:phone",
        protocol=ProtocolVersion.V5,
        clean_start=not keeps,
        properties=properties,
        will=aiomqtt.Will(f"{topic}/presence", b'{"v":1,"state":"offline"}', qos=1),
    )
    async with client:
        await client.subscribe(f"{topic}/down", qos=1)
        yield client


async def said_up(
    phone: aiomqtt.Client, tenant: str, words: str, key: str, user: str = "u-1"
) -> None:
    payload = {"v": 1, "client_msg_id": key, "type": "text", "text": words}
    await phone.publish(f"pam/{tenant}/u/{user}/up", json.dumps(payload), qos=1)


async def came_down(phone: aiomqtt.Client) -> dict[str, Any]:
    """Wait for what comes to the app."""
    async with asyncio.timeout(PATIENCE):
        async for message in phone.messages:
            assert isinstance(message.payload, bytes)
            found: dict[str, Any] = json.loads(message.payload)
            return found
    raise AssertionError("the broker ended the line")


@asynccontextmanager
async def a_room(rig: Rig, name: str = "daemon-1", *, intake: Intake | None = None) -> Any:
    """Run the line of one daemon, with its sender and its intake, until the end of the block."""
    taking = intake or Intake(rig.store, POLICY)
    around = open_transport(
        store=rig.store,
        accounts=rig.accounts,
        clock=rig.clock,
        ids=rig.ids,
        name=name,
        settings=rig.settings,
        policy=POLICY,
        intake=taking,
    )
    async with around as room, asyncio.TaskGroup() as tasks:
        rig.store.listen(room.heard)
        works = [taking.run(), room.sender.run(), room.afterwards.run(), room.lines[APP].run()]
        owned = [tasks.create_task(each, name="owned") for each in works]
        try:
            yield room
        finally:
            for task in owned:
                task.cancel()


@asynccontextmanager
async def rigged(
    store: SqlStore, account: Account, folder: Path, clock: FixedClock, ids: CountingIds
) -> AsyncIterator[Rig]:
    quick = settings(
        folder,
        poll=timedelta(milliseconds=100),
        first_reconnect=timedelta(milliseconds=20),
        longest_reconnect=timedelta(milliseconds=100),
    )
    async with a_rig(store, clock, ids, accounts=[account], given=quick) as rig:
        yield rig


async def listening(room: Transport) -> None:
    async with asyncio.timeout(PATIENCE):
        await room.lines[APP].listening()


def _words(unit: Any) -> list[str]:
    live = unit.conversations.live(APP, "u-1", "")
    return (
        []
        if live is None
        else [plain_text(each.content) for each in unit.conversations.said_in(live.id)]
    )


async def until(rig: Rig, holds: Callable[[list[str]], bool]) -> list[str]:
    """Wait until what u-1 has said fits."""
    async with asyncio.timeout(PATIENCE), heard(rig.store) as news:
        while True:
            words = await rig.store.read(_words)
            if holds(words):
                return words
            await news.wait()
            news.clear()


async def test_what_a_customer_writes_is_kept_and_then_acknowledged(
    broker: Broker, sqlite_store: SqlStore, clock: FixedClock, ids: CountingIds, tmp_path: Path
) -> None:
    account = an_account(broker, "t1")
    async with (
        rigged(sqlite_store, account, tmp_path, clock, ids) as rig,
        a_room(rig) as room,
        a_phone(broker, "t1") as phone,
    ):
        await listening(room)
        await said_up(phone, "t1", "沙发坏了", "m-1")
        ack = await came_down(phone)
        words = await rig.store.read(_words)
        await said_up(phone, "t1", "沙发坏了", "m-1")  # the app has not heard the acknowledgement
        again = await came_down(phone)
        await said_up(phone, "t1", "我要投诉", "m-2")
        both = await until(rig, lambda found: len(found) > 1)
    assert ack == again == {"v": 1, "op": "ack", "client_msg_id": "m-1"}
    assert words == ["沙发坏了"]
    assert both == ["沙发坏了", "我要投诉"]


async def test_what_comes_while_no_daemon_runs_waits_at_the_broker(
    broker: Broker, sqlite_store: SqlStore, clock: FixedClock, ids: CountingIds, tmp_path: Path
) -> None:
    account = an_account(broker, "t2")
    async with (
        rigged(sqlite_store, account, tmp_path, clock, ids) as rig,
        a_phone(broker, "t2") as phone,
    ):
        async with a_room(rig) as room:
            await listening(room)
        for number in range(1, 41):
            await said_up(phone, "t2", f"第{number}句", f"m-{number}")
        async with a_room(rig, "daemon-2"):
            words = await until(rig, lambda found: len(found) == 40)
    assert words == [f"第{number}句" for number in range(1, 41)]


class Forgetful(Intake):
    """An intake whose daemon dies before the commit."""

    def __init__(self, store: SqlStore) -> None:
        super().__init__(store, POLICY)
        self.asked = asyncio.Event()

    async def run(self) -> None:
        await self._some.wait()
        self.asked.set()
        await asyncio.Event().wait()


async def test_what_was_not_committed_when_a_daemon_died_comes_again(
    broker: Broker, sqlite_store: SqlStore, clock: FixedClock, ids: CountingIds, tmp_path: Path
) -> None:
    account = an_account(broker, "t3")
    async with (
        rigged(sqlite_store, account, tmp_path, clock, ids) as rig,
        a_phone(broker, "t3") as phone,
    ):
        dying = Forgetful(sqlite_store)
        async with a_room(rig, intake=dying) as room:
            await listening(room)
            await said_up(phone, "t3", "请回复", "m-1")
            async with asyncio.timeout(PATIENCE):
                await dying.asked.wait()
        assert await rig.store.read(_words) == []
        async with a_room(rig, "daemon-2"):
            assert await until(rig, bool) == ["请回复"]


async def test_an_answer_reaches_an_app_that_was_away(
    broker: Broker, sqlite_store: SqlStore, clock: FixedClock, ids: CountingIds, tmp_path: Path
) -> None:
    account = an_account(broker, "t4")
    async with rigged(sqlite_store, account, tmp_path, clock, ids) as rig, a_room(rig) as room:
        async with a_phone(broker, "t4", keeps=True):
            await listening(room)
        conversation = await meet(rig.store, "u-1", account=APP)
        row = await say(rig, conversation, "马上为您处理。")
        await rig.settled(row)
        async with a_phone(broker, "t4", keeps=True) as phone:
            down = await came_down(phone)
        interaction = await rig.said(row)
    assert (down["message_id"], down["text"]) == (row, "马上为您处理。")
    assert interaction.sending is Sending.SENT


async def test_two_daemons_share_a_broker_and_nothing_comes_twice(
    broker: Broker, sqlite_store: SqlStore, clock: FixedClock, ids: CountingIds, tmp_path: Path
) -> None:
    account = an_account(broker, "t5")
    async with (
        rigged(sqlite_store, account, tmp_path, clock, ids) as rig,
        a_phone(broker, "t5") as phone,
        a_room(rig, "daemon-2") as second,
    ):
        async with a_room(rig, "daemon-1") as first:
            done, _ = await asyncio.wait(
                [asyncio.ensure_future(each.lines[APP].listening()) for each in (first, second)],
                timeout=PATIENCE,
                return_when=asyncio.FIRST_COMPLETED,
            )
            assert len(done) == 1
            await said_up(phone, "t5", "一", "m-1")
            await until(rig, lambda found: len(found) == 1)
        await listening(second)
        await said_up(phone, "t5", "二", "m-2")
        words = await until(rig, lambda found: len(found) == 2)
    assert words == ["一", "二"]


async def test_the_apps_last_will_is_heard_as_its_presence(
    broker: Broker, sqlite_store: SqlStore, clock: FixedClock, ids: CountingIds, tmp_path: Path
) -> None:
    account = an_account(broker, "t6")
    with capture_logs() as logs:
        async with (
            rigged(sqlite_store, account, tmp_path, clock, ids) as rig,
            a_room(rig) as room,
            a_phone(broker, "t6", "u-2") as other,
        ):
            await listening(room)
            async with asyncio.timeout(PATIENCE):
                async with a_phone(broker, "t6") as phone:
                    phone._client._sock_close()  # noqa: SLF001  the phone loses its network
                await said_up(other, "t6", "hello", "m-1", "u-2")
                await came_down(other)
    taken = [each for each in logs if each["event"] == "delivery_taken_in"]
    assert [each["new"] for each in taken] == [0, 1]


async def test_a_strangers_topic_and_an_unreadable_payload_stop_nobody(
    broker: Broker, sqlite_store: SqlStore, clock: FixedClock, ids: CountingIds, tmp_path: Path
) -> None:
    account = an_account(broker, "t7", require_username=False)
    async with (
        rigged(sqlite_store, account, tmp_path, clock, ids) as rig,
        a_room(rig) as room,
        a_phone(broker, "t7") as phone,
    ):
        await listening(room)
        await phone.publish("pam/t7/u/%00/up", b"{}", qos=1)
        await phone.publish("pam/t7/u/u-1/up", b"\xff{", qos=1)
        await said_up(phone, "t7", "还在吗", "m-1")
        await came_down(phone)
        kept = await rig.store.read(
            lambda unit: [each.body for each in unit.journal.deliveries(state="unreadable")]
        )
        assert await rig.store.read(_words) == ["还在吗"]
    assert kept == [b"\xff{"]


async def test_without_a_broker_nothing_has_left(
    sqlite_store: SqlStore, clock: FixedClock, ids: CountingIds, tmp_path: Path
) -> None:
    account = an_account(Broker(host="127.0.0.1", port=1), "t8")
    async with rigged(sqlite_store, account, tmp_path, clock, ids) as rig, a_room(rig) as room:
        with pytest.raises(NotSent):
            await room.lines[APP].publish(Publish(topic="pam/t8/u/u-1/down", payload=b"{}"))
