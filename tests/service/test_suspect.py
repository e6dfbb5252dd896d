"""Weak evidence: proposed, shown with the complaints it reveals, decided by a person."""

import pytest

from router.domain.conversation import Queued
from router.domain.errors import IllegalStep
from router.domain.identity import Claim, ClaimKind
from router.domain.ids import AgentId, ContactId, ConversationId
from router.service.probable import suspected
from router.service.stories import stories
from router.service.suspect import accept_proposal, reject_proposal
from router.service.unit import Unit
from tests.service.conftest import CHAT, WEIBO, Shop
from tests.service.test_story import ANGRY, publish

LIN = AgentId("lin")


async def root_of(shop: Shop, conversation: ConversationId) -> ContactId:
    contact = (await shop.conversation(conversation)).contact

    def ask(unit: Unit) -> ContactId:
        return unit.contacts.get(contact).root

    return await shop.store.read(ask)


async def two_with_one_number(shop: Shop) -> tuple[ConversationId, ConversationId]:
    post = await shop.hear(WEIBO, "weibo-7", f"{ANGRY}我的手机号13800138000")
    chat = await shop.hear(CHAT, "visitor-9", "怎么开发票？我电话13800138000")
    await shop.read_all()
    return post, chat


async def test_a_typed_number_proposes_and_does_not_merge(shop: Shop) -> None:
    post, chat = await two_with_one_number(shop)

    one, two = await root_of(shop, post), await root_of(shop, chat)
    assert one != two
    ((proposal, other),) = await shop.store.read(suspected, two)
    assert (other, proposal.evidence) == (one, "phone")


async def test_the_complaint_of_the_probable_person_is_shown_and_keeps_the_bot_away(
    shop: Shop,
) -> None:
    await publish(shop)
    _post, chat = await two_with_one_number(shop)
    await shop.settle()

    held = await shop.conversation(chat)
    (story,) = await shop.store.read(stories, held.contact, at=shop.clock.now())
    assert story.probable == "phone"
    assert isinstance(held.state, Queued)


async def test_an_accepted_proposal_makes_them_one(shop: Shop) -> None:
    post, chat = await two_with_one_number(shop)
    ((proposal, _other),) = await shop.store.read(suspected, await root_of(shop, chat))
    await shop.store.transact(
        accept_proposal, proposal=proposal.id, by=LIN, policy=shop.policy, at=shop.clock.now()
    )

    assert await root_of(shop, post) == await root_of(shop, chat)


async def test_a_rejected_proposal_is_not_made_again(shop: Shop) -> None:
    _post, chat = await two_with_one_number(shop)
    root = await root_of(shop, chat)
    ((proposal, _other),) = await shop.store.read(suspected, root)
    await shop.store.transact(reject_proposal, proposal=proposal.id, by=LIN, at=shop.clock.now())
    await shop.hear(CHAT, "visitor-9", "我电话是13800138000，麻烦回电")
    await shop.read_all()

    assert await shop.store.read(suspected, root) == ()
    with pytest.raises(IllegalStep):
        await shop.store.transact(
            reject_proposal, proposal=proposal.id, by=LIN, at=shop.clock.now()
        )


async def test_an_order_number_and_a_phone_together_link_at_once(shop: Shop) -> None:
    claims = tuple(
        Claim(kind=kind, value=value, verified=False, source="customer")
        for kind, value in (
            (ClaimKind.ORDER, "20261111001234"),
            (ClaimKind.PHONE, "+8613800138000"),
        )
    )
    post = await shop.hear(WEIBO, "weibo-7", ANGRY, claims=claims)
    chat = await shop.hear(CHAT, "visitor-9", "订单号20261111001234，手机13800138000，什么时候发货")
    await shop.read_all()

    assert await root_of(shop, post) == await root_of(shop, chat)


async def test_a_number_that_many_strangers_name_joins_nobody(shop: Shop) -> None:
    chats = [
        await shop.hear(CHAT, f"visitor-{number}", "打这个电话13800138000找我")
        for number in range(8)
    ]
    await shop.read_all()

    roots = {await root_of(shop, chat) for chat in chats}
    assert len(roots) == len(chats)
    last = await shop.store.read(suspected, await root_of(shop, chats[-1]))
    assert last == ()
