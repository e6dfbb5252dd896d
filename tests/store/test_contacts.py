"""Persons are found by what is known of them, and merged and split without rewriting history."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.domain.contact import Contact, MergeRecord
from router.domain.identity import Claim, ClaimKind
from router.domain.ids import AccountName, ContactId
from router.service.ports import Conflict, NotFound
from router.store.engine import SqlStore
from router.store.unit import SqlUnit
from tests.builders import NOW, a_contact, a_known_identity, an_identity

KEEP, FOLD = ContactId("contact-1"), ContactId("contact-2")
PHONE = Claim(kind=ClaimKind.PHONE, value="+8613800000000", verified=True, source="caller_id")
LATER = NOW + timedelta(minutes=5)


def two_people(unit: SqlUnit) -> None:
    """Add the kept contact with a WeChat identity and the folded one with a call's."""
    unit.contacts.add(a_contact(KEEP))
    unit.contacts.add(a_contact(FOLD, name="来电客户", created_at=LATER))
    unit.contacts.attach(a_known_identity("o-lin", contact=KEEP))
    unit.contacts.attach(a_known_identity("caller-7", contact=FOLD, name="", first_seen_at=LATER))


def merge(unit: SqlUnit) -> MergeRecord:
    """Make the two one, as the service does."""
    record = MergeRecord(id="m-1", keep=KEEP, fold=FOLD, at=NOW, by="agent-1", why="same phone")
    unit.contacts.record_merge(record)
    unit.contacts.set_roots({FOLD: KEEP, KEEP: KEEP})
    return record


async def test_a_contact_comes_back_as_it_was_given(store: SqlStore) -> None:
    contact = a_contact(name="林小满 🛋️", vip=True, note="喜欢周末送货", language="en")
    await store.transact(lambda unit: unit.contacts.add(contact))
    assert await store.read(lambda unit: unit.contacts.get(contact.id)) == contact


async def test_saving_writes_what_people_know_and_never_who_stands_for_whom(
    store: SqlStore,
) -> None:
    await store.transact(two_people)
    await store.transact(merge)
    renamed = a_contact(FOLD, name="林女士", vip=True, note="n", language="en", created_at=LATER)
    await store.transact(lambda unit: unit.contacts.save(renamed))
    assert await store.read(lambda unit: unit.contacts.get(FOLD)) == replace(renamed, root=KEEP)


async def test_nobody_is_not_found(store: SqlStore) -> None:
    nobody = ContactId("nobody")
    for question in (
        lambda unit: unit.contacts.get(nobody),
        lambda unit: unit.contacts.members(nobody),
        lambda unit: unit.contacts.lock(nobody),
        lambda unit: unit.contacts.case_version(nobody),
        lambda unit: unit.contacts.save(a_contact(nobody)),
        lambda unit: unit.contacts.merge_record("none"),
    ):
        with pytest.raises(NotFound):
            await store.transact(question)


async def test_an_identity_leads_to_its_contact_with_what_was_last_seen(store: SqlStore) -> None:
    await store.transact(two_people)
    identity = an_identity("o-lin")

    def active(unit: SqlUnit) -> None:
        unit.contacts.seen(identity, at=LATER, name="小满满", following=False)
        unit.contacts.seen(identity, at=NOW)
        unit.contacts.profile_asked(identity, at=LATER)

    await store.transact(active)

    expected = a_known_identity(
        name="小满满", following=False, last_seen_at=LATER, profile_asked_at=LATER
    )
    assert await store.read(lambda unit: unit.contacts.known(identity.account, "o-lin")) == expected
    assert await store.read(lambda unit: unit.contacts.known(AccountName("other"), "o-lin")) is None


async def test_the_same_identity_twice_is_a_conflict(store: SqlStore) -> None:
    await store.transact(two_people)
    with pytest.raises(Conflict):
        await store.transact(
            lambda unit: unit.contacts.attach(a_known_identity("o-lin", contact=FOLD))
        )


async def test_a_claim_is_new_once_and_newly_verified_once(store: SqlStore) -> None:
    await store.transact(two_people)
    identity, said = an_identity("o-lin"), replace(PHONE, verified=False, source="customer")

    def claim(unit: SqlUnit, claim: Claim) -> bool:
        return unit.contacts.add_claim(identity, claim, at=NOW)

    results = [await store.transact(claim, each) for each in (said, said, PHONE, PHONE, said)]

    assert results == [True, False, True, False, False]
    (known,) = await store.read(lambda unit: unit.contacts.claims([KEEP, FOLD]))
    assert (known.claim, known.contact, known.identity) == (PHONE, KEEP, identity)


async def test_claimants_are_persons_oldest_first_and_unproven_claims_only_on_request(
    store: SqlStore,
) -> None:
    await store.transact(two_people)

    def claim(unit: SqlUnit) -> None:
        unit.contacts.add_claim(an_identity("caller-7"), PHONE, at=NOW)
        unit.contacts.add_claim(an_identity("o-lin"), replace(PHONE, verified=False), at=NOW)

    def claimants(unit: SqlUnit, *, verified: bool) -> tuple[ContactId, ...]:
        return unit.contacts.claimants(ClaimKind.PHONE, PHONE.value, verified=verified)

    await store.transact(claim)
    assert await store.read(claimants, verified=True) == (FOLD,)
    assert await store.read(claimants, verified=False) == (KEEP, FOLD)

    await store.transact(merge)
    assert await store.read(claimants, verified=True) == (KEEP,)
    assert await store.read(claimants, verified=False) == (KEEP,)


async def test_a_merge_makes_one_person_and_undoing_it_two_again(store: SqlStore) -> None:
    await store.transact(two_people)
    record = await store.transact(merge)
    for contact in (KEEP, FOLD):
        members = await store.read(lambda unit, it=contact: unit.contacts.members(it))
        assert members == (KEEP, FOLD)
        assert await store.transact(lambda unit, it=contact: unit.contacts.lock(it)) == KEEP
    identities = await store.read(lambda unit: unit.contacts.identities([KEEP, FOLD]))
    assert [known.contact for known in identities] == [KEEP, FOLD]

    def split(unit: SqlUnit) -> None:
        unit.contacts.undo_merge("m-1", at=LATER, by="agent-2")
        unit.contacts.set_roots({KEEP: KEEP, FOLD: FOLD})

    await store.transact(split)
    assert await store.read(lambda unit: unit.contacts.members(FOLD)) == (FOLD,)
    undone = replace(record, undone_at=LATER, undone_by="agent-2")
    assert await store.read(lambda unit: unit.contacts.merge_record("m-1")) == undone
    assert await store.read(lambda unit: unit.contacts.merges([FOLD])) == (undone,)
    with pytest.raises(Conflict):
        await store.transact(split)


async def test_the_case_counter_is_the_persons_and_not_the_contacts(store: SqlStore) -> None:
    await store.transact(two_people)
    await store.transact(merge)
    await store.transact(lambda unit: unit.contacts.bump_case_version(FOLD))
    await store.transact(lambda unit: unit.contacts.bump_case_version(KEEP))
    assert await store.read(lambda unit: unit.contacts.case_version(FOLD)) == 2


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("小满", [KEEP]),
        ("CALLER", [KEEP]),
        ("1380000", [KEEP]),
        ("100%_off", ["contact-3"]),
        ("%", ["contact-3"]),
        ("_", ["contact-3"]),
        ("/", []),
        ("nothing like it", []),
        ("", ["contact-3", KEEP]),
    ],
)
async def test_a_search_finds_persons_by_name_claim_or_id_and_takes_signs_as_they_stand(
    store: SqlStore, words: str, found: list[str]
) -> None:
    def prepare(unit: SqlUnit) -> None:
        two_people(unit)
        merge(unit)
        unit.contacts.add_claim(an_identity("caller-7"), PHONE, at=NOW)
        unit.contacts.add(a_contact("contact-3", name="Ms 100%_Off", created_at=LATER))

    def search(unit: SqlUnit) -> tuple[Contact, ...]:
        return unit.contacts.search(words, limit=10)

    await store.transact(prepare)
    assert [contact.id for contact in await store.read(search)] == found


async def test_a_search_stops_at_its_limit_with_the_newest(store: SqlStore) -> None:
    def prepare(unit: SqlUnit) -> None:
        for number in range(5):
            at = NOW + timedelta(seconds=number)
            unit.contacts.add(a_contact(f"c-{number}", created_at=at))

    await store.transact(prepare)
    found = await store.read(lambda unit: unit.contacts.search("林", limit=2))
    assert [contact.id for contact in found] == ["c-4", "c-3"]


async def test_a_name_that_no_database_could_hold_is_kept_all_the_same(store: SqlStore) -> None:
    strange = a_contact(name="a\0b \ud83d\ude00 \ud83d" + "长" * 5000)
    await store.transact(lambda unit: unit.contacts.add(strange))
    kept = await store.read(lambda unit: unit.contacts.get(strange.id))
    assert kept.name == "a\N{REPLACEMENT CHARACTER}b 😀 \N{REPLACEMENT CHARACTER}" + "长" * 5000
