"""What happened, what was decided and why, and what somebody must look at, can be read again."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from router.domain.events import Happened, Logged
from router.domain.ids import AgentId, CaseId, ContactId, ConversationId, ReservationId
from router.service.records import Alert, DecisionRecord
from router.store.engine import SqlStore
from router.store.unit import SqlUnit
from tests.builders import NOW

HERE, PERSON, CASE = ConversationId("conversation-1"), ContactId("contact-1"), CaseId("case-1")
AGENT = AgentId("agent-1")
MINUTE = timedelta(minutes=1)


def a_day(unit: SqlUnit) -> None:
    """Log an event about each thing, and one about all of them."""
    events = (
        Happened(kind="conversation_opened", conversation=HERE, contact=PERSON),
        Happened(kind="case_opened", case=CASE, contact=PERSON, facts={"severity": 3}),
        Happened(kind="presence_changed", agent=AGENT, facts={"to": "忙 ☕", "n": [1, None]}),
        Happened(kind="case_joined", conversation=HERE, contact=PERSON, case=CASE, agent=AGENT),
    )
    for number, event in enumerate(events):
        unit.record(event, at=NOW + number * MINUTE)


def a_decision(number: int, **changes: Any) -> DecisionRecord:
    """Return the ``number``-th decision on one conversation."""
    plain = DecisionRecord(
        id=f"d-{number}",
        at=NOW + number * MINUTE,
        kind="offer",
        conversation=HERE,
        agent=AGENT,
        reservation=ReservationId("r-1"),
        because={"skills": {"billing": [3, 2]}, "waited": 12.5, "为什么": "最空闲"},
        seen_seq=number,
        cases=(CASE,),
    )
    return replace(plain, **changes)


def an_alert(number: int, **changes: Any) -> Alert:
    """Return the ``number``-th alert to one agent."""
    plain = Alert(
        id=f"a-{number}",
        at=NOW + number * MINUTE,
        agent=AGENT,
        kind="case_known",
        conversation=HERE,
        case=CASE,
        facts={"severity": 2},
        seen_at=None,
    )
    return replace(plain, **changes)


async def test_an_empty_log_stands_at_zero(store: SqlStore) -> None:
    assert await store.read(lambda unit: unit.journal.seq()) == 0
    assert await store.read(lambda unit: unit.journal.events_since(0)) == ()


async def test_the_log_is_read_from_where_one_stopped(store: SqlStore) -> None:
    await store.transact(a_day)
    first = await store.read(lambda unit: unit.journal.events_since(0, limit=3))
    rest = await store.read(lambda unit: unit.journal.events_since(first[-1].seq))
    assert [entry.event.kind for entry in (*first, *rest)] == [
        "conversation_opened",
        "case_opened",
        "presence_changed",
        "case_joined",
    ]
    assert first[2].event.facts == {"to": "忙 ☕", "n": [1, None]}
    assert rest[0].event == Happened(
        kind="case_joined", conversation=HERE, contact=PERSON, case=CASE, agent=AGENT
    )
    assert await store.read(lambda unit: unit.journal.seq()) == rest[-1].seq


@pytest.mark.parametrize(
    ("about", "kinds"),
    [
        ({"conversation": HERE}, ["conversation_opened", "case_joined"]),
        ({"contact": PERSON}, ["conversation_opened", "case_opened", "case_joined"]),
        ({"case": CASE}, ["case_opened", "case_joined"]),
        ({"case": CASE, "conversation": HERE}, ["case_joined"]),
        ({"contact": PERSON, "limit": 2}, ["case_opened", "case_joined"]),
        ({"contact": ContactId("nobody")}, []),
    ],
)
async def test_the_history_of_a_thing_is_told_oldest_first(
    store: SqlStore, about: dict[str, Any], kinds: list[str]
) -> None:
    await store.transact(a_day)
    found = await store.read(lambda unit: unit.journal.history(**about))
    assert [entry.event.kind for _, entry in found] == kinds
    assert [at for at, _ in found] == sorted(at for at, _ in found)


async def test_a_decision_is_kept_with_its_reasons_newest_first(store: SqlStore) -> None:
    bare = a_decision(2, agent=None, reservation=None, because={}, cases=())
    other = a_decision(3, conversation=ConversationId("conversation-2"))
    for record in (a_decision(1), bare, other):
        await store.transact(lambda unit, it=record: unit.journal.decide(it))
    found = await store.read(lambda unit: unit.journal.decisions(HERE))
    assert found == (bare, a_decision(1))
    assert await store.read(lambda unit: unit.journal.decisions(HERE, limit=1)) == (bare,)


async def test_alerts_wait_for_the_agent_or_any_supervisor_until_one_has_seen_them(
    store: SqlStore,
) -> None:
    hers, everyones = an_alert(1), an_alert(2, agent=None, conversation=None, case=None)
    someone_elses = an_alert(3, agent=AgentId("agent-2"))
    for alert in (hers, everyones, someone_elses):
        await store.transact(lambda unit, it=alert: unit.journal.alert(it))

    def waiting(unit: SqlUnit, *, supervisor: bool) -> tuple[Alert, ...]:
        return unit.journal.alerts(AGENT, supervisor=supervisor)

    assert await store.read(waiting, supervisor=False) == (hers,)
    assert await store.read(waiting, supervisor=True) == (everyones, hers)
    for alert in (everyones.id, hers.id):
        await store.transact(lambda unit, it=alert: unit.journal.see_alert(it, by=AGENT, at=NOW))
    assert await store.read(waiting, supervisor=True) == ()


async def test_what_nobody_has_read_changes_no_decision_and_is_passed_over(store: SqlStore) -> None:
    def happens(unit: SqlUnit) -> None:
        for kind, facts in (
            ("conversation_opened", None),
            ("interaction_taken", {"interaction": "i-1", "direction": "in", "unread": True}),
            ("interaction_taken", {"interaction": "i-2", "direction": "out", "unread": False}),
            ("interactions_read", {"interaction": "i-1"}),
            ("presence_changed", None),
        ):
            unit.record(Happened(kind=kind, contact=PERSON, facts=facts), at=NOW)

    await store.transact(happens)
    told = await store.read(lambda unit: unit.journal.touching_since(0, limit=10))
    kinds = ["interaction_taken", "interactions_read", "presence_changed"]
    assert [each.event.kind for each in told] == kinds
    assert (told[0].event.facts or {})["interaction"] == "i-2"
    later = await store.read(lambda unit: unit.journal.touching_since(told[0].seq, limit=1))
    assert later == told[1:2]
    numbers = await store.read(lambda unit: unit.journal.numbers_since(1, limit=3))
    assert numbers == (2, 3, 4)


async def test_a_thousand_events_of_one_transaction_are_numbered_in_their_order(
    store: SqlStore,
) -> None:
    heard: list[Logged] = []
    store.listen(heard.extend)

    def happens(unit: SqlUnit) -> None:
        for number in range(1000):
            unit.record(Happened(kind="note_added", facts={"number": number}), at=NOW)

    await store.transact(a_day)
    await store.transact(happens)
    kept = await store.read(lambda unit: unit.journal.events_since(4, limit=2000))
    assert [(each.event.facts or {})["number"] for each in kept] == list(range(1000))
    assert [each.seq for each in kept] == list(range(5, 1005))
    assert tuple(heard[4:]) == kept
