"""Notes to remember about a person, and what an agent is given with an offer."""

import pytest

from router.domain.digest import About
from router.domain.errors import Invalid
from router.domain.ids import AgentId, ContactId
from router.domain.remembered import Remembered
from router.service import contacts
from router.service.desktop import desk
from router.service.ports import Conflict, NotFound
from router.service.remember import LONGEST, amend, remember, remembered_of, unremember
from router.service.unit import Unit
from tests.service.conftest import CHAT, WEIBO, Shop, phone
from tests.service.test_story import ANGRY, NUMBER

LIN, WANG = AgentId("lin"), AgentId("wang")
ALLERGY = "只用低敏产品"


async def contact_of(shop: Shop, account: str, sender: str) -> ContactId:
    def ask(unit: Unit) -> ContactId:
        known = unit.contacts.known(account, sender)  # type: ignore[arg-type]
        assert known is not None
        return known.contact

    return await shop.store.read(ask)


async def note(shop: Shop, contact: ContactId, text: str) -> Remembered:
    return await shop.store.transact(
        remember, contact=contact, text=text, by=LIN, at=shop.clock.now()
    )


async def texts(shop: Shop, contact: ContactId) -> list[str]:
    return [each.text for each in await shop.store.read(remembered_of, contact)]


async def test_notes_are_together_after_a_merge_and_apart_after_the_split(shop: Shop) -> None:
    await shop.hear(CHAT, "member-1", "在吗")
    await shop.hear(WEIBO, "weibo-7", "在吗")
    one, two = await contact_of(shop, CHAT, "member-1"), await contact_of(shop, WEIBO, "weibo-7")
    await note(shop, one, ALLERGY)
    await note(shop, two, "六点以后再打电话")
    given = {"by": LIN, "policy": shop.policy, "at": shop.clock.now()}
    merged = await shop.store.transact(contacts.merge, keep=one, gone=two, why="同一人", **given)
    assert await texts(shop, one) == await texts(shop, two) == [ALLERGY, "六点以后再打电话"]
    await shop.store.transact(contacts.split, merge_id=merged.id, **given)
    assert await texts(shop, one) == [ALLERGY]
    assert await texts(shop, two) == ["六点以后再打电话"]


async def test_a_note_is_changed_and_taken_away_with_author_and_time(shop: Shop) -> None:
    await shop.hear(CHAT, "member-1", "在吗")
    contact = await contact_of(shop, CHAT, "member-1")
    first = await note(shop, contact, ALLERGY)
    given = {"by": WANG, "at": shop.clock.now()}
    changed = await shop.store.transact(amend, noted=first.id, text="只用无香产品", **given)
    assert (changed.written_by, changed.changed_by, changed.text) == (LIN, WANG, "只用无香产品")
    assert changed.changed_at == shop.clock.now()
    with pytest.raises(Conflict):
        await shop.store.transact(lambda unit: unit.memory.save(first))
    await shop.store.transact(unremember, noted=first.id, **given)
    assert await texts(shop, contact) == []
    with pytest.raises(NotFound):
        await shop.store.transact(amend, noted=first.id, text="又来", **given)


@pytest.mark.parametrize("text", ["", "   ", "长" * (LONGEST + 1)])
async def test_a_note_has_words_and_not_too_many(shop: Shop, text: str) -> None:
    await shop.hear(CHAT, "member-1", "在吗")
    with pytest.raises(Invalid, match="text:"):
        await note(shop, await contact_of(shop, CHAT, "member-1"), text)


async def test_an_offer_brings_notes_mood_and_what_happened_elsewhere(shop: Shop) -> None:
    await shop.hear(WEIBO, "weibo-7", ANGRY, claims=(phone(NUMBER),))
    await shop.read_all()
    lin = await shop.staff("lin")
    await shop.hear(CHAT, "member-1", "发票怎么开？", claims=(phone(NUMBER),))
    await note(shop, await contact_of(shop, WEIBO, "weibo-7"), ALLERGY)
    await shop.settle()
    held = await shop.store.read(desk, me=lin, policy=shop.policy, at=shop.clock.now())
    (offer,) = [each for each in held.offers if each.card.conversation.account == CHAT]
    assert [each.text for each in offer.handover.notes] == [ALLERGY]
    assert [each.about for each in offer.handover.points] == [About.COMPLAINT, About.WANTS]
    assert offer.handover.points[0].channel == WEIBO
