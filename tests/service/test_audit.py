"""The guarantees, re-derived: nothing is found in a true history, each planted violation is."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from router.domain.conversation import Offered
from router.domain.events import Happened
from router.domain.ids import AgentId, CaseId, ContactId, ConversationId
from router.service import cases, desk
from router.service.audit import Violation, audit
from router.service.records import DecisionRecord
from router.service.unit import Unit
from tests.service.conftest import CHAT, WEIBO, Shop, phone
from tests.service.test_story import ANGRIER, ANGRY, NUMBER, complain_by_phone, publish


async def violations(shop: Shop) -> set[str]:
    found: tuple[Violation, ...] = await shop.store.read(audit, at=shop.clock.now())
    return {each.guarantee for each in found}


async def complained(shop: Shop) -> tuple[ConversationId, ContactId, CaseId]:
    """Return a conversation with an agent, its contact and the contact's open case."""
    agent = await shop.staff("lin")
    chat = await shop.hear(CHAT, "member-1", ANGRY)
    await shop.settle()
    state = (await shop.conversation(chat)).state
    assert isinstance(state, Offered)
    await shop.store.transact(
        desk.accept, reservation=state.reservation, by=agent, at=shop.clock.now()
    )
    contact = (await shop.conversation(chat)).contact
    (case,) = await shop.store.read(lambda unit: unit.cases.open_of((contact,)))
    return chat, case.contact, case.id


async def test_a_day_of_the_shop_shows_no_violation(shop: Shop) -> None:
    await publish(shop)
    await complain_by_phone(shop)
    await shop.hear(WEIBO, "weibo-7", ANGRIER, claims=(phone(NUMBER),))
    chat, _contact, _case = await complained(shop)
    await shop.hear(CHAT, "member-2", "怎么开发票")
    await shop.settle()
    await shop.hear(CHAT, "member-2", ANGRIER)
    await shop.settle()
    await shop.hear(CHAT, "member-1", ANGRIER)
    await shop.settle()
    at = shop.clock.now()
    await shop.store.transact(
        desk.wrap_up,
        conversation=chat,
        by=AgentId("lin"),
        disposition="complaint_taken",
        text="",
        at=at,
    )
    for case in await shop.store.read(lambda unit: unit.cases.all_open()):
        await shop.store.transact(cases.acknowledge, case=case.id, by=AgentId("lin"), at=at)

    assert await violations(shop) == set()


async def test_a_handover_in_ignorance_is_found(shop: Shop) -> None:
    chat, contact, _case = await complained(shop)

    def plant(unit: Unit) -> None:
        unit.journal.decide(
            DecisionRecord(
                id="planted",
                at=shop.clock.now(),
                kind="offer",
                conversation=chat,
                agent=AgentId("lin"),
                reservation=None,
                because={},
                seen_seq=unit.journal.seq(),
                cases=(),
            )
        )
        event = Happened(
            kind="offer_made", contact=contact, conversation=chat, facts={"decision": "planted"}
        )
        unit.record(event, at=shop.clock.now())

    await shop.store.transact(plant)
    assert "G1" in await violations(shop)


async def test_a_decision_taken_before_the_news_is_found(shop: Shop) -> None:
    chat, contact, case = await complained(shop)

    def plant(unit: Unit) -> None:
        unit.journal.decide(
            DecisionRecord(
                id="planted",
                at=shop.clock.now(),
                kind="offer",
                conversation=chat,
                agent=AgentId("lin"),
                reservation=None,
                because={},
                seen_seq=0,
                cases=(case,),
            )
        )
        event = Happened(
            kind="offer_made", contact=contact, conversation=chat, facts={"decision": "planted"}
        )
        unit.record(event, at=shop.clock.now())

    await shop.store.transact(plant)
    assert "G1" in await violations(shop)


async def test_an_agent_who_was_not_told_is_found(shop: Shop) -> None:
    chat, contact, case = await complained(shop)

    def plant(unit: Unit) -> None:
        event = Happened(kind="case_joined", contact=contact, conversation=chat, case=case)
        unit.record(event, at=shop.clock.now())

    await shop.store.transact(plant)
    assert await violations(shop) == {"G2"}


async def test_a_case_that_is_overdue_and_not_escalated_is_found(shop: Shop) -> None:
    await complained(shop)
    shop.clock.pass_by(timedelta(days=2))
    assert await violations(shop) == {"G3"}


async def test_a_case_whose_owner_has_left_is_found(shop: Shop) -> None:
    await complained(shop)

    def leave(unit: Unit) -> None:
        unit.workforce.save(replace(unit.workforce.get(AgentId("lin")), active=False))

    await shop.store.transact(leave)
    assert await violations(shop) == {"G3"}


async def test_a_case_resolved_without_acknowledgement_is_found(shop: Shop) -> None:
    _chat, contact, case = await complained(shop)

    def plant(unit: Unit) -> None:
        unit.record(Happened(kind="case_resolved", contact=contact, case=case), at=shop.clock.now())

    await shop.store.transact(plant)
    assert await violations(shop) == {"G3"}


async def test_a_bot_that_answers_over_an_open_complaint_is_found(shop: Shop) -> None:
    chat, contact, _case = await complained(shop)

    def plant(unit: Unit) -> None:
        unit.record(
            Happened(kind="reply_queued", contact=contact, conversation=chat, facts={"by": "bot"}),
            at=shop.clock.now(),
        )

    await shop.store.transact(plant)
    assert await violations(shop) == {"G4"}


async def codes(shop: Shop) -> set[str]:
    found: tuple[Violation, ...] = await shop.store.read(audit, at=shop.clock.now())
    return {each.code for each in found}


async def test_each_kind_of_violation_in_the_log_is_found(shop: Shop) -> None:
    chat, contact, case = await complained(shop)
    here = {"contact": contact, "conversation": chat}

    async def found_after(*events: Happened, later: timedelta = timedelta(0)) -> set[str]:
        before = await codes(shop)
        for event in events:
            at = shop.clock.now()
            await shop.store.transact(lambda unit, e=event, at=at: unit.record(e, at=at))
        shop.clock.pass_by(later)
        return await codes(shop) - before

    assert await codes(shop) == set()
    handed = Happened(kind="handed_to_bot", facts={"decision": "gone"}, **here)
    assert await found_after(handed) == {"decision_gone"}
    told = Happened(kind="case_joined", case=case, **here)
    soon = timedelta(seconds=5)
    assert await found_after(told, later=soon) == {"bot_kept_it"}
    assert await found_after(Happened(kind="conversation_closed", **here)) == {"bot_closed"}
    taken = Happened(kind="conversation_taken", facts={}, **here)
    assert await found_after(taken) == {"no_decision"}
    resolved = (
        Happened(kind="case_acknowledged", contact=contact, case=case),
        Happened(kind="case_resolved", contact=contact, case=case, facts={}),
    )
    assert await found_after(*resolved) == {"no_resolution"}


@pytest.mark.parametrize(
    ("broken", "code"),
    [("queue = 'general'", "not_placed"), ("due_at = NULL", "no_due_time")],
)
async def test_what_the_database_itself_forbids_is_found_all_the_same(
    shop: Shop, database_url: str, broken: str, code: str
) -> None:
    _chat, _contact, case = await complained(shop)
    statement = f"UPDATE cases SET {broken} WHERE id = '{case}'"  # noqa: S608  our own words
    if database_url.startswith("sqlite"):
        with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as connection:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            connection.execute(statement)
            connection.commit()
    else:
        engine = create_async_engine(database_url)
        async with engine.begin() as other:
            await other.execute(sa.text("ALTER TABLE cases DROP CONSTRAINT ck_cases_placed"))
            await other.execute(sa.text(statement))
        await engine.dispose()
    assert await codes(shop) == {code}
