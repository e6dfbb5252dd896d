"""The story that Mainstem exists for, through the services, on both databases."""

from datetime import timedelta

import pytest

from router.channel.contract import CallEnded, Identified, Rated, Speaker, Turn
from router.domain.article import Article
from router.domain.case import Case, CaseStatus, Resolution
from router.domain.content import Text
from router.domain.conversation import Closed, Offered, Queued, WithBot
from router.domain.errors import CaseStillOpen, NotYours
from router.domain.identity import Claim, ClaimKind
from router.domain.ids import AgentId, ConversationId
from router.domain.workforce import Role
from router.service import cases, contacts, desk, reply
from router.service.desktop import Desk
from router.service.desktop import desk as look_at_desk
from router.service.knowledge import put
from router.service.room import reply_room
from router.service.unit import Unit
from tests.service.conftest import ABLE, CHAT, PHONE, START, WECHAT, WEIBO, Shop, phone

ANGRY = "你们的沙发送来就是坏的，打了三次电话没人管，我要投诉！"
ANGRIER = "说好三天换货，现在一个星期了还没人联系我，骗子，再不处理我就打12315"
NUMBER = "+8613800138000"


async def complain_by_phone(shop: Shop) -> None:
    claims = (phone(NUMBER),)
    turn = Turn(
        external_id="call-1:1",
        call="call-1",
        sender=NUMBER,
        at=shop.clock.now(),
        offset=timedelta(0),
        by=Speaker.CONTACT,
        text=ANGRY,
        claims=claims,
    )
    ended = CallEnded(
        external_id="call-1:end", call="call-1", sender=NUMBER, at=shop.clock.now(), claims=claims
    )
    await shop.deliver(PHONE, turn, ended)


def open_cases(unit: Unit, conversation: ConversationId) -> tuple[Case, ...]:
    held = unit.conversations.get(conversation)
    return unit.cases.open_of(unit.contacts.members(held.contact))


async def look(shop: Shop, agent: AgentId) -> Desk:
    return await shop.store.read(look_at_desk, me=agent, policy=shop.policy, at=shop.clock.now())


async def test_the_agent_who_is_offered_the_chat_sees_the_complaints_of_other_channels(
    shop: Shop,
) -> None:
    await complain_by_phone(shop)
    await shop.hear(WEIBO, "weibo-7", ANGRIER, claims=(phone(NUMBER),))
    await shop.read_all()
    agent = await shop.staff("lin")
    chat = await shop.hear(CHAT, "member-1", "在吗，想问下发票怎么开", claims=(phone(NUMBER),))
    await shop.settle()

    (offer,) = [
        each for each in (await look(shop, agent)).offers if each.card.conversation.id == chat
    ]
    words = {word.content for story in offer.stories for word in story.words}
    assert words == {Text(text=ANGRY), Text(text=ANGRIER)}
    assert offer.card.severity == 3


async def test_an_answered_call_is_over_and_its_complaint_has_a_place_and_a_due_time(
    shop: Shop,
) -> None:
    await complain_by_phone(shop)
    await shop.read_all()

    (case,) = await shop.store.read(lambda unit: unit.cases.all_open())
    (call,) = await shop.store.read(
        lambda unit: unit.conversations.of(unit.contacts.members(case.contact))
    )
    assert isinstance(call.state, Closed)
    assert (case.owner, case.queue) == (None, "complaints")
    assert case.due_at is not None
    assert case.due_at > START


async def test_an_identity_found_in_mid_chat_alerts_the_agent_who_has_it(shop: Shop) -> None:
    agent = await shop.staff("lin")
    await complain_by_phone(shop)
    chat = await shop.hear(CHAT, "visitor-9", "你好，我想修改收货地址")
    await shop.settle()
    state = (await shop.conversation(chat)).state
    assert isinstance(state, Offered)
    await shop.store.transact(
        desk.accept, reservation=state.reservation, by=agent, at=shop.clock.now()
    )
    assert not await shop.store.read(open_cases, chat)

    who = Identified(
        external_id="hello-2", sender="visitor-9", at=shop.clock.now(), claims=(phone(NUMBER),)
    )
    await shop.deliver(CHAT, who)

    (alert,) = (await look(shop, agent)).alerts
    assert (alert.kind, alert.conversation) == ("complaint_revealed", chat)
    assert await shop.store.read(open_cases, chat)


async def test_wrapping_up_closes_the_conversation_and_not_the_case(shop: Shop) -> None:
    agent = await shop.staff("lin")
    chat = await shop.hear(CHAT, "member-1", ANGRY)
    await shop.settle()
    state = (await shop.conversation(chat)).state
    assert isinstance(state, Offered)
    at = shop.clock.now()
    await shop.store.transact(desk.accept, reservation=state.reservation, by=agent, at=at)
    await shop.store.transact(desk.finish, conversation=chat, by=agent, at=at)
    await shop.store.transact(
        desk.wrap_up, conversation=chat, by=agent, disposition="complaint_taken", text="", at=at
    )

    (case,) = await shop.store.read(open_cases, chat)
    assert isinstance((await shop.conversation(chat)).state, Closed)
    assert case.owner == agent
    with pytest.raises(CaseStillOpen):
        await shop.store.transact(
            cases.resolve,
            case=case.id,
            by=agent,
            resolution=Resolution.REPLACED,
            note="",
            at=at,
        )
    await shop.store.transact(cases.acknowledge, case=case.id, by=agent, at=at)
    done = await shop.store.transact(
        cases.resolve, case=case.id, by=agent, resolution=Resolution.REPLACED, note="", at=at
    )
    assert done.status is CaseStatus.RESOLVED


async def test_a_second_copy_of_a_message_changes_nothing(shop: Shop) -> None:
    chat = await shop.hear(CHAT, "member-1", "在吗", external_id="same")
    before = await shop.timeline(chat)
    seq = await shop.store.read(lambda unit: unit.journal.seq())
    again = await shop.store.read(lambda unit: unit.conversations.get(chat))
    copy = await shop.say(CHAT, "member-1", "在吗", external_id="same")

    assert (copy.added, copy.known) == ((), 1)
    assert await shop.timeline(chat) == before
    assert await shop.conversation(chat) == again
    assert await shop.store.read(lambda unit: unit.journal.seq()) == seq


async def test_a_common_question_is_answered_by_the_bot(shop: Shop) -> None:
    await publish(shop)
    chat = await shop.hear(CHAT, "member-1", "怎么开发票")
    await shop.settle()

    held = await shop.conversation(chat)
    assert isinstance(held.state, WithBot)
    said = await shop.timeline(chat)
    assert [each.author for each in reversed(said)] == ["", "bot"]
    assert held.waiting_since is None


async def test_a_bot_does_not_answer_a_contact_with_an_open_complaint(shop: Shop) -> None:
    await publish(shop)
    await complain_by_phone(shop)
    chat = await shop.hear(CHAT, "member-1", "怎么开发票", claims=(phone(NUMBER),))
    await shop.settle()

    assert isinstance((await shop.conversation(chat)).state, Queued)
    assert all(each.author != "bot" for each in await shop.timeline(chat))


async def test_a_complaint_during_the_bots_conversation_takes_it_from_the_bot(shop: Shop) -> None:
    await publish(shop)
    chat = await shop.hear(CHAT, "member-1", "怎么开发票")
    await shop.settle()
    await shop.hear(CHAT, "member-1", ANGRY)
    await shop.read_all()

    assert isinstance((await shop.conversation(chat)).state, Queued)


async def test_an_offer_that_nobody_answers_goes_to_another_agent(shop: Shop) -> None:
    first = await shop.staff("lin")
    chat = await shop.hear(CHAT, "member-1", "物流到哪了，怎么一直没更新")
    await shop.settle()
    assert getattr((await shop.conversation(chat)).state, "agent", None) == first
    second = await shop.staff("wang")
    since = getattr((await shop.conversation(chat)).state, "since", None)
    shop.clock.pass_by(shop.policy.routing.offer_lasts + timedelta(seconds=1))
    await shop.settle()

    state = (await shop.conversation(chat)).state
    assert isinstance(state, Offered)
    assert (state.agent, state.since) == (second, since)


async def test_nobody_is_given_more_than_they_can_hold(shop: Shop) -> None:
    agent = await shop.staff("lin")
    for number in range(6):
        await shop.hear(CHAT, f"member-{number}", "物流到哪了")
    await shop.settle()

    held = await shop.store.read(lambda unit: unit.conversations.held_by(agent))
    assert len(held) == 4  # a web chat takes a quarter of an agent


async def test_a_reply_needs_the_conversation_in_hand_and_an_open_window(shop: Shop) -> None:
    agent, other = await shop.staff("lin"), await shop.staff("wang", capacity=0.0)
    chat = await shop.hear(WECHAT, "openid-1", "我的快递到哪了")
    await shop.settle()
    state = (await shop.conversation(chat)).state
    assert isinstance(state, Offered)
    at = shop.clock.now()
    await shop.store.transact(desk.accept, reservation=state.reservation, by=agent, at=at)

    async def say(by: AgentId, key: str) -> reply.Said:
        return await shop.store.transact(
            reply.reply,
            conversation=chat,
            by=by,
            content=Text(text="您好，我查一下"),
            capabilities=ABLE[WECHAT],
            at=shop.clock.now(),
            key=key,
        )

    with pytest.raises(NotYours):
        await say(other, "a")
    first = await say(agent, "a")
    again = await say(agent, "a")
    assert first.interaction.id == again.interaction.id
    room = await shop.store.read(
        lambda unit: reply_room(
            unit, unit.conversations.get(chat), capabilities=ABLE[WECHAT], at=shop.clock.now()
        )
    )
    assert room.sends_left == 4


async def test_merge_then_split_gives_each_side_back_its_own(shop: Shop) -> None:
    chat = await shop.hear(CHAT, "member-1", "在吗")
    post = await shop.hear(WEIBO, "weibo-7", ANGRY)
    await shop.read_all()
    one, two = await shop.conversation(chat), await shop.conversation(post)
    assert not await shop.store.read(open_cases, chat)

    record = await shop.store.transact(
        contacts.merge,
        keep=one.contact,
        gone=two.contact,
        by=AgentId("lin"),
        why="the same order number",
        policy=shop.policy,
        at=shop.clock.now(),
    )
    assert await shop.store.read(open_cases, chat)
    await shop.store.transact(
        contacts.split, merge_id=record.id, by=AgentId("lin"), policy=shop.policy, at=START
    )
    assert not await shop.store.read(open_cases, chat)
    assert await shop.store.read(open_cases, post)


async def publish(shop: Shop) -> None:
    article = Article(
        id="invoice",
        state="published",
        category="payment",
        questions=("怎么开发票", "发票怎么开", "How do I get an invoice?"),
        answer_zh="在“我的订单”里点“申请发票”，一个工作日内发到您的邮箱。",
        answer_en="Open the order and choose “Request invoice”.",
        channels=frozenset(),
        updated_at=START,
        updated_by="lin",
        version=0,
    )
    await shop.store.transact(put, article=article, by="lin", four_eyes=False, at=START)
    await shop.library.refresh(shop.store)


async def test_a_complaint_in_a_rating_is_not_missed(shop: Shop) -> None:
    rated = Rated(
        external_id="rating-1", sender="member-1", at=shop.clock.now(), score=1, comment=ANGRY
    )
    await shop.deliver(CHAT, rated)
    await shop.read_all()

    (case,) = await shop.store.read(lambda unit: unit.cases.all_open())
    assert ANGRY in case.summary


async def test_two_members_of_one_shop_are_not_made_one_by_a_shared_phone(shop: Shop) -> None:
    def member(value: str) -> tuple[Claim, ...]:
        mine = Claim(kind=ClaimKind.MEMBER, value=value, verified=True, source="signed_identity")
        return (mine, phone(NUMBER))

    first = await shop.hear(CHAT, "crm-1", "你好", claims=member("crm-1"))
    second = await shop.hear(CHAT, "crm-2", "你好", claims=member("crm-2"))
    boss = await shop.staff("boss", role=Role.SUPERVISOR)

    one, two = await shop.conversation(first), await shop.conversation(second)
    persons = await shop.store.read(
        lambda unit: [unit.contacts.get(each.contact).root for each in (one, two)]
    )
    assert persons[0] != persons[1]
    (alert,) = (await look(shop, boss)).alerts
    assert alert.kind == "identity_contradiction"
