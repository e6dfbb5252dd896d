"""Conversations are found by where they stand, and a stale write is refused."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.domain.conversation import (
    Closed,
    Offered,
    Parked,
    Queued,
    State,
    WithAgent,
    WithBot,
    WrapUp,
)
from router.domain.ids import AccountName, AgentId, ContactId, ConversationId, ReservationId, Skill
from router.domain.workforce import Need
from router.service.ports import Conflict, NotFound
from router.store.engine import SqlStore
from router.store.unit import SqlUnit
from tests.builders import NOW, a_conversation

LATER = NOW + timedelta(minutes=5)
AGENT = AgentId("agent-1")
WECHAT = AccountName("shop-wechat")
STATES: tuple[State, ...] = (
    Queued(since=NOW),
    Offered(reservation=ReservationId("r-1"), agent=AGENT, since=NOW, until=LATER),
    WithBot(since=NOW),
    WithAgent(agent=AGENT, since=NOW),
    WrapUp(agent=AGENT, since=NOW),
    Parked(agent=AGENT, until=LATER),
    Closed(at=LATER),
)


def one_in_each_state(unit: SqlUnit) -> None:
    """Add one conversation in each state, named after it."""
    for number, state in enumerate(STATES):
        name = type(state).__name__
        unit.conversations.add(
            a_conversation(
                name,
                external_id=name,
                state=state,
                opened_at=NOW + timedelta(seconds=number),
                closed_at=LATER if isinstance(state, Closed) else None,
            )
        )


@pytest.mark.parametrize("state", STATES, ids=lambda state: type(state).__name__)
async def test_a_conversation_comes_back_as_it_was_given(store: SqlStore, state: State) -> None:
    given = a_conversation(
        state=state,
        thread="post-9 📣",
        needs=frozenset(
            Need(skill=Skill(name), least=3, hard=True) for name in ("海外", "billing")
        ),
        excluded=frozenset({AgentId("agent-8"), AgentId("agent-9")}),
        previous_agent=AGENT,
        priority=2,
        public=True,
        first_answer_at=LATER,
        last_out_at=LATER,
        unread=3,
        bot_ok=True,
        wants_human=True,
        flagged=True,
        subject="沙发",
        disposition="solved",
        disposition_note="已换货",
        closed_at=LATER,
        last_seq=4,
    )
    await store.transact(lambda unit: unit.conversations.add(given))
    assert await store.read(lambda unit: unit.conversations.get(given.id)) == given


async def test_no_conversation_is_not_found(store: SqlStore) -> None:
    with pytest.raises(NotFound):
        await store.read(lambda unit: unit.conversations.get(ConversationId("none")))


async def test_saving_returns_the_next_version_and_a_stale_write_is_a_conflict(
    store: SqlStore,
) -> None:
    first = a_conversation()
    await store.transact(lambda unit: unit.conversations.add(first))

    second = await store.transact(lambda unit: unit.conversations.save(replace(first, priority=1)))
    with pytest.raises(Conflict):
        await store.transact(lambda unit: unit.conversations.save(replace(first, priority=2)))
    third = await store.transact(lambda unit: unit.conversations.save(replace(second, priority=3)))

    assert (second.version, third.version) == (1, 2)
    assert await store.read(lambda unit: unit.conversations.get(first.id)) == third


async def test_a_thread_of_an_identity_has_one_open_conversation(store: SqlStore) -> None:
    await store.transact(lambda unit: unit.conversations.add(a_conversation("first")))
    with pytest.raises(Conflict):
        await store.transact(lambda unit: unit.conversations.add(a_conversation("second")))

    def close_and_open(unit: SqlUnit) -> None:
        first = unit.conversations.get(ConversationId("first"))
        unit.conversations.save(replace(first, state=Closed(at=LATER), closed_at=LATER))
        unit.conversations.add(a_conversation("second", opened_at=LATER))
        unit.conversations.add(a_conversation("beside", thread="a call"))

    await store.transact(close_and_open)
    live = await store.read(lambda unit: unit.conversations.live(WECHAT, "o-lin", ""))
    assert live is not None
    assert live.id == "second"
    assert await store.read(lambda unit: unit.conversations.live(WECHAT, "o-lin", "none")) is None


async def test_a_thread_is_found_in_whatever_state_its_latest_conversation_is(
    store: SqlStore,
) -> None:
    def prepare(unit: SqlUnit) -> None:
        over = {"state": Closed(at=LATER), "closed_at": LATER, "thread": "call-1"}
        unit.conversations.add(a_conversation("first", **over))
        unit.conversations.add(a_conversation("second", opened_at=LATER, **over))

    await store.transact(prepare)
    found = await store.read(lambda unit: unit.conversations.in_thread(WECHAT, "call-1"))
    assert found is not None
    assert found.id == "second"
    assert await store.read(lambda unit: unit.conversations.in_thread(WECHAT, "call-2")) is None


async def test_the_open_ones_are_all_but_the_closed_oldest_first(store: SqlStore) -> None:
    await store.transact(one_in_each_state)
    found = await store.read(lambda unit: unit.conversations.open())
    names = ["Queued", "Offered", "WithBot", "WithAgent", "WrapUp", "Parked"]
    assert [conversation.id for conversation in found] == names


async def test_a_desk_holds_what_is_offered_in_hand_in_wrap_up_or_parked(store: SqlStore) -> None:
    await store.transact(one_in_each_state)
    found = await store.read(lambda unit: unit.conversations.held_by(AGENT))
    assert [each.id for each in found] == ["Offered", "WithAgent", "WrapUp", "Parked"]
    assert await store.read(lambda unit: unit.conversations.held_by(AgentId("agent-2"))) == ()


async def test_a_persons_conversations_come_newest_first_over_all_contacts(
    store: SqlStore,
) -> None:
    def prepare(unit: SqlUnit) -> None:
        one_in_each_state(unit)
        other = ContactId("contact-2")
        opened_at = NOW + timedelta(minutes=1)
        unit.conversations.add(a_conversation("phone", contact=other, opened_at=opened_at))

    await store.transact(prepare)
    members = [ContactId("contact-1"), ContactId("contact-2")]
    three = await store.read(lambda unit: unit.conversations.of(members, limit=3))
    still = await store.read(lambda unit: unit.conversations.of(members, open_only=True, limit=2))
    assert [each.id for each in three] == ["phone", "Closed", "Parked"]
    assert [each.id for each in still] == ["phone", "Parked"]
    assert await store.read(lambda unit: unit.conversations.of([])) == ()


async def test_what_was_closed_in_a_span_includes_its_beginning_and_not_its_end(
    store: SqlStore,
) -> None:
    await store.transact(one_in_each_state)
    day = timedelta(days=1)
    for since, until, count in ((LATER, LATER + day, 1), (NOW, LATER, 0), (LATER + day, LATER, 0)):
        found = await store.read(
            lambda unit, a=since, b=until: unit.conversations.closed_between(a, b)
        )
        assert len(found) == count
