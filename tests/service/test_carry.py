"""A decision is carried out only if the world is still as it was when it was taken."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from router.domain.case import Resolution
from router.domain.conversation import Offered, Queued, WithBot
from router.domain.floor import Floor
from router.domain.ids import AgentId, ConversationId
from router.domain.routing import Decision, GiveToBot, OfferTo, decide
from router.domain.workforce import Presence
from router.service import answer, cases, desk
from router.service.carry import LEASE, carry_out
from router.service.contacts import merge
from router.service.dispatch import Dispatcher
from router.service.floor import look_at_all
from router.service.ports import Conflict
from router.service.unit import Unit
from tests.service.conftest import ABLE, CHAT, FAMILY, WEIBO, Shop, phone
from tests.service.test_story import ANGRY, NUMBER, publish


async def carry(shop: Shop, choice: Decision, seq: int, **changes: Any) -> None:
    lease = await shop.store.read(lambda unit: unit.journal.leased(LEASE))
    assert lease is not None
    given = {
        "seen_seq": seq,
        "fence": lease.fence,
        "policy": shop.policy,
        "weights": lambda _held: 0.25,
        "at": shop.clock.now(),
        **changes,
    }
    await shop.store.transact(carry_out, choice, **given)


async def an_offer(shop: Shop) -> tuple[ConversationId, int, OfferTo]:
    """Return a conversation in line and the offer that was decided for it."""
    await shop.dispatcher.once()
    chat = await shop.hear(CHAT, "member-1", "我想修改收货地址", claims=(phone(NUMBER),))
    await shop.read_all()
    await shop.staff("lin")
    floor = Floor()
    seen = await shop.store.read(look_at_all, policy=shop.policy, families=FAMILY)
    for change in seen.changes:
        floor.apply(change)
    (choice,) = decide(floor, shop.policy, shop.clock.now())
    assert isinstance(choice, OfferTo)
    return chat, seen.seq, choice


async def test_an_offer_stands_if_nothing_has_happened_since(shop: Shop) -> None:
    chat, seq, choice = await an_offer(shop)
    await carry(shop, choice, seq)
    assert isinstance((await shop.conversation(chat)).state, Offered)


async def test_an_offer_decided_before_a_complaint_on_another_channel_is_refused(
    shop: Shop,
) -> None:
    chat, seq, choice = await an_offer(shop)
    await shop.hear(WEIBO, "weibo-7", ANGRY, claims=(phone(NUMBER),))
    await shop.read_all()

    with pytest.raises(Conflict):
        await carry(shop, choice, seq)
    assert isinstance((await shop.conversation(chat)).state, Queued)


@pytest.mark.parametrize("more", [0, 1])
async def test_an_offer_decided_before_a_merge_is_refused(shop: Shop, more: int) -> None:
    """Two persons' counters may stand at one number; the merged person has a number of its own."""
    await shop.dispatcher.once()
    weibo = await shop.hear(WEIBO, "weibo-7", ANGRY)
    chat = await shop.hear(CHAT, "member-1", "我想修改收货地址")
    await shop.read_all()
    await shop.staff("lin")

    def match(unit: Unit) -> int:
        """Bring the counter of the chat's person to the other's, or to the next."""
        here, there = (unit.conversations.get(each).contact for each in (chat, weibo))
        while unit.contacts.case_version(here) < unit.contacts.case_version(there) + more:
            unit.contacts.bump_case_version(here)
        return unit.contacts.case_version(here)

    version = await shop.store.transact(match)
    contacts_of = [(await shop.conversation(each)).contact for each in (weibo, chat)]
    await shop.store.transact(
        merge,
        keep=contacts_of[0],
        gone=contacts_of[1],
        by=AgentId("lin"),
        why="told so",
        policy=shop.policy,
        at=shop.clock.now(),
    )
    old = OfferTo(conversation=chat, agent=AgentId("lin"), weight=0.25, case_version=version)
    with pytest.raises(Conflict, match="complaints have changed"):
        await carry(shop, old, 0)


async def test_an_offer_decided_before_the_same_person_complained_is_refused(shop: Shop) -> None:
    chat, seq, choice = await an_offer(shop)
    await shop.hear(CHAT, "member-1", ANGRY)
    await shop.read_all()

    with pytest.raises(Conflict, match="complaints have changed"):
        await carry(shop, choice, seq)
    assert isinstance((await shop.conversation(chat)).state, Queued)


async def test_an_offer_is_refused_while_something_of_the_person_is_unread(shop: Shop) -> None:
    _chat, seq, choice = await an_offer(shop)
    await shop.hear(WEIBO, "weibo-7", "在吗", claims=(phone(NUMBER),))
    version = await shop.store.read(
        lambda unit: unit.contacts.case_version(unit.conversations.get(choice.conversation).contact)
    )
    fresh = OfferTo(
        conversation=choice.conversation, agent=choice.agent, weight=0.25, case_version=version
    )

    with pytest.raises(Conflict, match="read"):
        await carry(shop, fresh, seq)


async def test_an_agent_who_was_filled_meanwhile_is_not_filled_again(shop: Shop) -> None:
    chat, seq, choice = await an_offer(shop)
    other = await shop.hear(CHAT, "other", "物流到哪了")
    await shop.read_all()
    heavy = {"weights": lambda _held: 0.6}
    second = replace(choice, conversation=other)
    await carry(shop, choice, seq, **heavy)

    with pytest.raises(Conflict, match="no room left"):
        await carry(shop, second, seq, **heavy)
    assert isinstance((await shop.conversation(chat)).state, Offered)
    assert isinstance((await shop.conversation(other)).state, Queued)


async def test_a_daemon_that_lost_the_lease_routes_no_more(shop: Shop) -> None:
    _chat, seq, choice = await an_offer(shop)
    shop.clock.pass_by(timedelta(seconds=10))
    successor = Dispatcher(
        shop.store, policy=shop.policy, families=FAMILY, clock=shop.clock, name="another"
    )
    lease = await shop.store.read(lambda unit: unit.journal.leased(LEASE))
    assert lease is not None
    await successor.once()

    with pytest.raises(Conflict, match="another daemon"):
        await carry(shop, choice, seq, fence=lease.fence)


async def test_the_bot_is_given_nobody_who_complained_meanwhile(shop: Shop) -> None:
    await publish(shop)
    await shop.dispatcher.once()
    chat = await shop.hear(CHAT, "member-1", "怎么开发票", claims=(phone(NUMBER),))
    await shop.read_all()
    held = await shop.conversation(chat)
    assert held.bot_ok
    await shop.hear(WEIBO, "weibo-7", ANGRY, claims=(phone(NUMBER),))
    await shop.read_all()
    version = await shop.store.read(lambda unit: unit.contacts.case_version(held.contact))

    with pytest.raises(Conflict):
        await carry(shop, GiveToBot(conversation=chat, case_version=version), 0)


async def test_the_bot_says_nothing_while_a_word_is_unread(shop: Shop) -> None:
    await publish(shop)
    chat = await shop.hear(CHAT, "member-1", "怎么开发票")
    await shop.read_all()
    await shop.dispatcher.once()
    assert isinstance((await shop.conversation(chat)).state, WithBot)
    (turn,) = await shop.store.read(answer.due, policy=shop.policy, families=FAMILY)
    found = shop.library.best("怎么开发票", language="zh", channel=CHAT)
    said = answer.compose(turn, found, shop.library.published(), products={}, policy=shop.policy)
    await shop.hear(CHAT, "member-1", ANGRY)

    given = {"turn": turn, "utterance": said, "policy": shop.policy, "capabilities": ABLE}
    with pytest.raises(Conflict):
        await shop.store.transact(answer.say, **given, at=shop.clock.now())
    await shop.read_all()
    assert not await shop.store.transact(answer.say, **given, at=shop.clock.now())
    assert all(each.author != "bot" for each in await shop.timeline(chat))


async def test_the_bot_says_nothing_while_a_word_on_another_channel_is_unread(shop: Shop) -> None:
    await publish(shop)
    chat = await shop.hear(CHAT, "member-1", "怎么开发票", claims=(phone(NUMBER),))
    await shop.read_all()
    await shop.dispatcher.once()
    (turn,) = await shop.store.read(answer.due, policy=shop.policy, families=FAMILY)
    found = shop.library.best("怎么开发票", language="zh", channel=CHAT)
    said = answer.compose(turn, found, shop.library.published(), products={}, policy=shop.policy)
    await shop.hear(WEIBO, "weibo-7", ANGRY, claims=(phone(NUMBER),))

    given = {"turn": turn, "utterance": said, "policy": shop.policy, "capabilities": ABLE}
    with pytest.raises(Conflict, match="not been read"):
        await shop.store.transact(answer.say, **given, at=shop.clock.now())
    assert all(each.author != "bot" for each in await shop.timeline(chat))


async def decided(shop: Shop) -> tuple[Decision, ...]:
    """Return what is decided on the floor as it is now."""
    floor = Floor()
    seen = await shop.store.read(look_at_all, policy=shop.policy, families=FAMILY)
    for change in seen.changes:
        floor.apply(change)
    return decide(floor, shop.policy, shop.clock.now())


async def version_of(shop: Shop, conversation: ConversationId) -> int:
    """Return the counter of the person's cases."""
    contact = (await shop.conversation(conversation)).contact
    version: int = await shop.store.read(lambda unit: unit.contacts.case_version(contact))
    return version


async def test_who_went_away_meanwhile_is_offered_nothing(shop: Shop) -> None:
    _chat, seq, choice = await an_offer(shop)
    given = {"agent": choice.agent, "presence": Presence.AWAY, "by": choice.agent}
    await shop.store.transact(desk.set_presence, **given, at=shop.clock.now())
    with pytest.raises(Conflict, match="takes no work"):
        await carry(shop, choice, seq)


async def test_an_offer_is_carried_out_once(shop: Shop) -> None:
    _chat, seq, choice = await an_offer(shop)
    await carry(shop, choice, seq)
    with pytest.raises(Conflict, match="no longer waits"):
        await carry(shop, choice, seq)


async def test_an_offer_keeps_what_it_knew(shop: Shop) -> None:
    await shop.dispatcher.once()
    chat = await shop.hear(CHAT, "member-1", ANGRY)
    await shop.read_all()
    await shop.staff("lin")
    (choice,) = await decided(shop)
    await carry(shop, choice, 0)
    known, kept = await shop.store.read(
        lambda unit: (unit.cases.all_open(), unit.journal.decisions(chat))
    )
    assert [each.cases for each in kept] == [tuple(case.id for case in known)]
    assert known


async def test_an_offer_decided_before_a_case_was_written_by_hand_is_refused(shop: Shop) -> None:
    chat, seq, choice = await an_offer(shop)
    await shop.store.transact(
        cases.open_by_hand,
        contact=(await shop.conversation(chat)).contact,
        severity=2,
        topic="logistics",
        summary="told at the counter",
        by=choice.agent,
        policy=shop.policy,
        at=shop.clock.now(),
    )
    with pytest.raises(Conflict, match="complaints have changed"):
        await carry(shop, choice, seq)


async def test_an_offer_decided_before_a_case_was_reopened_is_refused(shop: Shop) -> None:
    await shop.hear(WEIBO, "weibo-7", ANGRY, claims=(phone(NUMBER),))
    await shop.read_all()
    (case,) = await shop.store.read(lambda unit: unit.cases.all_open())
    wang = await shop.staff("wang", presence=Presence.AWAY)
    given = {"case": case.id, "by": wang, "at": shop.clock.now()}
    await shop.store.transact(cases.acknowledge, **given)
    await shop.store.transact(cases.resolve, **given, resolution=Resolution.REPLACED, note="")
    chat, seq, choice = await _offer_to(shop, "member-1")
    await shop.store.transact(cases.reopen, **given, policy=shop.policy)
    with pytest.raises(Conflict, match="complaints have changed"):
        await carry(shop, choice, seq)
    assert isinstance((await shop.conversation(chat)).state, Queued)


async def _offer_to(shop: Shop, sender: str) -> tuple[ConversationId, int, Decision]:
    await shop.dispatcher.once()
    chat = await shop.hear(CHAT, sender, "我想修改收货地址", claims=(phone(NUMBER),))
    await shop.read_all()
    await shop.staff("lin")
    (choice,) = [each for each in await decided(shop) if each.conversation == chat]
    return chat, 0, choice


async def test_an_offer_decided_before_a_probable_link_is_refused(shop: Shop) -> None:
    _chat, seq, choice = await an_offer(shop)
    await shop.hear(WEIBO, "weibo-7", f"{ANGRY} 电话{NUMBER.removeprefix('+86')}")
    await shop.read_all()
    with pytest.raises(Conflict, match="complaints have changed"):
        await carry(shop, choice, seq)


async def test_nobody_is_decided_on_while_a_word_is_unread(shop: Shop) -> None:
    await shop.staff("lin")
    chat = await shop.hear(CHAT, "member-1", "我想修改收货地址")
    assert await decided(shop) == ()
    await shop.read_all()
    assert [each.conversation for each in await decided(shop)] == [chat]


async def complained_and_still_for_the_bot(shop: Shop) -> ConversationId:
    """Return a waiting conversation that the bot might have, but for its person's open case."""
    await shop.dispatcher.once()
    chat = await shop.hear(CHAT, "member-1", ANGRY)
    await shop.read_all()

    def allow(unit: Unit) -> None:
        unit.conversations.save(replace(unit.conversations.get(chat), bot_ok=True))

    await shop.store.transact(allow)
    return chat


async def test_the_bot_is_given_nobody_with_an_open_case(shop: Shop) -> None:
    chat = await complained_and_still_for_the_bot(shop)
    version = await version_of(shop, chat)
    with pytest.raises(Conflict, match="open complaint"):
        await carry(shop, GiveToBot(conversation=chat, case_version=version), 0)


async def test_the_bot_is_not_chosen_over_an_open_case(shop: Shop) -> None:
    await complained_and_still_for_the_bot(shop)
    assert [each for each in await decided(shop) if isinstance(each, GiveToBot)] == []
