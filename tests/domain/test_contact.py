"""Merging and splitting: whoever stands for whom is told by the records alone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from router.domain.contact import Contact, MergeRecord, check_split, plan_merge, roots
from router.domain.errors import CannotMerge, CannotSplit
from router.domain.ids import ContactId

THEN = datetime(2026, 11, 11, tzinfo=UTC)
PEOPLE = tuple(ContactId(name) for name in "abcdef")
PAIRS = some.lists(some.tuples(some.sampled_from(PEOPLE), some.sampled_from(PEOPLE)), max_size=8)


def merged(pairs: list[tuple[ContactId, ContactId]]) -> list[MergeRecord]:
    """Return the records of those merges that were possible, one after the other."""
    records: list[MergeRecord] = []
    for number, (one, other) in enumerate(pairs):
        known = roots(PEOPLE, records)
        keep, fold = a_contact(one, known[one]), a_contact(other, known[other])
        if keep.root != fold.root:
            at = THEN + timedelta(seconds=number)
            records.append(
                plan_merge(keep, fold, record_id=str(number), by="lin", why="told so", at=at)
            )
    return records


def a_contact(name: ContactId, root: ContactId) -> Contact:
    return Contact(id=name, root=root, name="", language="", vip=False, created_at=THEN)


@given(PAIRS)
def test_the_two_sides_of_every_standing_merge_have_one_root(
    pairs: list[tuple[ContactId, ContactId]],
) -> None:
    records = merged(pairs)
    known = roots(PEOPLE, records)
    assert all(known[record.keep] == known[record.fold] for record in records)
    assert all(known[root] == root for root in known.values())


@given(PAIRS, some.data())
def test_merging_and_undoing_it_is_nothing(
    pairs: list[tuple[ContactId, ContactId]], data: some.DataObject
) -> None:
    records = merged(pairs)
    before = roots(PEOPLE, records)
    one, other = data.draw(some.tuples(some.sampled_from(PEOPLE), some.sampled_from(PEOPLE)))
    if before[one] == before[other]:
        return
    made = plan_merge(
        a_contact(one, before[one]),
        a_contact(other, before[other]),
        record_id="last",
        by="lin",
        why="told so",
        at=THEN + timedelta(days=1),
    )
    undone = MergeRecord(
        id=made.id, keep=made.keep, fold=made.fold, at=made.at, by="lin", why="", undone_at=THEN
    )
    assert roots(PEOPLE, [*records, undone]) == before


def test_one_person_cannot_be_merged_with_themselves() -> None:
    with pytest.raises(CannotMerge):
        plan_merge(
            a_contact(PEOPLE[0], PEOPLE[0]),
            a_contact(PEOPLE[1], PEOPLE[0]),
            record_id="1",
            by="lin",
            why="",
            at=THEN,
        )


def test_a_merge_is_undone_once() -> None:
    record = MergeRecord(
        id="1", keep=PEOPLE[0], fold=PEOPLE[1], at=THEN, by="lin", why="", undone_at=THEN
    )
    with pytest.raises(CannotSplit):
        check_split(record)
