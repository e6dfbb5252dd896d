"""What a complaint does beside the ledger: advertising is held, the probable person is known."""

from datetime import timedelta

import pytest

from router.domain.case import Resolution
from router.domain.content import Text
from router.domain.conversation import Queued, WithBot
from router.domain.errors import PromotionHeld
from router.domain.ids import ConversationId, OutboxId
from router.domain.timeline import Sending
from router.service import cases, delivery
from router.service.records import OutboxRow, OutboxState
from router.service.reply import reply
from tests.service.conftest import ABLE, CHAT, WECHAT, WEIBO, Shop, phone
from tests.service.test_ledger import LIN, alerts, taken, the_case
from tests.service.test_story import ANGRY, NUMBER, publish

# ----- nothing promotional over an open case -----------------------------------------------------


async def promoted(shop: Shop) -> tuple[ConversationId, OutboxId, OutboxId]:
    """Return a chat in Lin's hands with an advertisement and an answer that have not left."""
    await shop.staff(LIN)
    chat = await taken(shop, LIN)

    async def say(words: str, *, promotional: bool) -> OutboxId:
        said = await shop.store.transact(
            reply,
            conversation=chat,
            by=LIN,
            content=Text(text=words),
            capabilities=ABLE[CHAT],
            promotional=promotional,
            at=shop.clock.now(),
        )
        row: OutboxId = said.outbox
        return row

    return chat, await say("新品八折", promotional=True), await say("已为您修改", promotional=False)


async def row_of(shop: Shop, name: OutboxId) -> OutboxRow:
    found: OutboxRow = await shop.store.read(lambda unit: unit.outbox.get(name))
    return found


async def test_what_is_promotional_and_has_not_left_is_held_when_a_case_opens(shop: Shop) -> None:
    chat, advertisement, answer_ = await promoted(shop)
    await shop.hear(CHAT, "member-1", ANGRY)
    await shop.read_all()

    held = await row_of(shop, advertisement)
    assert (held.state, held.reason) == (OutboxState.REFUSED, "promotion_held")
    assert (await row_of(shop, answer_)).state is OutboxState.QUEUED
    shown = {each.id: each.sending for each in await shop.timeline(chat)}
    assert shown[held.interaction] is Sending.REFUSED
    assert "reply_refused" in {each.kind for each in await alerts(shop, LIN)}

    again = {"row": advertisement, "by": LIN}
    with pytest.raises(PromotionHeld):
        await shop.store.transact(delivery.requeue, **again, at=shop.clock.now())
    case = await the_case(shop)
    given = {"case": case.id, "by": LIN, "at": shop.clock.now()}
    await shop.store.transact(cases.acknowledge, **given)
    await shop.store.transact(cases.resolve, **given, resolution=Resolution.REFUNDED, note="")
    await shop.store.transact(delivery.requeue, **again, at=shop.clock.now())
    assert (await row_of(shop, advertisement)).state is OutboxState.QUEUED


async def test_what_is_promotional_and_about_to_leave_is_held_at_the_door(shop: Shop) -> None:
    _chat, advertisement, answer_ = await promoted(shop)
    at = shop.clock.now()
    soon = at + timedelta(minutes=1)
    claim = {"by": "sender", "now": at, "until": soon, "limit": 9}
    (claimed,) = await shop.store.transact(lambda unit: unit.outbox.claim(**claim))
    assert claimed.id == advertisement
    await shop.hear(CHAT, "member-1", ANGRY)
    await shop.read_all()
    assert (await row_of(shop, advertisement)).state is OutboxState.SENDING

    leaving = {"by": "sender", "until": soon, "at": at}
    assert not await shop.store.transact(delivery.depart, advertisement, **leaving)
    assert (await row_of(shop, advertisement)).reason == "promotion_held"
    (claimed,) = await shop.store.transact(lambda unit: unit.outbox.claim(**claim))
    assert claimed.id == answer_
    assert await shop.store.transact(delivery.depart, answer_, **leaving)


# ----- who is probably the same person -----------------------------------------------------------


async def test_a_probable_link_warns_the_holder_and_takes_it_from_the_bot(
    shop: Shop,
) -> None:
    await publish(shop)
    await shop.staff(LIN)
    chat = await taken(shop, LIN)
    asked = await shop.hear(WECHAT, "openid-1", "怎么开发票", claims=(phone(NUMBER),))
    await shop.read_all()
    await shop.dispatcher.once()
    assert isinstance((await shop.conversation(asked)).state, WithBot)

    await shop.hear(WEIBO, "weibo-7", f"{ANGRY} 电话{NUMBER.removeprefix('+86')}")
    await shop.read_all()
    told = [(each.kind, each.conversation) for each in await alerts(shop, LIN)]
    assert ("complaint_probable", chat) in told
    held = await shop.conversation(asked)
    assert isinstance(held.state, Queued)
    assert not held.bot_ok


async def test_a_complaint_of_the_probable_person_warns_the_holder(shop: Shop) -> None:
    await shop.staff(LIN)
    chat = await taken(shop, LIN)
    await shop.hear(WEIBO, "weibo-7", f"电话{NUMBER.removeprefix('+86')}")
    await shop.read_all()
    assert await alerts(shop, LIN) == ()
    await shop.hear(WEIBO, "weibo-7", ANGRY)
    await shop.read_all()
    assert [(each.kind, each.conversation) for each in await alerts(shop, LIN)] == [
        ("complaint_probable", chat)
    ]
