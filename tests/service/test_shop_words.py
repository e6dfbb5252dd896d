"""What a buyer writes with a refund or a review is read for complaints as a message is."""

from datetime import timedelta

from router.channel.contract import ShopEvent
from router.domain.content import Text
from router.domain.conversation import Closed
from router.domain.timeline import Direction, Kind
from tests.service.conftest import WECHAT, Shop

ANGRY = "收到的沙发是坏的，打了三次电话没人管，我要投诉"


def refund(shop: Shop, state: str, words: str) -> ShopEvent:
    return ShopEvent(
        external_id=f"refund:{state}",
        sender="buyer-1",
        at=shop.clock.now(),
        kind=f"refund.{state}",
        order="2231958349",
        summary=f"原因/reason {words}",
        words=words,
    )


async def test_a_complaint_in_a_refunds_reason_opens_a_case_and_nobody_is_asked_to_chat(
    shop: Shop,
) -> None:
    taken = await shop.deliver(WECHAT, refund(shop, "created", ANGRY))
    await shop.settle()
    shop.clock.pass_by(timedelta(hours=1))
    await shop.deliver(WECHAT, refund(shop, "completed", ANGRY))
    await shop.settle()

    held = await shop.conversation(taken.conversations[0])
    (case,) = await shop.store.read(lambda unit: unit.cases.all_open())
    heard = [each for each in await shop.timeline(held.id) if each.direction is Direction.IN]
    assert isinstance(held.state, Closed)
    assert case.contact == held.contact
    assert [(each.content, each.kind) for each in heard] == [(Text(text=ANGRY), Kind.SHOP)]


async def test_a_shop_event_without_a_buyers_words_says_nothing_for_the_buyer(shop: Shop) -> None:
    taken = await shop.deliver(WECHAT, refund(shop, "created", ""))
    await shop.settle()
    (shown,) = await shop.timeline(taken.conversations[0])
    assert shown.direction is Direction.INTERNAL
    assert await shop.store.read(lambda unit: unit.cases.all_open()) == ()
