"""Answers leave in order, one at a time for each recipient, and none is lost or doubled."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from router.channel.contract import Push, Token
from router.domain.ids import AccountName, InteractionId, OutboxId
from router.service.ports import Conflict, NotFound
from router.service.records import OutboxRow, OutboxState
from router.store.engine import SqlStore
from router.store.unit import SqlUnit
from tests.builders import NOW, a_call, an_outbox_row

WECHAT = AccountName("shop-wechat")
SECOND = timedelta(seconds=1)
UNTIL = NOW + timedelta(minutes=1)
ROW = OutboxId("outbox-1")


def queue(unit: SqlUnit, *rows: OutboxRow) -> None:
    """Add rows."""
    for row in rows:
        unit.outbox.add(row)


def claim(unit: SqlUnit, *, now: datetime = NOW, limit: int = 10) -> list[str]:
    """Claim what is due and return the ids."""
    found = unit.outbox.claim(by="daemon-1", now=now, until=now + timedelta(minutes=1), limit=limit)
    assert all(row.state is OutboxState.SENDING for row in found)
    return [row.id for row in found]


def settle(unit: SqlUnit, row: str, state: OutboxState = OutboxState.SENT) -> None:
    """Write what became of a row."""
    unit.outbox.settle(OutboxId(row), state, at=NOW)


async def test_an_answer_comes_back_with_its_calls(store: SqlStore) -> None:
    given = an_outbox_row(calls=(a_call(), Push(recipient="v", payload=b"\x00\xff")), next_call=1)
    await store.transact(queue, given)
    assert await store.read(lambda unit: unit.outbox.get(ROW)) == given
    with pytest.raises(NotFound):
        await store.read(lambda unit: unit.outbox.get(OutboxId("none")))


async def test_what_is_due_is_claimed_once_oldest_first(store: SqlStore) -> None:
    rows = [an_outbox_row(f"o-{n}", to=f"customer-{n}") for n in (3, 1, 2)]
    later = an_outbox_row("o-4", to="customer-4", next_at=NOW + SECOND)
    await store.transact(queue, *rows, later)
    assert await store.transact(claim, limit=2) == ["o-1", "o-2"]
    assert await store.transact(claim) == ["o-3"]
    assert await store.transact(claim) == []
    assert await store.transact(claim, now=NOW + SECOND) == ["o-4"]


async def test_a_customer_gets_one_answer_at_a_time_in_order(store: SqlStore) -> None:
    await store.transact(queue, *(an_outbox_row(f"o-{n}") for n in (1, 2, 3)))
    sent = []
    while claimed := await store.transact(claim):
        sent.append(claimed)
        assert await store.transact(claim) == []
        await store.transact(settle, claimed[0])
    assert sent == [["o-1"], ["o-2"], ["o-3"]]


async def test_the_same_customer_on_another_account_does_not_wait(store: SqlStore) -> None:
    elsewhere = an_outbox_row("o-2", account=AccountName("shop-weibo"))
    await store.transact(queue, an_outbox_row("o-1"), elsewhere)
    assert await store.transact(claim) == ["o-1", "o-2"]


async def test_an_answer_that_was_put_off_keeps_the_later_ones_waiting(store: SqlStore) -> None:
    await store.transact(queue, an_outbox_row("o-1"), an_outbox_row("o-2"))
    await store.transact(claim)

    def put_off(unit: SqlUnit) -> None:
        unit.outbox.defer(OutboxId("o-1"), until=UNTIL, why="busy", reason="quota")

    await store.transact(put_off)

    assert await store.transact(claim) == []
    assert await store.read(lambda unit: unit.outbox.next_due()) == UNTIL
    row = await store.read(lambda unit: unit.outbox.get(OutboxId("o-1")))
    assert (row.state, row.attempts, row.why, row.reason) == (
        OutboxState.QUEUED,
        1,
        "busy",
        "quota",
    )
    assert await store.transact(claim, now=UNTIL) == ["o-1"]
    with pytest.raises(Conflict):
        await store.transact(settle_and_defer)


def settle_and_defer(unit: SqlUnit) -> None:
    """Put off an answer that has been sent meanwhile."""
    settle(unit, "o-1")
    unit.outbox.defer(OutboxId("o-1"), until=UNTIL, why="too late")


async def test_nothing_is_due_while_the_line_is_empty_or_its_head_is_being_sent(
    store: SqlStore,
) -> None:
    assert await store.read(lambda unit: unit.outbox.next_due()) is None
    await store.transact(queue, an_outbox_row("o-1"), an_outbox_row("o-2"))
    assert await store.read(lambda unit: unit.outbox.next_due()) == NOW
    await store.transact(claim)
    assert await store.read(lambda unit: unit.outbox.next_due()) is None


async def test_what_has_been_done_of_a_message_is_remembered(store: SqlStore) -> None:
    calls = (a_call(note="part 1"), a_call(note="part 2"))

    def send(unit: SqlUnit) -> OutboxRow:
        unit.outbox.add(an_outbox_row())
        claim(unit)
        unit.outbox.encoded(ROW, list(calls))
        unit.outbox.progressed(ROW, next_call=1)
        unit.outbox.settle(ROW, OutboxState.REFUSED, at=UNTIL, why="blocked", reason="recipient")
        return unit.outbox.get(ROW)

    assert await store.transact(send) == an_outbox_row(
        calls=calls,
        next_call=1,
        state=OutboxState.REFUSED,
        why="blocked",
        reason="recipient",
        settled_at=UNTIL,
    )


@pytest.mark.parametrize("state", [OutboxState.DEAD, OutboxState.REFUSED, OutboxState.IN_DOUBT])
async def test_what_got_stuck_is_tried_again_from_its_next_call(
    store: SqlStore, state: OutboxState
) -> None:
    stuck = an_outbox_row(
        calls=(a_call(), a_call()), next_call=1, state=state, attempts=9, why="w", reason="quota"
    )
    await store.transact(queue, replace(stuck, settled_at=NOW))
    await store.transact(lambda unit: unit.outbox.requeue(ROW, at=UNTIL))
    again = replace(stuck, state=OutboxState.QUEUED, attempts=0, why="", reason="", next_at=UNTIL)
    assert await store.read(lambda unit: unit.outbox.get(ROW)) == again


@pytest.mark.parametrize("state", [OutboxState.QUEUED, OutboxState.SENDING, OutboxState.SENT])
async def test_what_is_under_way_or_done_is_not_tried_again(
    store: SqlStore, state: OutboxState
) -> None:
    await store.transact(queue, an_outbox_row(state=state))
    with pytest.raises(Conflict):
        await store.transact(lambda unit: unit.outbox.requeue(ROW, at=NOW))


async def test_an_old_answer_tried_again_waits_for_the_one_being_sent(store: SqlStore) -> None:
    dead = an_outbox_row("o-1", state=OutboxState.DEAD)
    await store.transact(queue, dead, an_outbox_row("o-2"), an_outbox_row("o-3"))
    assert await store.transact(claim) == ["o-2"]
    await store.transact(lambda unit: unit.outbox.requeue(OutboxId("o-1"), at=NOW))
    assert await store.transact(claim) == []
    await store.transact(settle, "o-2")
    assert await store.transact(claim) == ["o-1"]


async def test_a_claim_that_ran_out_tells_that_its_daemon_died(store: SqlStore) -> None:
    await store.transact(queue, an_outbox_row("o-1"), an_outbox_row("o-2", to="another"))
    await store.transact(claim, limit=1)
    assert await store.read(lambda unit: unit.outbox.abandoned(now=UNTIL - SECOND)) == ()
    found = await store.read(lambda unit: unit.outbox.abandoned(now=UNTIL))
    assert [row.id for row in found] == ["o-1"]
    assert await store.transact(claim, now=UNTIL) == ["o-2"]
    await store.transact(settle, "o-1", OutboxState.IN_DOUBT)
    assert await store.read(lambda unit: unit.outbox.abandoned(now=UNTIL)) == ()


async def test_daemons_that_claim_together_never_take_two_of_one_customer(
    store: SqlStore,
) -> None:
    rows = [an_outbox_row(f"o-{n:03d}", to=f"customer-{n % 10}") for n in range(60)]
    await store.transact(queue, *rows)
    recipient = {row.id: row.message.recipient for row in rows}
    in_flight: set[str] = set()
    sent: list[str] = []

    async def drain() -> None:
        while len(sent) < len(rows):
            for row in await store.transact(claim, limit=3):
                customer = recipient[OutboxId(row)]
                assert customer not in in_flight
                in_flight.add(customer)
                await asyncio.sleep(0)
                in_flight.discard(customer)  # before the commit that lets the next one go
                sent.append(row)
                await store.transact(settle, row)

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(drain())

    assert sorted(sent) == sorted(recipient)
    for customer in set(recipient.values()):
        theirs = [row for row in sent if recipient[OutboxId(row)] == customer]
        assert theirs == sorted(theirs)


async def test_rows_are_listed_newest_first_and_counted_in_every_state(store: SqlStore) -> None:
    states = [OutboxState.DEAD, OutboxState.SENT, OutboxState.DEAD, OutboxState.IN_DOUBT]
    rows = [an_outbox_row(f"o-{n}", state=state) for n, state in enumerate(states)]
    await store.transact(queue, *rows)
    stuck = {OutboxState.DEAD, OutboxState.IN_DOUBT}
    found = await store.read(lambda unit: unit.outbox.listed(stuck, limit=2))
    assert [row.id for row in found] == ["o-3", "o-2"]
    assert await store.read(lambda unit: unit.outbox.counts()) == {
        "queued": 0,
        "sending": 0,
        "sent": 1,
        "refused": 0,
        "dead": 2,
        "in_doubt": 1,
    }


async def test_the_platforms_id_leads_back_to_what_we_sent(store: SqlStore) -> None:
    def remember(unit: SqlUnit) -> None:
        unit.outbox.remember_sent(WECHAT, "p-1", InteractionId("i-1"))
        unit.outbox.remember_sent(WECHAT, "p-1", InteractionId("i-2"))

    await store.transact(remember)
    assert await store.read(lambda unit: unit.outbox.sent(WECHAT, "p-1")) == "i-1"
    assert await store.read(lambda unit: unit.outbox.sent(AccountName("x"), "p-1")) is None


def open_window(
    unit: SqlUnit, source: str, *, lasts: timedelta, sends: int | None, person: str = "o-lin"
) -> None:
    """Open a window at NOW."""
    closes_at = NOW + lasts
    unit.outbox.open_window(
        WECHAT,
        person,
        source=source,
        kind="message",
        opened_at=NOW,
        closes_at=closes_at,
        sends=sends,
    )


def windows(unit: SqlUnit, at: datetime = NOW) -> list[tuple[str, int | None]]:
    """Return the source and what is left of each open window."""
    found = unit.outbox.windows(WECHAT, "o-lin", at=at)
    return [(window.source, window.sends_left) for window in found]


async def test_windows_are_used_up_given_back_and_close_in_time(store: SqlStore) -> None:
    def begin(unit: SqlUnit) -> None:
        open_window(unit, "long", lasts=timedelta(hours=48), sends=2)
        open_window(unit, "menu", lasts=timedelta(minutes=1), sends=None)
        open_window(unit, "hers", lasts=timedelta(hours=1), sends=5, person="o-wang")
        open_window(unit, "long", lasts=timedelta(hours=96), sends=9)

    await store.transact(begin)
    assert await store.read(windows) == [("menu", None), ("long", 2)]
    await store.transact(lambda unit: unit.outbox.use_window(WECHAT, "long", sends=2))
    await store.transact(lambda unit: unit.outbox.use_window(WECHAT, "menu", sends=1))
    assert await store.read(windows) == [("menu", None)]
    await store.transact(lambda unit: unit.outbox.use_window(WECHAT, "long", sends=-1))
    assert await store.read(windows) == [("menu", None), ("long", 1)]
    assert await store.read(windows, NOW + timedelta(minutes=1)) == [("long", 1)]


async def test_a_customer_who_leaves_closes_every_window(store: SqlStore) -> None:
    await store.transact(open_window, "long", lasts=timedelta(hours=48), sends=5)
    later = NOW + timedelta(hours=1)
    await store.transact(lambda unit: unit.outbox.close_windows(WECHAT, "o-lin", at=later))
    assert await store.read(windows, later) == []
    last = await store.read(lambda unit: unit.outbox.last_window(WECHAT, "o-lin"))
    assert last is not None
    assert (last.source, last.kind, last.closes_at) == ("long", "message", later)
    assert await store.read(lambda unit: unit.outbox.last_window(WECHAT, "nobody")) is None


async def test_an_accounts_token_is_replaced_and_forgotten(store: SqlStore) -> None:
    for token in (Token(value="t-1", expires_at=NOW), Token(value="t-2", expires_at=UNTIL), None):
        await store.transact(lambda unit, it=token: unit.outbox.keep_token(WECHAT, it))
        assert await store.read(lambda unit: unit.outbox.token(WECHAT)) == token
