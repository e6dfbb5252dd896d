"""The ledger of complaints: who hears of a case, who has it, how it climbs, how it ends."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from router.domain.case import Case, CaseStatus, Resolution, due
from router.domain.conversation import Offered, Queued, WithBot
from router.domain.errors import CaseStillOpen
from router.domain.ids import (
    AgentId,
    CaseId,
    ContactId,
    ConversationId,
    QueueName,
    Skill,
)
from router.domain.reading import Alarm, Intent, Reading
from router.domain.triage import triage
from router.domain.workforce import Presence, Role
from router.service import answer, cases, clocks, desk, people
from router.service.ports import NotFound
from router.service.records import Alert
from router.service.unit import Unit
from tests.service.conftest import ABLE, CHAT, FAMILY, WECHAT, WEIBO, Shop, phone
from tests.service.test_story import ANGRIER, ANGRY, NUMBER, publish

LIN, WANG, CHIEF = (AgentId(name) for name in ("lin", "wang", "chief"))


async def taken(shop: Shop, agent: AgentId, words: str = "我想修改收货地址") -> ConversationId:
    """Return a chat of the person with NUMBER that ``agent`` has accepted."""
    chat = await shop.hear(CHAT, "member-1", words, claims=(phone(NUMBER),))
    await shop.read_all()
    await shop.dispatcher.once()
    state = (await shop.conversation(chat)).state
    assert isinstance(state, Offered)
    await shop.store.transact(
        desk.accept, reservation=state.reservation, by=agent, at=shop.clock.now()
    )
    return chat


async def alerts(shop: Shop, agent: AgentId, *, supervisor: bool = False) -> tuple[Alert, ...]:
    found: tuple[Alert, ...] = await shop.store.read(
        lambda unit: unit.journal.alerts(agent, supervisor=supervisor)
    )
    return found


async def the_case(shop: Shop) -> Case:
    (case,) = await shop.store.read(lambda unit: unit.cases.all_open())
    return case


async def complained(shop: Shop, words: str = ANGRY) -> Case:
    await shop.hear(WEIBO, "weibo-7", words, claims=(phone(NUMBER),))
    await shop.read_all()
    return await the_case(shop)


async def test_a_case_names_the_account_on_which_it_was_heard(shop: Shop) -> None:
    assert (await complained(shop)).shop == WEIBO


# ----- G1 and G2: who hears of it ----------------------------------------------------------------


async def test_a_transfer_keeps_what_was_known(shop: Shop) -> None:
    for name in (LIN, WANG):
        await shop.staff(name)
    case = await complained(shop)
    chat = await shop.hear(CHAT, "member-1", "在吗", claims=(phone(NUMBER),))
    await shop.read_all()
    await shop.dispatcher.once()
    state = (await shop.conversation(chat)).state
    assert isinstance(state, Offered)
    at = shop.clock.now()
    await shop.store.transact(desk.accept, reservation=state.reservation, by=state.agent, at=at)
    await shop.store.transact(
        desk.transfer,
        conversation=chat,
        by=state.agent,
        to_agent=WANG if state.agent == LIN else LIN,
        to_queue=None,
        why="",
        policy=shop.policy,
        seen_seq=0,
        at=at,
    )
    decisions = await shop.store.read(lambda unit: unit.journal.decisions(chat))
    assert [(each.kind, each.cases) for each in decisions if each.kind == "by_hand"] == [
        ("by_hand", (case.id,))
    ]


async def test_a_complaint_elsewhere_alerts_the_holder_and_takes_it_from_the_bot(
    shop: Shop,
) -> None:
    await publish(shop)
    await shop.staff(LIN)
    chat = await taken(shop, LIN)
    asked = await shop.hear(WECHAT, "openid-1", "怎么开发票", claims=(phone(NUMBER),))
    await shop.hear(WEIBO, "weibo-7", "在吗", claims=(phone(NUMBER),))
    await shop.read_all()
    await shop.dispatcher.once()
    assert isinstance((await shop.conversation(asked)).state, WithBot)

    await shop.hear(WEIBO, "weibo-7", ANGRY)
    await shop.read_all()
    told = [(each.kind, each.conversation) for each in await alerts(shop, LIN)]
    assert ("complaint", chat) in told
    held = await shop.conversation(asked)
    assert isinstance(held.state, Queued)
    assert not held.bot_ok
    assert Skill("complaint") in {need.skill for need in (await shop.conversation(chat)).needs}


async def test_a_case_by_hand_is_news_to_the_holder(shop: Shop) -> None:
    await shop.staff(LIN)
    await shop.staff(WANG, presence=Presence.AWAY)
    chat = await taken(shop, LIN)
    await by_hand(shop, (await shop.conversation(chat)).contact)
    assert [(each.kind, each.conversation) for each in await alerts(shop, LIN)] == [
        ("complaint_revealed", chat)
    ]


async def test_a_case_that_is_opened_again_is_news_to_the_holder(shop: Shop) -> None:
    await shop.staff(WANG, presence=Presence.AWAY)
    case = await complained(shop)
    given = {"case": case.id, "by": WANG, "at": shop.clock.now()}
    await shop.store.transact(cases.acknowledge, **given)
    await shop.store.transact(cases.resolve, **given, resolution=Resolution.REPLACED, note="")
    await shop.staff(LIN)
    chat = await taken(shop, LIN)
    assert await alerts(shop, LIN) == ()
    await shop.store.transact(cases.reopen, **given, policy=shop.policy)
    assert [(each.kind, each.conversation) for each in await alerts(shop, LIN)] == [
        ("complaint_revealed", chat)
    ]


async def by_hand(shop: Shop, contact: ContactId) -> Case:
    case: Case = await shop.store.transact(
        cases.open_by_hand,
        contact=contact,
        severity=2,
        topic="logistics",
        summary="told at the counter",
        by=WANG,
        policy=shop.policy,
        at=shop.clock.now(),
    )
    return case


async def test_a_complaint_withdraws_an_offer_and_raises_what_is_needed(shop: Shop) -> None:
    await shop.staff(LIN)
    chat = await shop.hear(CHAT, "member-1", "我想修改收货地址", claims=(phone(NUMBER),))
    await shop.hear(WEIBO, "weibo-7", "在吗", claims=(phone(NUMBER),))
    await shop.read_all()
    await shop.dispatcher.once()
    before = await shop.conversation(chat)
    assert isinstance(before.state, Offered)
    assert Skill("complaint") not in {need.skill for need in before.needs}

    await shop.hear(WEIBO, "weibo-7", ANGRIER)
    await shop.read_all()
    after = await shop.conversation(chat)
    assert isinstance(after.state, Queued)
    assert shop.policy.complaint_needs[3] <= after.needs


# ----- G3: no orphan -----------------------------------------------------------------------------


async def test_a_case_ends_only_acknowledged_and_with_a_code(shop: Shop) -> None:
    await shop.staff(LIN)
    case = await complained(shop)
    given = {"case": case.id, "by": LIN, "at": shop.clock.now()}
    ending = {"resolution": Resolution.REFUNDED, "note": "paid back"}
    with pytest.raises(CaseStillOpen):
        await shop.store.transact(cases.resolve, **given, **ending)
    await shop.store.transact(cases.acknowledge, **given)
    done = await shop.store.transact(cases.resolve, **given, **ending)
    assert (done.status, done.resolution, done.acknowledged_by, done.resolved_by) == (
        CaseStatus.RESOLVED,
        Resolution.REFUNDED,
        LIN,
        LIN,
    )
    assert (done.owner, done.queue, done.due_at) == (None, None, None)

    again = await shop.store.transact(cases.reopen, **given, policy=shop.policy)
    assert (again.status, again.queue, again.level, again.reopened) == (
        CaseStatus.OPEN,
        "complaints",
        0,
        1,
    )
    assert again.due_at == due(
        shop.policy.clocks, severity=case.severity, level=0, at=shop.clock.now()
    )


async def test_a_case_has_an_owner_or_a_queue_and_never_both(shop: Shop) -> None:
    await shop.staff(LIN)
    case = await complained(shop)
    assert (case.owner, case.queue) == (None, "complaints")
    at = shop.clock.now()
    mine = await shop.store.transact(cases.own, case=case.id, owner=LIN, by=LIN, at=at)
    assert (mine.owner, mine.queue) == (LIN, None)
    placed = await shop.store.transact(
        cases.enqueue, case=case.id, queue=QueueName("general"), by=LIN, at=at
    )
    assert (placed.owner, placed.queue) == (None, "general")


async def test_an_overdue_case_climbs_three_levels_in_business_hours(shop: Shop) -> None:
    """The shop is open from 9 to 21 in Shanghai; a case of severity 2 has 2, 8 and 24 hours."""
    case = await complained(shop)
    assert (case.severity, case.level) == (2, 0)
    assert case.due_at == datetime(2026, 11, 11, 4, 0, tzinfo=UTC)

    async def ring(at: datetime) -> Case:
        shop.clock.moment = at
        given = {"policy": shop.policy, "at": at}
        if await shop.store.read(clocks.anything_due, **given):
            await shop.store.transact(clocks.ring, **given)
        return await the_case(shop)

    assert (await ring(datetime(2026, 11, 11, 3, 59, tzinfo=UTC))).level == 0
    supervisors = await ring(datetime(2026, 11, 11, 12, 0, tzinfo=UTC))  # 20:00 in Shanghai
    assert (supervisors.level, supervisors.due_at) == (
        1,
        datetime(2026, 11, 12, 8, 0, tzinfo=UTC),  # an hour today, seven from nine tomorrow
    )
    managers = await ring(datetime(2026, 11, 12, 8, 0, tzinfo=UTC))
    assert (managers.level, managers.due_at) == (
        2,
        datetime(2026, 11, 14, 8, 0, tzinfo=UTC),  # five hours, twelve, seven
    )
    still = await ring(datetime(2026, 11, 14, 8, 0, tzinfo=UTC))
    assert (still.level, still.due_at) == (2, datetime(2026, 11, 16, 8, 0, tzinfo=UTC))
    told = [
        each.facts["level"]
        for each in await alerts(shop, CHIEF, supervisor=True)
        if each.kind == "case_overdue"
    ]
    assert sorted(map(str, told)) == ["manager", "manager", "supervisor"]


async def test_a_worse_complaint_tightens_the_clock(shop: Shop) -> None:
    before = await complained(shop)
    shop.clock.pass_by(timedelta(minutes=5))
    await shop.hear(WEIBO, "weibo-7", ANGRIER)
    await shop.read_all()
    after = await the_case(shop)
    assert (before.severity, after.severity) == (2, 3)
    assert after.due_at == shop.clock.now() + timedelta(minutes=30)


async def test_nobody_owns_a_case_who_has_left(shop: Shop) -> None:
    agent = await shop.staff(LIN)
    await shop.staff(CHIEF, role=Role.ADMIN)
    case = await complained(shop)
    at = shop.clock.now()
    await shop.store.transact(cases.own, case=case.id, owner=agent, by=agent, at=at)
    held = await shop.store.read(lambda unit: unit.workforce.get(agent))
    await shop.store.transact(
        people.edit_agent,
        agent=agent,
        name=held.name,
        role=held.role,
        skills=dict(held.skills),
        families=held.families,
        languages=held.languages,
        capacity=held.capacity,
        active=False,
        by=CHIEF,
        policy=shop.policy,
        at=at,
    )
    left = await the_case(shop)
    assert (left.owner, left.queue) == (None, "complaints")
    await shop.store.transact(cases.acknowledge, case=case.id, by=agent, at=at)
    again = await the_case(shop)
    assert (again.owner, again.queue) == (None, "complaints"), "their page was still open"
    with pytest.raises(NotFound):
        await shop.store.transact(cases.own, case=case.id, owner=agent, by=CHIEF, at=at)


async def test_what_somebody_writes_down_who_has_left_waits_in_the_queue(shop: Shop) -> None:
    await shop.staff(WANG, active=False)
    talk = await shop.hear(CHAT, "member-1", "在吗")
    case = await by_hand(shop, (await shop.conversation(talk)).contact)
    assert (case.owner, case.queue) == (None, "complaints")


# ----- G4: no bot alone --------------------------------------------------------------------------


async def test_a_bot_that_still_has_it_says_nothing_and_closes_nothing(shop: Shop) -> None:
    """The last look is the one that counts, even if nobody had told the bot."""
    await publish(shop)
    asked = await shop.hear(CHAT, "visitor-1", "怎么开发票")
    answered = await shop.hear(CHAT, "visitor-2", "怎么开发票")
    await shop.read_all()
    await shop.dispatcher.once()
    turns = await shop.store.read(answer.due, policy=shop.policy, families=FAMILY)
    for turn in turns:
        if turn.conversation == answered:
            await say(shop, turn)

    def plant(unit: Unit) -> None:
        """Open a case as no path of the product does: without telling anybody."""
        for name in (asked, answered):
            case = Case(
                id=CaseId(f"case-{name}"),
                contact=unit.conversations.get(name).contact,
                status=CaseStatus.OPEN,
                severity=2,
                topic="invoice",
                summary="",
                order="",
                opened_at=shop.clock.now(),
                opened_by=None,
                conversation=None,
                owner=None,
                queue=QueueName("complaints"),
                level=0,
                due_at=shop.clock.now() + timedelta(days=3),
            )
            unit.cases.add(case)

    await shop.store.transact(plant)
    for turn in turns:
        if turn.conversation == asked:
            await say(shop, turn)
    assert all(each.author != "bot" for each in await shop.timeline(asked))
    assert isinstance((await shop.conversation(asked)).state, Queued)

    assert isinstance((await shop.conversation(answered)).state, WithBot)
    shop.clock.pass_by(timedelta(hours=1))
    await shop.store.transact(clocks.ring, policy=shop.policy, at=shop.clock.now())
    held = await shop.conversation(answered)
    assert (held.closed_at, type(held.state)) == (None, Queued)


async def say(shop: Shop, turn: answer.Turn) -> None:
    found = shop.library.best("怎么开发票", language="zh", channel=CHAT)
    await shop.store.transact(
        answer.say,
        turn=turn,
        utterance=answer.compose(
            turn, found, shop.library.published(), products={}, policy=shop.policy
        ),
        policy=shop.policy,
        capabilities=ABLE,
        at=shop.clock.now(),
    )


async def test_words_that_merely_sound_like_a_complaint_keep_the_bot_away(shop: Shop) -> None:
    reading = Reading(
        language="zh",
        intent=Intent.LOGISTICS,
        complaint=Alarm.WATCH,
        complaint_score=0.3,
        severity=0,
        wants_human=False,
        sentiment=-0.4,
        entities=(),
        because=(),
        reader="test",
    )

    def asked(alarm: Alarm) -> bool:
        return triage(
            replace(reading, complaint=alarm),
            queue=QueueName("general"),
            policy=shop.policy,
            open_cases=(),
            before=frozenset(),
            wanted_human=False,
            was_flagged=False,
            answerable=True,
        ).bot_ok

    assert (asked(Alarm.NONE), asked(Alarm.WATCH)) == (True, False)
