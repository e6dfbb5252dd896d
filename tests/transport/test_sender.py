"""An answer on its way to the customer: once, in order, and in sight when it does not arrive."""

from datetime import timedelta

from adapters.standard import CHANNEL as STANDARD
from router.channel.accounts import open_account
from router.channel.contract import Reason
from router.domain.ids import AccountName, AgentId, QueueName
from router.domain.timeline import Sending
from router.service import delivery
from router.service.records import OutboxState
from tests.transport.platform import (
    OK,
    SEND,
    TOKEN,
    WEIBO_SEND,
    Held,
    Platform,
    breaks_off,
    cuts,
    says,
)
from tests.transport.rig import NEWS, SHOP, Rig, a_rig, meet, say, sending, settings, wechat


async def test_an_answer_reaches_the_customer_once(rig_on_both: Rig, platform: Platform) -> None:
    rig = rig_on_both
    lin = await meet(rig.store)
    async with sending(rig.sender()):
        row = await say(rig, lin, "您好,马上为您查。")
        await rig.settled(row)
    [request] = platform.asked(SEND)
    assert (request.text, request.recipient) == ("您好,马上为您查。", "o-lin")
    assert request.query == {"access_token": "token-1"}
    assert (await rig.said(row)).sending is Sending.SENT
    assert (await rig.row(row)).state is OutboxState.SENT


async def test_what_waits_in_the_outbox_is_sent_when_the_daemon_starts(
    rig: Rig, platform: Platform
) -> None:
    row = await say(rig, await meet(rig.store), "您好")
    async with sending(rig.sender()):
        await rig.settled(row)
    assert platform.sent() == ["您好"]


async def test_no_stored_call_holds_a_credential(rig: Rig, platform: Platform) -> None:
    async with sending(rig.sender()):
        row = await say(rig, await meet(rig.store), "您好")
        rows = await rig.settled(row)
    assert platform.asked(SEND)[0].query["access_token"] == "token-1"
    assert "token-1" not in repr(rows[row].calls)


async def test_weibo_is_answered_with_its_own_form(rig: Rig, platform: Platform) -> None:
    wang = await meet(rig.store, "1234567890", account=NEWS)
    async with sending(rig.sender()):
        await rig.settled(await say(rig, wang, "您好"))
    [request] = platform.asked(WEIBO_SEND)
    assert request.form["access_token"] == ["weibo-token"]
    assert request.form["receiver_id"] == ["1234567890"]


# ----- not now -----------------------------------------------------------------------------------


async def test_a_busy_platform_is_asked_again_later(rig: Rig, platform: Platform) -> None:
    platform.will(SEND, says({"errcode": -1, "errmsg": "system error"}))
    lin = await meet(rig.store)
    async with sending(rig.sender()) as sender:
        row = await say(rig, lin, "您好")
        rows = await rig.tried(row, 1)
        assert rows[row].next_at > rig.clock.now()
        assert rows[row].state is OutboxState.QUEUED
        rig.clock.advance(rows[row].next_at - rig.clock.now())
        sender.wake()
        await rig.settled(row)
    assert platform.sent() == ["您好", "您好"]
    assert (await rig.said(row)).sending is Sending.SENT


async def test_the_platforms_own_waiting_time_is_kept(rig: Rig, platform: Platform) -> None:
    platform.will(SEND, says({}, status=429, headers={"retry-after": "77"}))
    async with sending(rig.sender()):
        row = await say(rig, await meet(rig.store), "您好")
        rows = await rig.tried(row, 1)
    assert rows[row].next_at == rig.clock.now() + timedelta(seconds=77)


async def test_a_later_word_waits_for_an_earlier_one_that_is_tried_again(
    rig_on_both: Rig, platform: Platform
) -> None:
    rig = rig_on_both
    platform.will(SEND, says({}, status=429))
    lin, wang = await meet(rig.store), await meet(rig.store, "o-wang")
    async with sending(rig.sender()) as sender:
        first = await say(rig, lin, "一")
        await rig.tried(first, 1)
        second = await say(rig, lin, "二")
        other = await say(rig, wang, "三")
        await rig.settled(other)
        assert (await rig.row(second)).state is OutboxState.QUEUED
        rig.clock.advance(timedelta(minutes=1))
        sender.wake()
        await rig.settled()
    assert platform.sent() == ["一", "三", "一", "二"]


async def test_an_unreachable_platform_costs_attempts_and_then_a_person_must_look(
    rig: Rig,
) -> None:
    nowhere = wechat("http://127.0.0.1:9", name=AccountName("far-away"))
    given = settings(rig.settings.media, most_attempts=3)
    async with a_rig(rig.store, rig.clock, rig.ids, accounts=[nowhere], given=given) as far:
        lin = await meet(far.store, account=nowhere.name)
        async with sending(far.sender()) as sender:
            row = await say(far, lin, "您好")
            for attempt in (1, 2):
                await far.tried(row, attempt)
                far.clock.advance(timedelta(minutes=10))
                sender.wake()
            rows = await far.settled(row)
    assert rows[row].state is OutboxState.DEAD
    assert (await rig.said(row)).sending is Sending.DEAD
    assert {alert.kind for alert in await rig.alerts()} == {"reply_dead"}
    assert {alert.agent for alert in await rig.alerts()} == {None, AgentId("agent-1")}


async def test_a_dead_letter_that_is_queued_again_is_sent(rig: Rig, platform: Platform) -> None:
    lin = await meet(rig.store)
    platform.will(SEND, says({"errcode": 45015, "errmsg": "response out of time limit"}))
    async with sending(rig.sender()):
        row = await say(rig, lin, "您好")
        rows = await rig.settled(row)
        assert rows[row].reason == Reason.WINDOW
        at = rig.clock.now()
        await rig.store.transact(delivery.requeue, row, by=AgentId("boss"), at=at)
        await rig.until(lambda found: found[row].state is OutboxState.SENT)
    assert platform.sent() == ["您好", "您好"]


# ----- never -------------------------------------------------------------------------------------


async def test_a_closed_window_is_shown_where_the_answer_stands(
    rig: Rig, platform: Platform
) -> None:
    platform.will(
        SEND,
        says({"errcode": 45015, "errmsg": "response out of time limit"}),
        says({"errcode": 45047, "errmsg": "out of response count limit"}),
    )
    lin = await meet(rig.store)
    async with sending(rig.sender()) as sender:
        first, second = await say(rig, lin, "一"), await say(rig, lin, "二")
        await rig.settled(first, second)
        assert sender.resting == {}
    shown = [await rig.said(row) for row in (first, second)]
    assert [each.sending for each in shown] == [Sending.REFUSED, Sending.REFUSED]
    assert [each.why for each in shown] == ["window", "quota"]
    assert [alert.kind for alert in await rig.alerts()] == ["reply_refused", "reply_refused"]


async def test_an_account_that_is_refused_rests_alone(rig_on_both: Rig, platform: Platform) -> None:
    rig = rig_on_both
    platform.will(SEND, says({"errcode": 48001, "errmsg": "api unauthorized"}))
    lin, wang = await meet(rig.store), await meet(rig.store, "123", account=NEWS)
    async with sending(rig.sender()) as sender:
        await rig.settled(await say(rig, lin, "一"))
        await rig.until(lambda _: SHOP in sender.resting)
        waits = await say(rig, lin, "二")
        await rig.settled(await say(rig, wang, "三"))
        assert (await rig.row(waits)).state is OutboxState.QUEUED
        rig.clock.advance(rig.settings.pause)
        sender.wake()
        await rig.settled(waits)
    assert platform.sent() == ["一", "二"]
    kinds = sorted(alert.kind for alert in await rig.alerts())
    assert kinds == ["account_refused", "reply_refused"]


async def test_an_answer_of_an_account_that_is_gone_is_refused_in_sight(rig: Rig) -> None:
    row = await say(rig, await meet(rig.store, account=AccountName("closed-shop")), "您好")
    async with sending(rig.sender()):
        rows = await rig.settled(row)
    assert (rows[row].state, rows[row].reason) == (OutboxState.REFUSED, Reason.ACCOUNT)


# ----- tokens ------------------------------------------------------------------------------------


async def test_a_token_that_the_platform_refuses_is_renewed_once_and_the_answer_goes_out(
    rig: Rig, platform: Platform
) -> None:
    platform.will(SEND, says({"errcode": 40001, "errmsg": "invalid credential"}))
    async with sending(rig.sender()):
        await rig.settled(await say(rig, await meet(rig.store), "您好"))
    used = [each.query["access_token"] for each in platform.asked(SEND)]
    assert used == ["token-1", "token-2"]


async def test_a_second_refused_token_is_the_accounts_trouble(rig: Rig, platform: Platform) -> None:
    bad = says({"errcode": 40001, "errmsg": "invalid credential"})
    platform.will(SEND, bad, bad)
    async with sending(rig.sender()) as sender:
        row = await say(rig, await meet(rig.store), "您好")
        rows = await rig.settled(row)
        await rig.until(lambda _: SHOP in sender.resting)
    assert (rows[row].state, rows[row].reason) == (OutboxState.REFUSED, Reason.CREDENTIALS)
    assert platform.tokens == 2


async def test_a_secret_that_the_platform_does_not_know_is_said_to_the_supervisors(
    rig: Rig, platform: Platform
) -> None:
    platform.will(TOKEN, says({"errcode": 40125, "errmsg": "invalid appsecret"}))
    async with sending(rig.sender()) as sender:
        row = await say(rig, await meet(rig.store), "您好")
        rows = await rig.settled(row)
        await rig.until(lambda _: SHOP in sender.resting)
    assert rows[row].reason == Reason.CREDENTIALS
    assert platform.asked(SEND) == []
    assert "account_refused" in {alert.kind for alert in await rig.alerts()}


# ----- in doubt ----------------------------------------------------------------------------------


async def test_a_call_that_may_have_arrived_is_not_repeated(rig: Rig, platform: Platform) -> None:
    for answer in (cuts, breaks_off):
        platform.will(SEND, answer)
    lin, wang = await meet(rig.store), await meet(rig.store, "o-wang")
    async with sending(rig.sender()):
        rows = await rig.settled(await say(rig, lin, "一"), await say(rig, wang, "二"))
    assert {row.state for row in rows.values()} == {OutboxState.IN_DOUBT}
    assert sorted(platform.sent()) == ["一", "二"]
    for row in rows:
        assert (await rig.said(row)).sending is Sending.DOUBT
    assert [alert.kind for alert in await rig.alerts()] == ["reply_in_doubt"] * 4


async def test_a_platform_that_fails_or_answers_nonsense_may_have_done_it_all_the_same(
    rig: Rig, platform: Platform
) -> None:
    platform.will(SEND, says({}, status=500), says({}, status=504), says([]))
    people = [await meet(rig.store, f"o-{number}") for number in range(3)]
    async with sending(rig.sender()):
        rows = await rig.settled(*[await say(rig, each, "您好") for each in people])
    assert {row.state for row in rows.values()} == {OutboxState.IN_DOUBT}
    assert platform.sent() == ["您好"] * 3


async def test_a_platform_that_fails_and_knows_our_ids_is_asked_again(
    rig: Rig, platform: Platform
) -> None:
    platform.will(SEND, says({}, status=500))
    keyed = wechat(platform.url, idempotent_sends=True)
    async with (
        a_rig(rig.store, rig.clock, rig.ids, accounts=[keyed], given=rig.settings) as safe,
        sending(safe.sender()) as sender,
    ):
        row = await say(safe, await meet(rig.store), "您好")
        await safe.tried(row, 1)
        rig.clock.advance(timedelta(minutes=1))
        sender.wake()
        rows = await safe.settled(row)
    assert rows[row].state is OutboxState.SENT


async def test_while_a_platform_fails_not_everything_that_waits_is_put_in_doubt(
    rig: Rig, platform: Platform
) -> None:
    platform.will(SEND, *[says({}, status=503)] * rig.settings.at_once)
    for number in range(30):
        await say(rig, await meet(rig.store, f"o-{number}"), "一")
    async with sending(rig.sender()) as sender:
        await rig.until(lambda _: SHOP in sender.resting)
        rig.clock.advance(timedelta(minutes=1))
        sender.wake()
        rows = await rig.settled()
    doubted = [row for row in rows.values() if row.state is OutboxState.IN_DOUBT]
    assert len(doubted) == rig.settings.at_once


async def test_what_a_channel_cannot_say_is_refused_with_its_own_reason(rig: Rig) -> None:
    silent = open_account(
        STANDARD,
        name=AccountName("gateway"),
        queue=QueueName("general"),
        settings={"secret": "whsec_" + "QUFB" * 11},
        path_secret="0123456789abcdef",
    )
    async with (
        a_rig(rig.store, rig.clock, rig.ids, accounts=[silent], given=rig.settings) as only,
        sending(only.sender()),
    ):
        row = await say(only, await meet(rig.store, account=silent.name), "您好")
        rows = await only.settled(row)
    assert (rows[row].state, rows[row].reason) == (OutboxState.REFUSED, "unsupported")
    assert (await rig.said(row)).why == "unsupported"


async def test_a_platform_that_hangs_leaves_a_doubt_and_the_next_customer_is_served(
    rig: Rig, platform: Platform
) -> None:
    hangs = Held(then=OK)
    platform.will(SEND, hangs)
    quick = settings(rig.settings.media, total=timedelta(milliseconds=200))
    accounts = list(rig.accounts.values())
    async with a_rig(rig.store, rig.clock, rig.ids, accounts=accounts, given=quick) as hurried:
        lin, wang = await meet(rig.store), await meet(rig.store, "o-wang")
        async with sending(hurried.sender()):
            stuck = await say(rig, lin, "一")
            await hangs.asked.wait()
            rows = await rig.settled(stuck, await say(rig, wang, "二"))
    hangs.go.set()
    assert rows[stuck].state is OutboxState.IN_DOUBT
    assert platform.sent() == ["一", "二"]


async def test_where_the_platform_knows_our_ids_a_doubtful_call_is_sent_again(
    rig: Rig, platform: Platform
) -> None:
    platform.will(SEND, cuts)
    keyed = wechat(platform.url, idempotent_sends=True)
    async with (
        a_rig(rig.store, rig.clock, rig.ids, accounts=[keyed], given=rig.settings) as safe,
        sending(safe.sender()) as sender,
    ):
        row = await say(safe, await meet(rig.store), "您好")
        await safe.tried(row, 1)
        rig.clock.advance(timedelta(minutes=1))
        sender.wake()
        rows = await safe.settled(row)
    assert rows[row].state is OutboxState.SENT
    assert platform.sent() == ["您好", "您好"]


async def test_a_person_can_say_that_a_doubtful_answer_arrived_or_let_it_go(
    rig_on_both: Rig, platform: Platform
) -> None:
    rig = rig_on_both
    platform.will(SEND, cuts, cuts)
    lin, wang = await meet(rig.store), await meet(rig.store, "o-wang")
    async with sending(rig.sender()):
        one, two = await say(rig, lin, "一"), await say(rig, wang, "二")
        await rig.settled(one, two)
        at, boss = rig.clock.now(), AgentId("boss")
        await rig.store.transact(delivery.confirm, one, by=boss, at=at)
        await rig.store.transact(delivery.drop, two, by=boss, at=at)
    assert (await rig.said(one)).sending is Sending.SENT
    assert (await rig.said(two)).why == delivery.DROPPED
    assert (await rig.row(two)).state is OutboxState.REFUSED
    assert len(platform.sent()) == 2
