"""Long answers and many at once: in order, at the platform's pace, and nobody waits for another."""

import json
from datetime import timedelta

from structlog.testing import capture_logs

from tests.transport.platform import (
    OK,
    SEND,
    Held,
    Platform,
    cuts,
    says,
)
from tests.transport.rig import NEWS, SHOP, Rig, a_rig, meet, say, sending, settings, wechat


async def test_a_long_answer_goes_on_at_the_part_that_failed(rig: Rig, platform: Platform) -> None:
    words = "。".join(f"第{number}条说明文字" * 20 for number in range(15))
    platform.will(SEND, OK, says({"errcode": -1, "errmsg": "system error"}))
    lin = await meet(rig.store)
    async with sending(rig.sender()) as sender:
        row = await say(rig, lin, words)
        rows = await rig.tried(row, 1)
        assert rows[row].next_call == 1
        rig.clock.advance(timedelta(minutes=1))
        sender.wake()
        rows = await rig.settled(row)
    parts = platform.sent()
    assert len(rows[row].calls) >= 3
    assert parts[1] == parts[2]
    assert "".join([parts[0], *parts[2:]]) == words


async def test_everybody_hears_our_words_in_the_order_in_which_we_said_them(
    rig_on_both: Rig, platform: Platform
) -> None:
    rig = rig_on_both
    people = {name: await meet(rig.store, name) for name in ("o-a", "o-b", "o-c", "o-d")}
    failing = says({"errcode": -1, "errmsg": "system error"})
    platform.will(SEND, OK, failing, OK, OK, failing, failing, OK)
    given = settings(
        rig.settings.media,
        first_wait=timedelta(milliseconds=0),
        longest_wait=timedelta(milliseconds=0),
        at_once=3,
    )
    accounts = list(rig.accounts.values())
    async with a_rig(rig.store, rig.clock, rig.ids, accounts=accounts, given=given) as quick:
        one, two = quick.sender("daemon-1"), quick.sender("daemon-2")
        async with sending(one), sending(two):
            for number in range(6):
                for met in people.values():
                    await say(quick, met, f"{number}")
            await quick.settled()
    for name in people:
        heard = [each.text for each in platform.asked(SEND) if each.recipient == name]
        assert heard == sorted(heard)
        assert set(heard) == {"0", "1", "2", "3", "4", "5"}
    assert len(platform.sent()) == 24 + 3


async def test_a_slow_account_does_not_hold_up_another(rig: Rig, platform: Platform) -> None:
    crowd = [await meet(rig.store, f"o-{number}") for number in range(12)]
    wang = await meet(rig.store, "123", account=NEWS)
    slow = [Held(then=OK) for _ in crowd]
    platform.will(SEND, *slow)
    async with sending(rig.sender()):
        for met in crowd:
            await say(rig, met, "一")
        await slow[rig.settings.at_once - 1].asked.wait()
        await rig.settled(await say(rig, wang, "二"))
        assert len(platform.sent()) == rig.settings.at_once
        for each in slow:
            each.go.set()
        await rig.settled()
    assert len(platform.sent()) == 12


async def test_an_outage_does_not_use_up_the_attempts_of_all_that_waits(
    rig: Rig, platform: Platform
) -> None:
    platform.will(SEND, *[says({"errcode": -1}, status=200)] * rig.settings.at_once)
    people = [await meet(rig.store, f"o-{number}") for number in range(30)]
    for met in people:
        await say(rig, met, "一")
    async with sending(rig.sender()) as sender:
        rows = await rig.until(lambda _: SHOP in sender.resting)
        assert len(platform.sent()) <= 2 * rig.settings.at_once
        assert min(row.attempts for row in rows.values()) == 0
        rig.clock.advance(timedelta(minutes=1))
        sender.wake()
        await rig.settled()
    assert len(platform.sent()) == 30 + rig.settings.at_once


async def test_no_more_calls_leave_in_a_second_than_the_platform_allows(
    rig: Rig, platform: Platform
) -> None:
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    counted = wechat(platform.url, sends_per_second=2.0)
    async with a_rig(rig.store, rig.clock, rig.ids, accounts=[counted], given=rig.settings) as slow:
        people = [await meet(rig.store, f"o-{number}") for number in range(4)]
        for met in people:
            await say(slow, met, "一")
        async with sending(slow.sender(wait=wait)):
            await slow.settled()
    assert len(waited) == 2
    assert 0.3 < waited[0] <= 0.5 < waited[1] <= 1.0


# ----- what the log says --------------------------------------------------------------------------


async def test_no_word_and_no_credential_gets_into_the_log(rig: Rig, platform: Platform) -> None:
    platform.will(SEND, says({"errcode": -1}), cuts, says({"errcode": 40001}))
    people = [await meet(rig.store, f"o-marked-{number}") for number in range(4)]
    with capture_logs() as lines:
        async with sending(rig.sender()) as sender:
            for met in people:
                await say(rig, met, "marked words")
            await rig.until(
                lambda found: all(each.attempts or each.settled_at for each in found.values())
            )
            rig.clock.advance(timedelta(minutes=1))
            sender.wake()
            await rig.settled()
    assert len([line for line in lines if line["event"] == "call_made"]) == 6
    said = json.dumps(lines)
    for secret in ("marked", "token-1", "token-2", "access_token"):
        assert secret not in said.replace("with-o-marked", "")
