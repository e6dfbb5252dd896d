"""What is said while another application of ours holds the thread: kept, read, not queued."""

from router.channel.contract import Received
from router.domain.content import Text
from router.domain.conversation import Closed, Queued
from tests.service.conftest import WECHAT, Shop

ANGRY = "你们的沙发送来就是坏的，打了三次电话没人管，我要投诉！"


def said(shop: Shop, words: str, *, standby: bool) -> Received:
    return Received(
        external_id=f"m-{words}",
        sender="customer-1",
        at=shop.clock.now(),
        content=Text(text=words),
        opens_window="message",
        standby=standby,
    )


async def test_a_complaint_on_standby_opens_a_case_and_nobody_is_asked_to_answer(
    shop: Shop,
) -> None:
    taken = await shop.deliver(WECHAT, said(shop, ANGRY, standby=True))
    await shop.settle()

    held = await shop.conversation(taken.conversations[0])
    (case,) = await shop.store.read(lambda unit: unit.cases.all_open())
    assert isinstance(held.state, Closed)
    assert (case.contact, held.unread) == (held.contact, 0)


async def test_once_the_thread_is_ours_again_the_next_word_waits_for_an_answer(shop: Shop) -> None:
    before = await shop.deliver(WECHAT, said(shop, "在吗", standby=True))
    after = await shop.deliver(WECHAT, said(shop, "还在吗", standby=False))

    held = await shop.conversation(after.conversations[0])
    assert isinstance(held.state, Queued)
    assert held.id != before.conversations[0]
    newest_first = await shop.timeline(held.id)
    words = [each.content for each in reversed(newest_first)]
    assert words == [Text(text="在吗"), Text(text="还在吗")]
