"""Who is one person: proof joins at once, weak evidence is proposed, what is shared welds none."""

import asyncio

import pytest

from router.domain.errors import Invalid
from router.domain.identity import Claim, ClaimKind
from router.domain.ids import AccountName, AgentId, ContactId, ConversationId
from router.service import contacts
from router.service.probable import probable_cases, suspected
from router.service.unit import Unit
from tests.service.conftest import CHAT, PHONE, WECHAT, WEIBO, Shop, phone
from tests.service.test_ledger import alerts
from tests.service.test_story import ANGRY, NUMBER

LIN = AgentId("lin")


def a_claim(kind: ClaimKind, value: str, *, verified: bool = True) -> Claim:
    return Claim(kind=kind, value=value, verified=verified, source="platform")


def member(name: str) -> Claim:
    return Claim(kind=ClaimKind.MEMBER, value=name, verified=True, source="signed_identity")


async def root_of(shop: Shop, conversation: ConversationId) -> ContactId:
    def ask(unit: Unit) -> ContactId:
        return unit.contacts.get(unit.conversations.get(conversation).contact).root

    found: ContactId = await shop.store.read(ask)
    return found


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ClaimKind.UNION, "union-7"),
        (ClaimKind.PHONE, NUMBER),
        (ClaimKind.EMAIL, "qiu@example.com"),
        (ClaimKind.MEMBER, "m-1001"),
    ],
)
async def test_strong_evidence_joins_at_once(shop: Shop, kind: ClaimKind, value: str) -> None:
    proof = (a_claim(kind, value),)
    one = await shop.hear(WECHAT, "openid-1", "在吗", claims=proof)
    other = await shop.hear(WEIBO, "weibo-7", "在吗", claims=proof)
    stranger = await shop.hear(CHAT, "visitor-1", "在吗")
    assert await root_of(shop, one) == await root_of(shop, other)
    assert await root_of(shop, one) != await root_of(shop, stranger)


async def test_what_is_only_said_joins_nobody(shop: Shop) -> None:
    said = (a_claim(ClaimKind.PHONE, NUMBER, verified=False),)
    one = await shop.hear(WECHAT, "openid-1", "在吗", claims=said)
    other = await shop.hear(WEIBO, "weibo-7", "在吗", claims=said)
    assert await root_of(shop, one) != await root_of(shop, other)


async def test_an_order_and_a_name_together_link_at_once(shop: Shop) -> None:
    order = "订单20261111001234，什么时候到"
    one = await named(shop, WECHAT, "openid-1", order, "周小秋")
    other = await named(shop, WEIBO, "weibo-7", order, "周小秋")
    stranger = await named(shop, CHAT, "visitor-1", order, "阿竹")
    assert await root_of(shop, one) == await root_of(shop, other)
    assert await root_of(shop, one) != await root_of(shop, stranger)
    proposed = await shop.store.read(suspected, await root_of(shop, stranger))
    assert [proposal.evidence for proposal, _other in proposed] == ["order"]


async def named(
    shop: Shop, account: AccountName, sender: str, words: str, name: str
) -> ConversationId:
    """Hear somebody whose platform has told their name."""
    talk = await shop.hear(account, sender, words)

    def christen(unit: Unit) -> None:
        known = unit.contacts.identities((unit.conversations.get(talk).contact,))
        unit.contacts.seen(known[0].identity, at=shop.clock.now(), name=name)

    await shop.store.transact(christen)
    await shop.read_all()
    return talk


async def test_an_agents_word_joins_however_the_number_is_written(shop: Shop) -> None:
    call = await shop.hear(PHONE, NUMBER, "喂", claims=(phone(NUMBER),))
    chat = await shop.hear(CHAT, "visitor-1", "在吗")
    held = await shop.conversation(chat)
    (known,) = await shop.store.read(lambda unit: unit.contacts.identities((held.contact,)))

    async def vouch(value: str) -> None:
        await shop.store.transact(
            contacts.vouch,
            identity=known.identity,
            said=a_claim(ClaimKind.PHONE, value),
            by=LIN,
            policy=shop.policy,
            at=shop.clock.now(),
        )

    for wrong in ("none", "12"):
        with pytest.raises(Invalid, match="value"):
            await vouch(wrong)
    await vouch("138-0013-8000")
    assert await root_of(shop, call) == await root_of(shop, chat)


async def test_the_phone_of_a_family_welds_nobody_and_hides_no_complaint(shop: Shop) -> None:
    """Two members have one number; who calls from it may be either, and is made neither."""
    mother = await shop.hear(CHAT, "mother", "在吗", claims=(member("m-1"), phone(NUMBER)))
    son = await shop.hear(CHAT, "son", "在吗", claims=(member("m-2"), phone(NUMBER)))
    call = await shop.hear(PHONE, NUMBER, ANGRY, claims=(phone(NUMBER),))
    await shop.read_all()

    assert len({await root_of(shop, each) for each in (mother, son, call)}) == 3
    for each in (mother, son):
        known = await shop.store.read(probable_cases, await root_of(shop, each))
        assert [case.conversation for _proposal, case in known] == [call]
    told = await alerts(shop, LIN, supervisor=True)
    assert "identity_contradiction" in {each.kind for each in told}


async def test_a_companys_switchboard_does_not_weld_without_end(shop: Shop) -> None:
    talks = [
        await shop.hear(WECHAT, f"openid-{number}", "在吗", claims=(phone(NUMBER),))
        for number in range(8)
    ]
    roots = [await root_of(shop, each) for each in talks]
    assert len(set(roots[5:])) == 3
    assert await shop.store.read(suspected, roots[7])


async def test_two_messages_at_once_are_one_contact_and_one_conversation(shop: Shop) -> None:
    first, second = await asyncio.gather(
        shop.say(CHAT, "visitor-1", "在吗"), shop.say(CHAT, "visitor-1", "想问一下物流")
    )
    assert first.conversations == second.conversations
    (talk,) = set(first.conversations)
    assert len(await shop.timeline(talk)) == 2


async def test_two_messages_at_once_on_two_channels_are_one_contact(shop: Shop) -> None:
    proof = (member("m-1"),)
    first, second = await asyncio.gather(
        shop.say(CHAT, "visitor-1", "在吗", claims=proof),
        shop.say(WECHAT, "openid-1", ANGRY, claims=proof),
    )
    here, there = first.conversations[0], second.conversations[0]
    assert await root_of(shop, here) == await root_of(shop, there)
    await shop.read_all()
    cases = await shop.store.read(lambda unit: unit.cases.all_open())
    assert [case.conversation for case in cases] == [there]
