"""A complaint belongs to the person, whatever contacts the person is made of."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from router.domain.case import Case, CaseStatus, Resolution
from router.domain.ids import AgentId, CaseId, ContactId, ConversationId, InteractionId
from router.service.ports import Conflict, NotFound
from router.service.records import CaseLink
from router.store.engine import SqlStore
from router.store.unit import SqlUnit
from tests.builders import NOW, a_case, a_contact

KEEP, FOLD, OTHER = ContactId("contact-1"), ContactId("contact-2"), ContactId("contact-3")
MINUTE = timedelta(minutes=1)


def resolved(case: str, **changes: Any) -> Case:
    """Return a case that was resolved a minute after it was opened."""
    done = {
        "status": CaseStatus.RESOLVED,
        "queue": None,
        "due_at": None,
        "acknowledged_at": NOW,
        "acknowledged_by": "agent-1",
        "resolved_at": NOW + MINUTE,
        "resolved_by": "agent-1",
        "resolution": Resolution.REFUNDED,
    }
    return a_case(case, **{**done, **changes})


def complaints(unit: SqlUnit) -> None:
    """Add a person of two contacts, another person, and cases of each."""
    unit.contacts.add(a_contact(KEEP))
    unit.contacts.add(a_contact(FOLD, root=KEEP))
    unit.contacts.add(a_contact(OTHER))
    due = NOW + timedelta(hours=1)
    for case in (
        a_case("mild", severity=1, due_at=due + MINUTE),
        a_case("late", severity=2, opened_at=NOW + MINUTE, due_at=due),
        a_case("early", severity=2, contact=FOLD, due_at=due + 2 * MINUTE),
        a_case("worst", severity=3, contact=FOLD, due_at=due + 3 * MINUTE),
        resolved("done", opened_at=NOW + timedelta(days=1)),
        a_case("hers", contact=OTHER, severity=3, due_at=due - MINUTE),
    ):
        unit.cases.add(case)


def names(cases: tuple[Case, ...]) -> list[str]:
    """Return the ids of cases."""
    return [case.id for case in cases]


@pytest.mark.parametrize(
    "case",
    [
        a_case(),
        a_case(status=CaseStatus.ACKNOWLEDGED, owner=AgentId("a"), queue=None, level=2),
        a_case(summary="😡 退钱!!", opened_by=None, conversation=None, last_at=None, version=4),
        resolved("case-1", resolution_note="全额退款", reopened=2),
    ],
    ids=["open", "owned", "bare", "resolved"],
)
async def test_a_case_comes_back_as_it_was_given(store: SqlStore, case: Case) -> None:
    await store.transact(lambda unit: unit.cases.add(case))
    assert await store.read(lambda unit: unit.cases.get(case.id)) == case


async def test_no_case_is_not_found(store: SqlStore) -> None:
    with pytest.raises(NotFound):
        await store.read(lambda unit: unit.cases.get(CaseId("none")))


async def test_saving_returns_the_next_version_and_a_stale_write_is_a_conflict(
    store: SqlStore,
) -> None:
    first = a_case()
    await store.transact(lambda unit: unit.cases.add(first))
    second = await store.transact(lambda unit: unit.cases.save(replace(first, severity=3)))
    with pytest.raises(Conflict):
        await store.transact(lambda unit: unit.cases.save(replace(first, severity=1)))
    assert await store.read(lambda unit: unit.cases.get(first.id)) == second
    assert (second.severity, second.version) == (3, 1)


@pytest.mark.parametrize(
    "nowhere",
    [a_case(queue=None), a_case(owner=AgentId("a")), a_case(due_at=None), resolved("c", queue="q")],
    ids=["no place", "two places", "no clock", "resolved in a queue"],
)
async def test_an_open_case_always_stands_somewhere_with_a_clock(
    store: SqlStore, nowhere: Case
) -> None:
    with pytest.raises(DBAPIError):
        await store.transact(lambda unit: unit.cases.add(nowhere))


async def test_a_persons_open_cases_come_worst_first_then_oldest(store: SqlStore) -> None:
    await store.transact(complaints)
    found = await store.read(lambda unit: unit.cases.open_of([KEEP, FOLD]))
    assert names(found) == ["worst", "early", "late", "mild"]


async def test_all_cases_of_a_person_come_open_ones_first_then_newest(store: SqlStore) -> None:
    await store.transact(complaints)
    found = await store.read(lambda unit: unit.cases.of([KEEP, FOLD]))
    assert names(found) == ["late", "worst", "mild", "early", "done"]
    assert names(await store.read(lambda unit: unit.cases.of([KEEP], limit=1))) == ["late"]


async def test_the_next_due_comes_first_and_the_overdue_are_those_whose_time_has_come(
    store: SqlStore,
) -> None:
    await store.transact(complaints)
    in_an_hour = NOW + timedelta(hours=1)
    everyone = await store.read(lambda unit: unit.cases.all_open())
    assert names(everyone) == ["hers", "late", "mild", "early", "worst"]
    assert names(await store.read(lambda unit: unit.cases.all_open(limit=1))) == ["hers"]
    assert names(await store.read(lambda unit: unit.cases.overdue(in_an_hour))) == ["hers", "late"]
    assert await store.read(lambda unit: unit.cases.overdue(NOW)) == ()


async def test_what_was_resolved_lately_is_found_for_a_complaint_that_returns(
    store: SqlStore,
) -> None:
    await store.transact(complaints)
    since = NOW + MINUTE
    found = await store.read(lambda unit: unit.cases.resolved_since([KEEP, FOLD], since))
    assert names(found) == ["done"]
    later = since + timedelta(microseconds=1)
    assert await store.read(lambda unit: unit.cases.resolved_since([KEEP], later)) == ()


async def test_open_cases_are_found_for_the_whole_person_from_any_of_the_contacts(
    store: SqlStore,
) -> None:
    def prepare(unit: SqlUnit) -> None:
        complaints(unit)
        unit.contacts.add(a_contact("content"))

    await store.transact(prepare)
    content = ContactId("content")
    asked = [KEEP, FOLD, OTHER, content]
    found = await store.read(lambda unit: unit.cases.open_of_persons(asked))
    hers = ["worst", "early", "late", "mild"]
    expected = {KEEP: hers, FOLD: hers, OTHER: ["hers"], content: []}
    assert {contact: names(cases) for contact, cases in found.items()} == expected


async def test_open_cases_are_found_however_many_people_are_asked_about(store: SqlStore) -> None:
    await store.transact(complaints)
    crowd = [ContactId(f"nobody-{number}") for number in range(70_000)]
    found = await store.read(lambda unit: unit.cases.open_of_persons([*crowd, OTHER]))
    assert len(found) == 70_001
    assert names(found[OTHER]) == ["hers"]


async def test_an_interaction_joins_a_case_once(store: SqlStore) -> None:
    def link(number: int) -> CaseLink:
        return CaseLink(
            case=CaseId("case-1"),
            interaction=InteractionId(f"i-{number}"),
            conversation=ConversationId("conversation-1"),
            severity=2,
            at=NOW + number * MINUTE,
        )

    def join(unit: SqlUnit) -> list[bool]:
        return [unit.cases.link(link(number)) for number in (2, 1, 2)]

    assert await store.transact(join) == [True, True, False]
    assert await store.read(lambda unit: unit.cases.links(CaseId("case-1"))) == (link(1), link(2))
