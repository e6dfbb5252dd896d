"""Bells, profiles and courtesies: what is asked of platforms beside sending."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from aiohttp import web

from router.channel.accounts import Account
from router.channel.contract import (
    Bell,
    Deferred,
    Event,
    HttpCall,
    Malformed,
    Moment,
    Outcome,
    Pulled,
    Received,
    Reply,
    Token,
    enclosed,
)
from router.domain.content import Media, MediaKind, Text
from router.domain.identity import Claim, ClaimKind
from router.domain.ids import AccountName, ContactId
from router.service.arrivals import Delivery, TakenIn, source_of
from router.service.intake import take_in
from router.service.pull import ringing
from router.settings.load import load
from router.transport.afterwards import Afterwards
from router.transport.carrier import Carrier
from router.transport.duty import Duty
from router.transport.profiles import Profiles, wakes
from router.transport.pulls import Puller
from tests.builders import NOW
from tests.transport.platform import PROFILE, SEND, Held, Platform, says
from tests.transport.rig import NEWS, PATIENCE, SHOP, Rig

POLICY = load(environ={}).policy


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A channel that rings and is pulled: pages of words behind a number."""

    url: str

    def sign(self, call: HttpCall, *, token: Token | None, moment: Moment) -> HttpCall:
        return call

    def pull_call(self, bell: Bell, *, cursor: str) -> HttpCall:
        return HttpCall(method="GET", url=f"{self.url}/pull?after={cursor}")

    def read_pull(self, bell: Bell, reply: Reply) -> Pulled | Outcome:
        if reply.status != 200:
            return Deferred(why=f"HTTP {reply.status}")
        try:
            page = json.loads(reply.body)
        except ValueError as error:
            raise Malformed("not JSON") from error
        return Pulled(
            events=tuple(_word(each) for each in page["words"]),
            cursor=page["cursor"],
            more=page["more"],
        )


def _word(given: Any) -> Received:

    return Received(
        external_id=given["id"], sender="o-lin", at=NOW, content=Text(text=given["text"])
    )


def page(*words: str, cursor: str, more: bool = False) -> Any:
    found = [{"id": f"id-{word}", "text": word} for word in words]
    return says({"words": found, "cursor": cursor, "more": more})


def mailbox(rig: Rig, platform: Platform) -> Account:
    return replace(rig.accounts[SHOP], adapter=Mailbox(platform.url))


def puller(rig: Rig, *accounts: Account) -> Puller:
    return Puller(
        store=rig.store,
        accounts={each.name: each for each in accounts},
        asker=rig.asker,
        policy=POLICY,
        clock=rig.clock,
        ids=rig.ids,
        settings=rig.settings,
    )


async def happen(rig: Rig, *events: Event, account: AccountName = SHOP) -> TakenIn:
    delivery = Delivery(
        source=source_of(rig.accounts[account]), events=events, received_at=rig.clock.now()
    )
    return await rig.store.transact(take_in, delivery, POLICY)


async def heard_of(rig: Rig) -> list[str]:
    """Return the words on the timeline of whoever was heard, oldest first."""

    def words(unit: Any) -> list[str]:
        known = unit.contacts.known(SHOP, "o-lin")
        return [each.content.text for each in unit.conversations.timeline([known.contact])][::-1]

    return await rig.store.read(words)


BELL = Bell(cursor_key="box", hint="ring-1")


async def test_what_a_bell_announces_is_pulled_page_by_page(rig: Rig, platform: Platform) -> None:
    platform.will("/pull", page("一", "二", cursor="2", more=True), page("三", cursor="3"))
    await happen(rig, BELL)
    await puller(rig, mailbox(rig, platform)).work()
    assert await heard_of(rig) == ["一", "二", "三"]
    assert [each.query["after"] for each in platform.seen] == ["", "2"]
    assert await rig.store.read(ringing) == ()
    await happen(rig, replace(BELL, hint="ring-2"))
    [bell] = await rig.store.read(ringing)
    assert bell.cursor == "3"


async def test_a_bell_that_rings_while_a_page_is_fetched_is_answered_too(
    rig_on_both: Rig, platform: Platform
) -> None:
    rig = rig_on_both
    slow = Held(then=page("一", cursor="1"))
    platform.will("/pull", slow, page("二", cursor="2"))
    await happen(rig, BELL)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(puller(rig, mailbox(rig, platform)).work(), name="pull")
        await slow.asked.wait()
        await happen(rig, replace(BELL, hint="ring-2"))
        slow.go.set()
    assert await heard_of(rig) == ["一", "二"]
    assert await rig.store.read(ringing) == ()


@dataclass(frozen=True, slots=True)
class Parcel(Mailbox):
    """A mailbox whose page is a picture."""

    def read_pull(self, bell: Bell, reply: Reply) -> Pulled | Outcome:
        file = enclosed(reply.body, "a.png")
        said = Received(
            external_id="id-1",
            sender="o-lin",
            at=NOW,
            content=Media(kind=MediaKind.IMAGE, ref=file.ref, name="a.png"),
        )
        return Pulled(events=(said,), cursor="1", more=False, files=(file,))


async def test_a_file_that_came_with_a_page_is_kept_with_it(rig: Rig, platform: Platform) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + b"sofa"

    async def gives(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=picture)

    platform.will("/pull", gives)
    await happen(rig, BELL)
    await puller(rig, replace(rig.accounts[SHOP], adapter=Parcel(platform.url))).work()

    def shown(unit: Any) -> Media:
        known = unit.contacts.known(SHOP, "o-lin")
        (said,) = unit.conversations.timeline([known.contact])
        kept: Media = said.content
        return kept

    media = await rig.store.read(shown)
    assert (media.mime, media.size) == ("image/png", len(picture))
    assert (rig.settings.media / media.stored).read_bytes() == picture


async def test_a_page_that_comes_twice_is_history_once(rig: Rig, platform: Platform) -> None:
    platform.will(
        "/pull", page("一", cursor="1", more=True), page("一", "二", cursor="2"), says({})
    )
    await happen(rig, BELL)
    await puller(rig, mailbox(rig, platform)).work()
    assert await heard_of(rig) == ["一", "二"]


async def test_a_pull_that_fails_is_tried_later_from_where_it_stood(
    rig: Rig, platform: Platform
) -> None:
    platform.will("/pull", page("一", cursor="1", more=True), says({}, status=503))
    platform.will("/pull", page("二", cursor="2"))
    await happen(rig, BELL)
    at_work = puller(rig, mailbox(rig, platform))
    await at_work.work()
    await at_work.work()
    assert await heard_of(rig) == ["一"]
    rig.clock.advance(timedelta(minutes=1))
    await at_work.work()
    assert await heard_of(rig) == ["一", "二"]
    assert [each.query["after"] for each in platform.seen] == ["", "1", "1"]


async def test_a_page_that_nobody_can_read_is_kept_once_for_the_operator(
    rig: Rig, platform: Platform
) -> None:
    async def nonsense(_: Any) -> Any:

        return web.Response(text="<nonsense>")

    platform.will("/pull", nonsense, nonsense)
    await happen(rig, BELL)
    at_work = puller(rig, mailbox(rig, platform))
    await at_work.work()
    rig.clock.advance(timedelta(minutes=1))
    await at_work.work()
    kept = await rig.store.read(lambda unit: unit.journal.deliveries(state="unreadable"))
    assert [(each.body, each.url) for each in kept] == [(b"<nonsense>", "box")]


# ----- duties -------------------------------------------------------------------------------------


async def test_a_duty_is_done_by_one_daemon_until_it_is_gone(rig: Rig) -> None:
    worked: asyncio.Queue[str] = asyncio.Queue()

    def duty(name: str) -> Duty:
        async def work() -> timedelta:
            worked.put_nowait(name)
            return timedelta(milliseconds=20)

        return Duty(
            "sweeping",
            work,
            store=rig.store,
            clock=rig.clock,
            holder=name,
            wakes=wakes,
            poll=timedelta(milliseconds=20),
            lasts=timedelta(minutes=1),
        )

    one, two = duty("one"), duty("two")
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
        first = tasks.create_task(one.run(), name="one")
        assert await worked.get() == "one"
        tasks.create_task(two.run(), name="two")
        assert [await worked.get() for _ in range(5)] == ["one"] * 5
        first.cancel()
        while await worked.get() != "two":
            continue
        two.stop()


# ----- profiles -----------------------------------------------------------------------------------


def profiles(rig: Rig) -> Profiles:
    made = Profiles(
        store=rig.store,
        accounts=rig.accounts,
        asker=rig.asker,
        policy=POLICY,
        clock=rig.clock,
        ids=rig.ids,
        settings=rig.settings,
    )
    rig.store.listen(made.heard)
    return made


def word(rig: Rig, sender: str, *claims: Claim) -> Received:
    return Received(
        external_id=f"m-{rig.ids.new()}",
        sender=sender,
        at=rig.clock.now(),
        content=Text(text="您好"),
        claims=claims,
    )


async def root_of(rig: Rig, account: AccountName, person: str) -> tuple[ContactId, str]:
    def ask(unit: Any) -> tuple[ContactId, str]:
        known = unit.contacts.known(account, person)
        return unit.contacts.get(known.contact).root, known.name

    return await rig.store.read(ask)


async def test_a_newcomer_is_looked_up_once_and_recognised_by_the_union_id(
    rig: Rig, platform: Platform
) -> None:
    union = Claim(kind=ClaimKind.UNION, value="union-lin", verified=True, source="platform")
    await happen(rig, word(rig, "weibo-lin", union), account=NEWS)
    at_work = profiles(rig)
    await happen(rig, word(rig, "o-lin"))
    platform.will(PROFILE, says({"openid": "o-lin", "unionid": "union-lin", "nickname": "小满"}))
    await at_work.work()
    await happen(rig, word(rig, "o-lin"))
    await at_work.work()
    there, _ = await root_of(rig, NEWS, "weibo-lin")
    assert await root_of(rig, SHOP, "o-lin") == (there, "小满")
    assert len(platform.asked(PROFILE)) == 1


async def test_who_came_before_the_daemon_started_is_looked_up_too(
    rig: Rig, platform: Platform
) -> None:
    await happen(rig, word(rig, "o-lin"), word(rig, "o-wang"))
    platform.will(PROFILE, says({"openid": "o", "nickname": "小满"}), says({"errcode": 40003}))
    at_work = profiles(rig)
    await at_work.work()
    await at_work.work()
    assert len(platform.asked(PROFILE)) == 2


async def test_a_busy_platform_is_asked_about_a_person_again(rig: Rig, platform: Platform) -> None:
    at_work = profiles(rig)
    await happen(rig, word(rig, "o-lin"))
    platform.will(PROFILE, says({"errcode": -1, "errmsg": "busy"}))
    platform.will(PROFILE, says({"openid": "o-lin", "nickname": "小满"}))
    await at_work.work()
    await at_work.work()
    assert len(platform.asked(PROFILE)) == 1
    rig.clock.advance(timedelta(minutes=1))
    await at_work.work()
    assert (await root_of(rig, SHOP, "o-lin"))[1] == "小满"


# ----- calls after a delivery ---------------------------------------------------------------------


async def test_what_an_adapter_wants_called_is_called_after_the_commit(
    rig: Rig, platform: Platform
) -> None:
    afterwards = Afterwards(accounts=rig.accounts, asker=rig.asker, carrier=Carrier(http=rig.http))
    typing = HttpCall(method="POST", url=f"{platform.url}{SEND}", body=b'{"text":{"content":""}}')
    calls: Sequence[HttpCall] = [replace(typing, url="not an address"), typing]
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(afterwards.run(), name="afterwards")
        afterwards.after(SHOP, calls)
        await afterwards.idle()
        running.cancel()
    [made] = platform.asked(SEND)
    assert made.query == {"access_token": "token-1"}
