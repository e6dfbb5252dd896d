"""Open pages hear what happens, within a second, and only what is theirs to hear."""

import asyncio

from aiohttp import ClientSession

from router.domain.events import KINDS
from router.domain.ids import ConversationId
from router.domain.workforce import Role
from router.service import people
from router.service.awareness import alert_holders
from router.service.unit import Unit
from router.web.live import HUB, TOPICS
from tests.web.house import House, listening, sign_in


def test_every_kind_of_event_has_its_topics() -> None:
    assert set(TOPICS) == set(KINDS)


async def test_a_new_message_is_told_to_the_queues_within_a_second(
    house: House, client: ClientSession
) -> None:
    await house.agent("boss", Role.SUPERVISOR)
    await sign_in(client, "boss")
    async with listening(client, "queues") as stream:
        first = await stream.until("queues")  # what happened before the stream began
        await house.wechat_says(client, "桌子坏了")
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert await stream.until("queues") > first
        assert loop.time() - began < 1.5


async def test_a_burst_is_one_event_a_second_and_the_desk_hears_at_once(
    house: House, client: ClientSession
) -> None:
    boss = await house.agent("boss", Role.SUPERVISOR)
    await sign_in(client, "boss")
    conversation = await house.wechat_says(client, "桌子坏了")
    await house.give(conversation, boss)
    async with listening(client, "queues,desk") as stream:
        await stream.until("queues")
        loop = asyncio.get_running_loop()
        began = loop.time()
        for message in range(2, 12):
            await house.wechat_says(client, "桌子坏了", message)
        await stream.until("desk")
        assert loop.time() - began < 0.9
        await stream.until("queues")
        assert loop.time() - began > 0.5
    assert stream.heard.count("queues") <= 4


async def test_an_agent_hears_of_their_own_desk_and_not_of_a_colleagues(
    house: House, client: ClientSession
) -> None:
    chen, li = await house.agent("chen"), await house.agent("li")
    ours = await house.wechat_says(client, "桌子坏了", 1, "o-ours")
    theirs = await house.wechat_says(client, "椅子坏了", 2, "o-theirs")
    await house.give(ours, chen)
    await house.give(theirs, li)
    await sign_in(client, "chen")
    async with listening(client, f"desk,conversation:{theirs}") as stream:
        for _ in range(2):
            await stream.next()
        await house.wechat_says(client, "还在吗", 3, "o-theirs")
        await stream.until(f"conversation:{theirs}")
        assert stream.heard.count("desk") == 1
        await house.wechat_says(client, "还在吗", 4, "o-ours")
        await stream.until("desk")


async def test_an_alert_is_heard_at_once(house: House, client: ClientSession) -> None:
    chen = await house.agent("chen")
    conversation = await house.wechat_says(client, "桌子坏了")
    await house.give(conversation, chen)
    await sign_in(client, "chen")
    async with listening(client, "alerts") as stream:
        await stream.until("alerts")
        await _alert(house, conversation)
        await stream.until("alerts")


async def _alert(house: House, conversation: ConversationId) -> None:
    def tell(unit: Unit) -> None:
        contact = unit.conversations.get(conversation).contact
        alert_holders(unit, contact, kind="complaint", at=house.clock.now(), case=None)

    await house.store.transact(tell)


async def test_a_page_that_comes_back_hears_only_if_something_happened_meanwhile(
    house: House, client: ClientSession
) -> None:
    await house.agent("boss", Role.SUPERVISOR)
    await sign_in(client, "boss")
    await house.wechat_says(client, "桌子坏了")
    async with listening(client, "queues") as stream:
        seen = await stream.until("queues")
    await house.wechat_says(client, "在吗", 2)
    async with listening(client, "queues", **{"Last-Event-ID": str(seen)}) as stream:
        newer = await stream.until("queues")
    assert newer > seen


async def test_what_other_daemons_did_is_told_like_our_own(
    house: House, client: ClientSession
) -> None:
    await house.agent("boss", Role.SUPERVISOR)
    await sign_in(client, "boss")
    await house.wechat_says(client, "桌子坏了")
    events = await house.store.read(lambda unit: unit.journal.events_since(0))
    async with listening(client, "queues") as stream:
        await stream.until("queues")
        house.app[HUB].notice(events)
        await stream.until("queues")


async def test_topics_are_checked_against_the_role(house: House, client: ClientSession) -> None:
    await house.agent("chen")
    assert (await client.get("/live?topics=desk")).status == 401
    await sign_in(client, "chen")
    for topics, status in (("queues", 403), ("trouble", 403), ("nonsense", 400), ("", 400)):
        assert (await client.get(f"/live?topics={topics}")).status == status


async def test_a_stream_ends_when_the_daemon_stops(house: House, client: ClientSession) -> None:
    chen = await house.agent("chen")
    await sign_in(client, "chen")
    async with listening(client, "desk") as stream:
        await stream.until("desk")
        house.app[HUB].stop()
        async with asyncio.timeout(5):
            assert (await stream.answer.content.read()).count(b"event:") == 0
    await house.store.transact(people.end_sessions, agent=chen.id, by=chen.id, at=house.clock.now())
