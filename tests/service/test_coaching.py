"""The coach in a conversation: what it looks at, and replies that a shop holds back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from router.domain.coach import CoachPolicy, Level, Rule
from router.domain.content import Text
from router.domain.conversation import Offered, Queued
from router.domain.errors import ReplyHeld
from router.domain.ids import AgentId, ConversationId
from router.service import desk
from router.service.coaching import Coached, coached_reply
from tests.bots.rig import ARTICLES, publish
from tests.service.conftest import ABLE, CHAT, Shop
from tests.service.test_story import ANGRY

ARGUES = "这不是我们的问题，今天也换不了。"


async def in_hand(shop: Shop, words: str) -> tuple[ConversationId, AgentId]:
    agent = await shop.staff("lin")
    chat = await shop.hear(CHAT, "member-1", words)
    await shop.settle()
    state = (await shop.conversation(chat)).state
    assert isinstance(state, Offered)
    at = shop.clock.now()
    await shop.store.transact(desk.accept, reservation=state.reservation, by=agent, at=at)
    return chat, agent


async def send(
    shop: Shop, chat: ConversationId, by: AgentId, words: str, key: str = "", **levels: Level
) -> Coached:
    policy = CoachPolicy(levels={Rule(rule): level for rule, level in levels.items()})
    return await shop.store.transact(
        coached_reply,
        conversation=chat,
        by=by,
        content=Text(text=words),
        capabilities=ABLE[CHAT],
        at=shop.clock.now(),
        policy=policy,
        key=key,
    )


def rules(coached: Coached) -> list[str]:
    return [each.rule.value for each in coached.hints]


async def test_an_argument_counts_only_with_somebody_who_complains(shop: Shop) -> None:
    chat, agent = await in_hand(shop, ANGRY)
    assert rules(await send(shop, chat, agent, ARGUES)) == ["argues_first"]


async def test_the_same_request_again_is_not_a_repetition(shop: Shop) -> None:
    chat, agent = await in_hand(shop, "想改一下收货地址")
    words = "地址已经改到新的门牌，今天发出。"
    first = await send(shop, chat, agent, words, key="a", repeats=Level.BLOCK)
    again = await send(shop, chat, agent, words, key="a", repeats=Level.BLOCK)
    assert first.said.interaction.id == again.said.interaction.id
    assert again.hints == ()
    with pytest.raises(ReplyHeld, match="repeats"):
        await send(shop, chat, agent, words, key="b", repeats=Level.BLOCK)


async def test_a_reply_that_is_held_back_leaves_nothing_behind(shop: Shop) -> None:
    chat, agent = await in_hand(shop, "想改一下收货地址")
    before = await shop.timeline(chat)
    with pytest.raises(ReplyHeld, match="private_number"):
        await send(shop, chat, agent, "请打13800138000", private_number=Level.BLOCK)
    assert await shop.timeline(chat) == before
    day = timedelta(days=1)
    now = shop.clock.now()
    assert await shop.store.read(lambda unit: unit.coached.counts(now - day, now)) == {}


async def test_a_bot_is_held_to_what_agents_are_held_to(shop: Shop) -> None:
    strict = CoachPolicy(levels={Rule.NO_TIME: Level.BLOCK})
    shop.policy = replace(shop.policy, coach=strict)
    vague = replace(ARTICLES[0], answer_zh="发票我们会尽快开给您。")
    await publish(shop, vague)
    chat = await shop.hear(CHAT, "member-1", "怎么开发票")
    await shop.settle()
    assert isinstance((await shop.conversation(chat)).state, Queued)
    assert all(each.author != "bot" for each in await shop.timeline(chat))
