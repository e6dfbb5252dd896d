"""What is asked of many at once is what would be asked of each, on both databases."""

from dataclasses import replace

from router.domain.conversation import Offered
from router.domain.ids import AgentId, ContactId, ConversationId, ReservationId
from router.store.engine import SqlStore
from router.store.unit import SqlUnit
from tests.builders import NOW, a_case, a_contact, a_conversation, a_reservation, an_interaction

KEEP, FOLD, ALONE, NOBODY = map(ContactId, ("contact-1", "contact-2", "contact-3", "nobody"))
TALK, OTHER = ConversationId("conversation-1"), ConversationId("conversation-2")
CHEN = AgentId("agent-1")


def people(unit: SqlUnit) -> None:
    """Add a person of two contacts and one of one."""
    unit.contacts.add(a_contact(KEEP))
    unit.contacts.add(a_contact(FOLD, root=KEEP))
    unit.contacts.add(a_contact(ALONE))


async def test_members_and_roots_of_many_are_those_of_each(store: SqlStore) -> None:
    await store.transact(people)

    def asked(unit: SqlUnit) -> None:
        everybody = (KEEP, FOLD, ALONE)
        members = unit.contacts.members_of((*everybody, NOBODY))
        assert members == {each: unit.contacts.members(each) for each in everybody}
        roots = unit.contacts.root_ids((*everybody, NOBODY))
        assert roots == {each: unit.contacts.get(each).root for each in everybody}

    await store.read(asked)


async def test_the_latest_of_many_conversations_are_those_of_each(store: SqlStore) -> None:
    def said(unit: SqlUnit) -> None:
        people(unit)
        for name, count in ((TALK, 7), (OTHER, 2)):
            unit.conversations.add(a_conversation(name, external_id=name, last_seq=count))
            for seq in range(1, count + 1):
                here = f"{name}-{seq}"
                unit.conversations.append(
                    an_interaction(here, conversation=name, external_id=here, seq=seq)
                )

    await store.transact(said)

    def asked(unit: SqlUnit) -> None:
        latest = unit.conversations.latest_in((TALK, OTHER), limit=5)
        assert latest == {each: unit.conversations.said_in(each, limit=5) for each in (TALK, OTHER)}
        assert [each.seq for each in latest[TALK]] == [3, 4, 5, 6, 7]

    await store.read(asked)


async def test_places_say_who_has_a_conversation(store: SqlStore) -> None:
    held = Offered(reservation=ReservationId("r"), agent=CHEN, since=NOW, until=NOW)

    def talk(unit: SqlUnit) -> None:
        unit.conversations.add(a_conversation(TALK, external_id="one", state=held))
        unit.conversations.add(a_conversation(OTHER, external_id="two"))

    await store.transact(talk)
    places = await store.read(
        lambda unit: unit.conversations.places((TALK, OTHER, ConversationId("unknown")))
    )
    assert {name: place.agent for name, place in places.items()} == {TALK: CHEN, OTHER: None}
    assert places[TALK].external_id == "one"


async def test_ones_own_cases_are_all_of_them_the_next_due_first(store: SqlStore) -> None:
    def complain(unit: SqlUnit) -> None:
        people(unit)
        for number in range(3):
            due = NOW.replace(minute=30 - number)
            unit.cases.add(a_case(f"mine-{number}", owner=CHEN, queue=None, due_at=due))
        unit.cases.add(a_case("hers", owner=AgentId("agent-2"), queue=None))

    await store.transact(complain)
    owned = await store.read(lambda unit: unit.cases.open_owned_by(CHEN))
    assert [each.id for each in owned] == ["mine-2", "mine-1", "mine-0"]


async def test_reservations_of_many_are_those_of_each(store: SqlStore) -> None:
    one, two = a_reservation(), replace(a_reservation("reservation-2"), conversation=OTHER)

    def reserve(unit: SqlUnit) -> None:
        unit.workforce.reserve(one)
        unit.workforce.reserve(two)

    await store.transact(reserve)
    found = await store.read(
        lambda unit: unit.workforce.reservations((one.id, two.id, ReservationId("unknown")))
    )
    assert found == {one.id: one, two.id: two}
