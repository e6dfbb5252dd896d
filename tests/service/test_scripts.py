"""Scripts in the desk: worded for the channel, filled in or not sent, and noted when used."""

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from router.channel.contract import Family
from router.domain.content import Text
from router.domain.conversation import Offered
from router.domain.errors import Invalid, OwnWork, PromotionHeld
from router.domain.ids import AccountName, AgentId, ConversationId, ScriptId
from router.domain.script import Script, ScriptState
from router.service.cases import open_by_hand
from router.service.desk import accept
from router.service.ports import NotFound
from router.service.reply import reply
from router.service.scripts import Ready, Used, offered, put, set_state, values_for, write
from router.service.unit import Unit
from tests.service.conftest import ABLE, CHAT, FAMILY, WEIBO, Shop

LIN = AgentId("lin")
WORDINGS = {
    "any": {"zh": "您好，订单{order}今天发货。", "en": "Order {order} ships today."},
    "social": {"zh": "订单{order}今天发货 #云杉家居"},
}


async def approve(shop: Shop, name: str = "ship", **changes: Any) -> Script:
    plain = Script(
        id=ScriptId(name),
        state=ScriptState.APPROVED,
        title="催发货",
        shortcut="cf",
        category="物流",
        meaning="今天发货",
        wordings=WORDINGS,
        promotional=False,
        updated_at=shop.clock.now(),
        updated_by="wang",
    )
    saved: Script = await shop.store.transact(
        put, script=replace(plain, **changes), by="wang", four_eyes=False, at=shop.clock.now()
    )
    return saved


async def offers(shop: Shop, conversation: ConversationId, words: str = "") -> tuple[Ready, ...]:
    def ask(unit: Unit) -> tuple[Ready, ...]:
        held = unit.conversations.get(conversation)
        values = values_for(
            unit,
            held,
            agent=LIN,
            channel="网页聊天",
            policy=shop.policy,
            zone=ZoneInfo("Asia/Shanghai"),
        )
        family: Family = FAMILY[held.account]
        return offered(unit, held, words=words, family=family, values=values)

    return await shop.store.read(ask)


async def in_hand(shop: Shop, account: AccountName = CHAT, words: str = "人工") -> ConversationId:
    await shop.staff("lin")
    conversation = await shop.hear(account, "member-1", words)
    await shop.settle()
    state = (await shop.conversation(conversation)).state
    assert isinstance(state, Offered)
    await shop.store.transact(accept, reservation=state.reservation, by=LIN, at=shop.clock.now())
    return conversation


async def say(shop: Shop, conversation: ConversationId, used: Used, **changes: Any) -> Any:
    return await shop.store.transact(
        reply,
        conversation=conversation,
        by=LIN,
        content=Text(text="好的"),
        capabilities=ABLE[CHAT],
        at=shop.clock.now(),
        script=used,
        **changes,
    )


async def test_each_channel_is_offered_its_own_wording_filled_in(shop: Shop) -> None:
    await approve(shop)
    order = "订单号 202611110001234567 什么时候发货，转人工"
    chat = await in_hand(shop, words=order)
    (ready,) = await offers(shop, chat)
    assert (ready.text, ready.missing) == ("您好，订单202611110001234567今天发货。", ())
    post = await shop.hear(WEIBO, "weibo-7", order)
    await shop.read_all()
    (ready,) = await offers(shop, post)
    assert ready.text == "订单202611110001234567今天发货 #云杉家居"


async def test_with_a_gap_a_script_is_offered_as_it_is_and_says_what_is_missing(
    shop: Shop,
) -> None:
    await approve(shop)
    chat = await in_hand(shop)
    (ready,) = await offers(shop, chat)
    assert (ready.text, ready.missing) == (WORDINGS["any"]["zh"], ("order",))


async def test_a_shortcut_comes_first_and_other_words_find_by_title_and_text(shop: Shop) -> None:
    await approve(shop)
    await approve(
        shop, "thanks", shortcut="xx", title="致谢", category="", wordings={"any": {"zh": "cf谢谢"}}
    )
    chat = await in_hand(shop)
    assert [each.script.id for each in await offers(shop, chat, "cf")] == ["ship", "thanks"]
    assert [each.script.id for each in await offers(shop, chat, "谢谢")] == ["thanks"]
    assert await offers(shop, chat, "没有这个") == ()


async def test_what_is_not_approved_is_not_offered_and_not_sent(shop: Shop) -> None:
    await approve(shop, state=ScriptState.DRAFT)
    chat = await in_hand(shop)
    assert await offers(shop, chat) == ()
    with pytest.raises(Invalid, match="script: is not approved"):
        await say(shop, chat, Used(script=ScriptId("ship")))
    with pytest.raises(NotFound):
        await say(shop, chat, Used(script=ScriptId("none")))


async def test_an_answer_notes_the_script_it_was_made_from_once(shop: Shop) -> None:
    await approve(shop)
    chat = await in_hand(shop)
    first = await say(shop, chat, Used(script=ScriptId("ship")), key="k")
    await say(shop, chat, Used(script=ScriptId("ship")), key="k")
    (use,) = await shop.store.read(lambda unit: unit.scripts.uses_in([chat]))
    assert (use.interaction, use.script, use.author) == (first.interaction.id, "ship", "lin")
    assert await shop.store.read(lambda unit: unit.scripts.count_uses(ScriptId("ship"))) == 1


async def test_a_promotional_script_does_not_reach_who_complains(shop: Shop) -> None:
    await approve(shop, promotional=True)
    chat = await in_hand(shop)
    held = await shop.conversation(chat)
    await shop.store.transact(
        open_by_hand,
        contact=held.contact,
        severity=1,
        topic="product",
        summary="坏了",
        by=LIN,
        policy=shop.policy,
        at=shop.clock.now(),
    )
    with pytest.raises(PromotionHeld):
        await say(shop, chat, Used(script=ScriptId("ship")))


async def test_four_eyes_approve_a_script(shop: Shop) -> None:
    made = await approve(shop, state=ScriptState.DRAFT)
    step = {"script": made.id, "four_eyes": True, "at": shop.clock.now()}
    await shop.store.transact(set_state, state="in_review", by="wang", **step)
    with pytest.raises(OwnWork):
        await shop.store.transact(set_state, state="approved", by="wang", **step)
    done = await shop.store.transact(set_state, state="approved", by="zhao", **step)
    assert (done.state, done.approved_by) == (ScriptState.APPROVED, "zhao")


async def test_two_scripts_do_not_share_a_shortcut(shop: Shop) -> None:
    made = await approve(shop)
    with pytest.raises(Invalid, match="shortcut: 'cf' is taken by '催发货'"):
        await shop.store.transact(
            write,
            script=replace(made, id=ScriptId("other"), version=0),
            by="li",
            at=shop.clock.now(),
        )
