"""The guarantees, re-derived: nothing is found in a true history, each planted violation is."""

from dataclasses import replace
from datetime import timedelta

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
