"""A daemon that dies at the worst moment: nothing is lost, and nothing is said twice."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from router.channel.contract import HttpCall, Outbound, Reply
from router.domain.content import Text
from router.domain.timeline import Sending
from router.service import delivery
from router.service.records import OutboxState
from tests.transport.platform import OK, SEND, TOKEN, Held, Platform, says
from tests.transport.rig import PATIENCE, SHOP, Rig, a_rig, meet, say, sending, settings

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def another_daemon(database: str, platform: Platform, rig: Rig) -> AsyncIterator[None]:
    """Run a sender in another process; kill it with SIGKILL at the end of the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.transport.doomed",
        database,
        platform.url,
        str(rig.settings.media),
        cwd=ROOT,
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


async def test_an_answer_on_its_way_when_the_daemon_is_killed_is_in_doubt_and_not_repeated(
    rig: Rig, platform: Platform, sqlite_database: str
) -> None:
    held = Held(then=OK)
    platform.will(SEND, held)
    lin = await meet(rig.store)
    row = await say(rig, lin, "您好")
    async with another_daemon(sqlite_database, platform, rig), asyncio.timeout(PATIENCE):
        await held.asked.wait()
    held.go.set()
    next_word = await say(rig, lin, "还在吗")
    async with sending(rig.sender()) as sender:
        rig.clock.advance(rig.settings.claim)
        sender.wake()
        rows = await rig.settled(row, next_word)
    assert rows[row].state is OutboxState.IN_DOUBT
    assert (await rig.said(row)).sending is Sending.DOUBT
    assert rows[next_word].state is OutboxState.SENT
    assert platform.sent() == ["您好", "还在吗"]


async def test_an_answer_that_was_only_claimed_when_the_daemon_was_killed_is_sent(
    rig: Rig, platform: Platform, sqlite_database: str
) -> None:
    held = Held(then=says({"errcode": -1}))
    platform.will(TOKEN, held)
    row = await say(rig, await meet(rig.store), "您好")
    async with another_daemon(sqlite_database, platform, rig), asyncio.timeout(PATIENCE):
        await held.asked.wait()
    held.go.set()
    assert (await rig.row(row)).state is OutboxState.SENDING
    async with sending(rig.sender()) as sender:
        rig.clock.advance(rig.settings.claim * 2)  # the lease on the token as well
        sender.wake()
        rows = await rig.settled(row)
    assert (rows[row].state, rows[row].attempts) == (OutboxState.SENT, 0)
    assert platform.sent() == ["您好"]


async def test_a_daemon_that_lost_its_claim_sends_nothing(
    rig_on_both: Rig, platform: Platform
) -> None:
    rig = rig_on_both
    held = Held(then=says({"access_token": "token-late", "expires_in": 7200}))
    platform.will(TOKEN, held)
    async with sending(rig.sender("slow")):
        row = await say(rig, await meet(rig.store), "您好")
        await held.asked.wait()
        later = rig.clock.advance(rig.settings.claim)
        await rig.store.transact(delivery.recover, now=later, repeatable=())
        taken = await rig.store.transact(
            delivery.claim,
            by="quick",
            now=later,
            until=later + timedelta(minutes=5),
            rooms={each.account: 1 for each in (await rig.rows()).values()},
        )
        assert [each.id for each in taken.rows] == [row]
        held.go.set()
    assert platform.sent() == []
    assert (await rig.row(row)).claimed_by == "quick"


async def test_a_claim_that_ran_out_while_its_daemon_waited_doubles_nothing(
    rig_on_both: Rig, platform: Platform
) -> None:
    rig = rig_on_both
    held = Held(then=says({"access_token": "token-late", "expires_in": 7200}))
    platform.will(TOKEN, held)
    async with sending(rig.sender()) as sender:
        row = await say(rig, await meet(rig.store), "您好")
        await held.asked.wait()
        first = (await rig.row(row)).claimed_by
        rig.clock.advance(rig.settings.claim)
        sender.wake()
        await rig.until(lambda found: found[row].claimed_by not in ("", first))
        held.go.set()
        await rig.settled(row)
    assert platform.sent() == ["您好"]


async def test_a_yes_that_comes_after_the_row_was_put_in_doubt_ends_the_doubt(
    rig_on_both: Rig, platform: Platform
) -> None:
    rig = rig_on_both
    held = Held(then=OK)
    platform.will(SEND, held)
    async with sending(rig.sender()):
        row = await say(rig, await meet(rig.store), "您好")
        await held.asked.wait()
        later = rig.clock.advance(rig.settings.claim)
        await rig.store.transact(delivery.recover, now=later, repeatable=())
        assert (await rig.row(row)).state is OutboxState.IN_DOUBT
        held.go.set()
        await rig.until(lambda found: found[row].state is OutboxState.SENT)
    assert (await rig.said(row)).sending is Sending.SENT


async def test_a_stop_waits_for_the_answer_that_is_under_way(rig: Rig, platform: Platform) -> None:
    held = Held(then=OK)
    platform.will(SEND, held)
    async with sending(rig.sender()) as sender:
        row = await say(rig, await meet(rig.store), "您好")
        await held.asked.wait()
        sender.stop()
        late = await say(rig, await meet(rig.store, "o-wang"), "晚安")
        held.go.set()
    assert (await rig.row(row)).state is OutboxState.SENT
    assert (await rig.row(late)).state is OutboxState.QUEUED


async def test_a_long_answer_that_a_stop_interrupts_goes_on_after_it(
    rig: Rig, platform: Platform
) -> None:
    words = "。".join(f"第{number}条说明文字" * 20 for number in range(15))
    held = Held(then=OK)
    platform.will(SEND, held)
    async with sending(rig.sender()) as sender:
        row = await say(rig, await meet(rig.store), words)
        await held.asked.wait()
        sender.stop()
        held.go.set()
    stands = await rig.row(row)
    assert (stands.state, stands.next_call, len(platform.sent())) == (OutboxState.QUEUED, 1, 1)
    async with sending(rig.sender("after the restart")):
        await rig.settled(row)
    assert "".join(platform.sent()) == words


class Clumsy:
    """An adapter with a mistake in it: it breaks on one word, before or after the call."""

    def __init__(self, sound: Any) -> None:
        self._sound = sound

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sound, name)

    def encode(self, message: Outbound) -> Any:
        if message.content == Text(text="unsayable"):
            raise RuntimeError("no words for it")
        return self._sound.encode(message)

    def interpret(self, call: HttpCall, reply: Reply) -> Any:
        if b"unanswerable" in call.body:
            raise RuntimeError("no idea what they mean")
        return self._sound.interpret(call, reply)


async def test_an_adapters_mistake_harms_only_the_answer_that_meets_it(
    rig: Rig, platform: Platform
) -> None:
    sound = rig.accounts[SHOP]
    broken = replace(sound, adapter=Clumsy(sound.adapter))
    given = settings(rig.settings.media, most_attempts=2)
    async with a_rig(rig.store, rig.clock, rig.ids, accounts=[broken], given=given) as clumsy:
        people = [await meet(rig.store, name) for name in ("o-a", "o-b", "o-c")]
        words = ("unsayable", "unanswerable", "您好")
        async with sending(clumsy.sender()) as sender:
            rows = [await say(clumsy, met, word) for met, word in zip(people, words, strict=True)]
            await clumsy.tried(rows[0], 1)
            rig.clock.advance(timedelta(hours=1))
            sender.wake()
            ended = await clumsy.settled(*rows)
    states = [ended[row].state for row in rows]
    assert states == [OutboxState.DEAD, OutboxState.IN_DOUBT, OutboxState.SENT]
    assert sorted(platform.sent()) == ["unanswerable", "您好"]
