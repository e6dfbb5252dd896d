"""The whole room at work: what a commit sets going, without anybody asking for it."""

import asyncio
from typing import Any

from router.channel.accounts import open_account
from router.channel.contract import HttpCall, Push, Received, Reply
from router.channel.registry import channels
from router.domain.content import Media, MediaKind
from router.domain.ids import AccountName, QueueName
from router.service.accept import Intake
from router.service.arrivals import Delivery, source_of
from router.service.intake import take_in
from router.settings.load import load
from router.transport.afterwards import Afterwards
from router.transport.assembly import LatePush, open_transport
from router.transport.duty import Duty
from router.transport.sender import Sender
from tests.transport.platform import FETCH, PROFILE, SEND, Platform, gives, says
from tests.transport.rig import PATIENCE, SHOP, Rig, heard, meet, say

PNG = b"\x89PNG\r\n\x1a\n" + b"a sofa"
POLICY = load(environ={}).policy


async def test_a_commit_sets_sending_fetching_and_looking_up_going(
    rig: Rig, platform: Platform
) -> None:
    platform.will(FETCH, gives(PNG, mime="image/png"))
    named = says({"openid": "whoever", "nickname": "老王"})
    platform.will(PROFILE, named, named)  # both who are in conversation are looked up
    lin = await meet(rig.store)
    arrived = Received(
        external_id="m-1",
        sender="o-wang",
        at=rig.clock.now(),
        content=Media(kind=MediaKind.IMAGE, ref="media-1"),
    )
    delivery = Delivery(
        source=source_of(rig.accounts[SHOP]), events=(arrived,), received_at=rig.clock.now()
    )
    typing = HttpCall(method="POST", url=f"{platform.url}/typing", body=b"{}")
    async with (
        open_transport(
            store=rig.store,
            accounts=rig.accounts,
            clock=rig.clock,
            ids=rig.ids,
            name="daemon-1",
            settings=rig.settings,
            policy=POLICY,
        ) as room,
        heard(rig.store) as news,
        asyncio.TaskGroup() as tasks,
    ):
        rig.store.listen(room.heard)
        works: list[Sender | Afterwards | Duty] = [
            room.sender,
            room.afterwards,
            *room.duties.values(),
        ]
        owned = [tasks.create_task(each.run(), name="owned") for each in works]
        room.afterwards.after(SHOP, (typing,))
        row = await say(rig, lin, "您好")
        taken = await rig.store.transact(take_in, delivery, POLICY)
        await rig.settled(row)
        async with asyncio.timeout(PATIENCE):
            while not await _shown(rig, taken.added[0].id):
                await news.wait()
                news.clear()
        await room.afterwards.idle()
        for task in owned:
            task.cancel()
    asked = {each.path for each in platform.seen}
    assert {SEND, FETCH, PROFILE, "/typing"} <= asked


async def _shown(rig: Rig, said: str) -> bool:
    content = (await rig.said(said)).content
    known = await rig.store.read(lambda unit: unit.contacts.known(SHOP, "o-wang"))
    return isinstance(content, Media) and bool(content.stored) and known.name == "老王"


async def test_a_push_before_there_are_sockets_comes_too_early_and_then_arrives() -> None:
    late = LatePush()
    frame = Push(recipient="visitor-1", payload=b"{}")
    assert (await late(SHOP, frame)).status == 503

    async def port(account: AccountName, call: Push) -> Reply:
        return Reply(status=202, body=f"{account} {call.recipient}".encode())

    late.port = port
    assert (await late(SHOP, frame)).body == b"shop-wechat visitor-1"


async def test_each_account_is_heard_over_the_connection_that_it_asks_for(rig: Rig) -> None:
    known = channels()
    given: tuple[tuple[str, dict[str, Any]], ...] = (
        ("taobao", {"app_key": "1", "app_secret": "s", "socket": True}),
        ("pinduoduo", {"client_id": "1", "client_secret": "s", "socket": True}),
        ("dingtalk", {"app_key": "1", "app_secret": "s", "stream": True}),
        ("inapp", {"tenant": "shop", "broker_url": "mqtt://127.0.0.1:1"}),
    )
    asking = [(channel, f"{channel}-on", settings) for channel, settings in given]
    silent = [
        (channel, f"{channel}-off", {**settings, name: False})
        for channel, settings in given
        for name in ("socket", "stream")
        if name in settings
    ]
    accounts = {
        AccountName(name): open_account(
            known[channel],
            name=AccountName(name),
            queue=QueueName("general"),
            settings=settings,
            path_secret="0123456789abcdef",
        )
        for channel, name, settings in (*asking, *silent)
    }
    async with open_transport(
        store=rig.store,
        accounts=accounts,
        clock=rig.clock,
        ids=rig.ids,
        name="daemon-1",
        settings=rig.settings,
        policy=POLICY,
        intake=Intake(rig.store, POLICY),
    ) as room:
        kinds = {name: type(each).__name__ for name, each in room.streams.items()}
        lines = set(room.lines)
    assert kinds == {"taobao-on": "Socket", "pinduoduo-on": "Socket", "dingtalk-on": "Stream"}
    assert lines == {"inapp-on"}
