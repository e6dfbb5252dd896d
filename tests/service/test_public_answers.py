"""What was said in public is answered in public, or in private: two different sends."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.douyin import CHANNEL as DOUYIN
from adapters.messenger import CHANNEL as MESSENGER
from adapters.weibo import CHANNEL as WEIBO
from router.channel.accounts import Account, open_account
from router.channel.contract import Audience, Outbound, Received, Speaker
from router.domain.content import Text
from router.domain.conversation import Conversation, WithBot
from router.domain.errors import CannotReply, Invalid, QuotaUsed
from router.domain.ids import AccountName, AgentId, ConversationId, QueueName
from router.domain.timeline import Kind
from router.service import supervise
from router.service.arrivals import Delivery, source_of
from router.service.intake import take_in
from router.service.reply import Said, bot_reply, reply
from router.service.room import ReplyWay, ways
from router.service.unit import Unit
from tests.service.conftest import Shop

PUBLIC, PRIVATE = Audience.PUBLIC, Audience.PRIVATE
SETTINGS = {"app_secret": "s", "verify_token": "v", "access_token": "t"}
PAGE = open_account(
    MESSENGER,
    name=AccountName("page"),
    queue=QueueName("general"),
    settings=SETTINGS,
    path_secret="",
)


async def commented(
    shop: Shop, account: Account = PAGE, *, kind: str = "comment", key: str = "c-1"
) -> ConversationId:
    """Let a customer complain below a post; return the conversation, in Lin's hands."""
    said = Received(
        external_id=key,
        sender="u-7",
        at=shop.clock.now(),
        content=Text(text="沙发是坏的，我要投诉"),
        audience=PUBLIC,
        thread="post-1",
        reply_handle=f"comment:{key}",
        opens_window=kind,
    )
    delivery = Delivery(source=source_of(account), events=(said,), received_at=shop.clock.now())
    taken = await shop.store.transact(take_in, delivery, shop.policy)
    return taken.conversations[0]


async def in_hand(shop: Shop, conversation: ConversationId) -> AgentId:
    agent = await shop.staff("lin")
    await shop.store.transact(
        supervise.take_over,
        conversation=conversation,
        by=agent,
        seen_seq=0,
        at=shop.clock.now(),
    )
    return agent


async def say(
    shop: Shop, conversation: ConversationId, audience: Audience | None, account: Account = PAGE
) -> Said:
    return await shop.store.transact(
        reply,
        conversation=conversation,
        by=AgentId("lin"),
        content=Text(text="对不起"),
        capabilities=account.channel.capabilities,
        at=shop.clock.now(),
        audience=audience,
    )


async def open_ways(
    shop: Shop, conversation: ConversationId, account: Account = PAGE
) -> dict[Audience, bool]:
    def ask(unit: Unit) -> tuple[ReplyWay, ...]:
        held = unit.conversations.get(conversation)
        able = account.channel.capabilities
        return ways(unit, held, capabilities=able, at=shop.clock.now())

    return {each.audience: each.room.allowed for each in await shop.store.read(ask)}


async def sent_as(shop: Shop, said: Said) -> dict[str, object]:
    """Return the address and the body of the call that an answer becomes."""
    row = await shop.store.read(lambda unit: unit.outbox.get(said.outbox))
    (call,) = PAGE.adapter.encode(row.message)
    return {"to": call.url.rpartition("v24.0")[2], **json.loads(call.body)}


async def test_an_answer_stays_in_public_unless_somebody_chooses(shop: Shop) -> None:
    conversation = await commented(shop)
    await in_hand(shop, conversation)
    said = await say(shop, conversation, None)
    assert (said.interaction.public, said.interaction.kind) == (True, Kind.COMMENT)
    assert await sent_as(shop, said) == {"to": "/c-1/comments", "message": "对不起"}


async def test_a_private_answer_to_a_comment_goes_to_its_writer_alone_and_once(shop: Shop) -> None:
    conversation = await commented(shop)
    await in_hand(shop, conversation)
    said = await say(shop, conversation, PRIVATE)
    assert (said.interaction.public, said.interaction.kind) == (False, Kind.MESSAGE)
    made = await sent_as(shop, said)
    assert (made["to"], made["recipient"]) == ("/me/messages", {"comment_id": "c-1"})
    assert await open_ways(shop, conversation) == {PUBLIC: True, PRIVATE: False}
    with pytest.raises(QuotaUsed):
        await say(shop, conversation, PRIVATE)
    assert (await say(shop, conversation, PUBLIC)).interaction.public

    shop.clock.pass_by(timedelta(minutes=1))
    await commented(shop, key="c-2")
    assert await open_ways(shop, conversation) == {PUBLIC: True, PRIVATE: True}


async def test_a_comment_opens_no_way_into_the_private_conversation(shop: Shop) -> None:
    await commented(shop)
    said = Received(external_id="m-1", sender="u-7", at=shop.clock.now(), content=Text(text="在吗"))
    delivery = Delivery(source=source_of(PAGE), events=(said,), received_at=shop.clock.now())
    taken = await shop.store.transact(take_in, delivery, shop.policy)
    assert await open_ways(shop, taken.conversations[0]) == {PRIVATE: False}


async def test_what_is_said_in_private_is_never_answered_in_public(shop: Shop) -> None:
    said = Received(
        external_id="m-1",
        sender="u-7",
        at=shop.clock.now(),
        content=Text(text="在吗"),
        opens_window="message",
    )
    delivery = Delivery(source=source_of(PAGE), events=(said,), received_at=shop.clock.now())
    taken = await shop.store.transact(take_in, delivery, shop.policy)
    await in_hand(shop, taken.conversations[0])
    with pytest.raises(Invalid, match="audience"):
        await say(shop, taken.conversations[0], PUBLIC)


async def test_where_a_platform_answers_mentions_in_private_only_that_is_what_was_sent(
    shop: Shop,
) -> None:
    account = open_account(
        WEIBO,
        name=AccountName("weibo"),
        queue=QueueName("general"),
        settings={"app_secret": "s", "access_token": "t"},
        path_secret="0123456789abcdef",
    )
    conversation = await commented(shop, account, kind="mention")
    await in_hand(shop, conversation)
    said = await say(shop, conversation, None, account)
    assert not said.interaction.public
    with pytest.raises(Invalid, match="audience"):
        await say(shop, conversation, PUBLIC, account)


async def test_what_nobody_can_answer_is_refused_before_it_is_queued(shop: Shop) -> None:
    account = open_account(
        DOUYIN,
        name=AccountName("douyin"),
        queue=QueueName("general"),
        settings={"client_key": "k", "client_secret": "s", "secret": "l", "open_id": "o"},
        path_secret="0123456789abcdef",
    )
    conversation = await commented(shop, account)
    await in_hand(shop, conversation)
    assert await open_ways(shop, conversation, account) == {}
    with pytest.raises(CannotReply):
        await say(shop, conversation, None, account)


async def test_the_bot_answers_in_kind_too(shop: Shop) -> None:
    conversation = await commented(shop)

    def with_bot(unit: Unit) -> Conversation:
        held = unit.conversations.get(conversation)
        kept = replace(held, state=WithBot(since=shop.clock.now()))
        unit.conversations.save(kept)
        return kept

    await shop.store.transact(with_bot)
    said = await shop.store.transact(
        bot_reply,
        conversation=conversation,
        content=Text(text="您好"),
        name="小云",
        capabilities=PAGE.channel.capabilities,
        at=shop.clock.now(),
        key="bot:1",
    )
    assert said.interaction.public


async def test_an_account_with_the_permission_may_write_for_a_week_as_a_person(
    shop: Shop,
) -> None:
    week = open_account(
        MESSENGER,
        name=AccountName("page-2"),
        queue=QueueName("general"),
        settings={**SETTINGS, "human_agent": True},
        path_secret="",
    )
    said = Received(
        external_id="m-1",
        sender="u-7",
        at=shop.clock.now(),
        content=Text(text="在吗"),
        opens_window="message",
    )
    rooms = {}
    for account in (PAGE, week):
        delivery = Delivery(source=source_of(account), events=(said,), received_at=shop.clock.now())
        taken = await shop.store.transact(take_in, delivery, shop.policy)
        rooms[account.name] = taken.conversations[0]
    shop.clock.pass_by(timedelta(days=6))
    assert await open_ways(shop, rooms[PAGE.name]) == {PRIVATE: False}
    assert await open_ways(shop, rooms[week.name], week) == {PRIVATE: True}

    def tag(speaker: Speaker) -> str:
        message = Outbound(
            id="o", recipient="u-7", content=Text(text="好"), at=shop.clock.now(), by=speaker
        )
        (call,) = week.adapter.encode(message)
        return str(json.loads(call.body).get("tag", ""))

    assert (tag(Speaker.AGENT), tag(Speaker.BOT)) == ("HUMAN_AGENT", "")


async def test_a_colleagues_name_in_an_echo_is_kept_and_is_not_the_customers(shop: Shop) -> None:
    def event(key: str, by: Speaker, name: str) -> Received:
        return Received(
            external_id=key,
            sender="u-7",
            at=shop.clock.now(),
            content=Text(text="在"),
            by=by,
            sender_name=name,
        )

    events = (event("1", Speaker.CONTACT, "林女士"), event("2", Speaker.AGENT, "客服小王"))
    delivery = Delivery(source=source_of(PAGE), events=events, received_at=shop.clock.now())
    taken = await shop.store.transact(take_in, delivery, shop.policy)
    shown = await shop.timeline(taken.conversations[0])
    name = await shop.store.read(lambda unit: unit.contacts.get(shown[0].contact).name)
    assert {each.author_name for each in shown} == {"林女士", "客服小王"}
    assert name == "林女士"
