"""After a complaint is resolved the customer is asked, and the answer counts."""

from datetime import timedelta
from typing import Any

import pytest

from router.channel.contract import Received
from router.domain.case import Case, CaseStatus, Resolution
from router.domain.content import Menu, Pressed, Text
from router.domain.conversation import Closed, Offered, WithAgent
from router.domain.errors import PromotionHeld
from router.domain.followup import FollowUp, FollowUpState
from router.domain.ids import AccountName, AgentId, CaseId, ConversationId
from router.domain.timeline import Direction
from router.service import cases, desk, followup
from router.service.audit import audit
from router.service.figures import resolved_at_first
from router.service.reply import reply
from router.service.unit import Unit
from tests.service.conftest import ABLE, CHAT, WECHAT, WEIBO, Shop, phone
from tests.service.test_story import ANGRIER, ANGRY, NUMBER

LIN = AgentId("lin")
WEEK = timedelta(days=7)


async def in_hand(shop: Shop, conversation: ConversationId) -> None:
    """Let Lin take what is offered."""
    await shop.settle()
    state = (await shop.conversation(conversation)).state
    assert isinstance(state, Offered)
    at = shop.clock.now()
    await shop.store.transact(desk.accept, reservation=state.reservation, by=LIN, at=at)


async def done(shop: Shop, conversation: ConversationId) -> None:
    """Let Lin end a conversation."""
    await shop.store.transact(
        desk.wrap_up,
        conversation=conversation,
        by=LIN,
        disposition="answered",
        text="",
        at=shop.clock.now(),
    )


async def resolve(shop: Shop) -> CaseId:
    """Resolve the only open case."""
    (case,) = await shop.store.read(lambda unit: unit.cases.all_open())
    at = shop.clock.now()
    await shop.store.transact(cases.acknowledge, case=case.id, by=LIN, at=at)
    await shop.store.transact(
        cases.resolve, case=case.id, by=LIN, resolution=Resolution.REPLACED, note="", at=at
    )
    return case.id


async def resolved(shop: Shop, account: AccountName = CHAT, sender: str = "member") -> CaseId:
    """Take a complaint through to the end of its conversation and its resolution."""
    await shop.staff("lin")
    talk = await shop.hear(account, sender, ANGRY, claims=(phone(NUMBER),))
    await in_hand(shop, talk)
    await done(shop, talk)
    return await resolve(shop)


async def ask(shop: Shop) -> int:
    given: dict[str, Any] = {"policy": shop.policy, "capabilities": ABLE}
    return await shop.store.transact(followup.ask_due, **given, at=shop.clock.now())


async def of_case(shop: Shop, case: CaseId) -> tuple[Case, tuple[FollowUp, ...]]:
    def look(unit: Unit) -> tuple[Case, tuple[FollowUp, ...]]:
        return unit.cases.get(case), unit.follow_ups.of(case)

    return await shop.store.read(look)


async def press(shop: Shop, account: AccountName, sender: str, payload: str) -> ConversationId:
    event = Received(
        external_id=f"press-{payload}",
        sender=sender,
        at=shop.clock.now(),
        content=Pressed(payload=payload),
        opens_window="message",
    )
    taken = await shop.deliver(account, event)
    return taken.conversations[0]


async def test_the_customer_is_asked_on_the_channel_they_used_last(shop: Shop) -> None:
    case = await resolved(shop, WEIBO, "weibo-7")
    shop.clock.pass_by(timedelta(minutes=10))
    chat = await shop.hear(CHAT, "member", "在吗", claims=(phone(NUMBER),))
    await in_hand(shop, chat)
    assert await ask(shop) == 0, "nobody is asked while something is talked about"
    await done(shop, chat)
    shop.clock.pass_by(followup.LOOK_AGAIN)

    assert await ask(shop) == 1
    _case, (follow_up,) = await of_case(shop, case)
    assert (follow_up.state, follow_up.conversation) == (FollowUpState.ASKED, chat)
    last = (await shop.timeline(chat))[0]
    assert (last.direction, last.author) == (Direction.OUT, "system")
    assert isinstance(last.content, Menu)
    assert isinstance((await shop.conversation(chat)).state, Closed)
    assert await ask(shop) == 0, "once is enough"


async def test_who_cannot_be_answered_now_is_asked_after_the_next_contact(shop: Shop) -> None:
    case = await resolved(shop, WECHAT, "o-1")
    shop.clock.pass_by(timedelta(hours=49))
    assert await ask(shop) == 0
    _case, (follow_up,) = await of_case(shop, case)
    assert follow_up.state is FollowUpState.DUE

    talk = await shop.hear(WECHAT, "o-1", "想看看新品")
    await in_hand(shop, talk)
    await done(shop, talk)
    assert await ask(shop) == 1
    _case, (follow_up,) = await of_case(shop, case)
    assert follow_up.conversation == talk


async def test_a_week_later_nobody_asks_any_more(shop: Shop) -> None:
    case = await resolved(shop)
    shop.clock.pass_by(WEEK)
    assert await ask(shop) == 0
    _case, (follow_up,) = await of_case(shop, case)
    assert follow_up.state is FollowUpState.OVER


@pytest.mark.parametrize("words", ["已解决", "是的，解决了，谢谢！", "Yes, solved. Thanks", "1"])
async def test_a_yes_confirms_the_case_and_needs_no_agent(shop: Shop, words: str) -> None:
    case = await resolved(shop)
    await ask(shop)
    talk = await shop.hear(CHAT, "member", words)
    await shop.read_all()

    held, (follow_up,) = await of_case(shop, case)
    assert (held.status, follow_up.state) == (CaseStatus.RESOLVED, FollowUpState.CONFIRMED)
    over = await shop.conversation(talk)
    assert (isinstance(over.state, Closed), over.disposition) == (True, "confirmed")


@pytest.mark.parametrize(
    "words", ["没有", "还没解决呢", "Not yet", "still broken", "2", "没收到退款"]
)
async def test_a_no_opens_the_case_again(shop: Shop, words: str) -> None:
    case = await resolved(shop)
    await ask(shop)
    talk = await shop.hear(CHAT, "member", words)
    await shop.settle()

    held, (follow_up,) = await of_case(shop, case)
    assert (held.status, held.reopened) == (CaseStatus.OPEN, 1)
    assert follow_up.state in {FollowUpState.DENIED, FollowUpState.OVER}
    assert isinstance((await shop.conversation(talk)).state, Offered)
    assert await shop.store.read(audit, at=shop.clock.now()) == ()


@pytest.mark.parametrize("words", ["好的", "请问新款沙发多少钱", "谢谢", "yes but the lamp is dim"])
async def test_what_is_no_answer_changes_nothing(shop: Shop, words: str) -> None:
    case = await resolved(shop)
    await ask(shop)
    await shop.hear(CHAT, "member", words)
    await shop.read_all()
    held, (follow_up,) = await of_case(shop, case)
    assert (held.status, follow_up.state) == (CaseStatus.RESOLVED, FollowUpState.ASKED)


async def test_a_button_is_an_answer_and_words_on_another_channel_are_none(shop: Shop) -> None:
    case = await resolved(shop)
    await ask(shop)
    await shop.hear(WEIBO, "weibo-7", "没有", claims=(phone(NUMBER),))
    await shop.read_all()
    _case, (follow_up,) = await of_case(shop, case)
    assert follow_up.state is FollowUpState.ASKED

    await press(shop, CHAT, "member", f"followup:{follow_up.id}:no")
    await shop.read_all()
    held, (follow_up,) = await of_case(shop, case)
    assert (held.is_open, follow_up.state) == (True, FollowUpState.DENIED)


async def test_a_no_to_whoever_has_the_customer_alerts_them(shop: Shop) -> None:
    case = await resolved(shop)
    await ask(shop)
    talk = await shop.hear(CHAT, "member", "在吗")
    await in_hand(shop, talk)
    await shop.hear(CHAT, "member", "还没解决")
    await shop.read_all()

    assert (await of_case(shop, case))[0].is_open
    assert isinstance((await shop.conversation(talk)).state, WithAgent)
    alerts = await shop.store.read(lambda unit: unit.journal.alerts(LIN, supervisor=False))
    assert [each.case for each in alerts if each.case] == [case]
    assert await shop.store.read(audit, at=shop.clock.now()) == ()


async def test_a_return_on_the_same_matter_opens_the_case_again_and_on_another_a_new_one(
    shop: Shop,
) -> None:
    case = await resolved(shop)
    await shop.hear(CHAT, "member", ANGRIER)
    await shop.read_all()
    held, (follow_up,) = await of_case(shop, case)
    assert (held.is_open, follow_up.state) == (True, FollowUpState.OVER)

    await resolve(shop)
    (before,) = await shop.store.read(lambda unit: unit.cases.of((held.contact,)))
    other = "订单20261111009999的发票开错了，我要投诉你们！"

    def name_its_order(unit: Unit) -> None:
        cases.correct(
            unit,
            case=case,
            severity=before.severity,
            topic=before.topic,
            order="20261111001234",
            by=LIN,
            policy=shop.policy,
            at=shop.clock.now(),
        )

    await shop.store.transact(name_its_order)
    await shop.hear(CHAT, "member", other)
    await shop.read_all()
    (fresh,) = await shop.store.read(lambda unit: unit.cases.all_open())
    assert fresh.id != case


async def test_nothing_promotional_goes_to_a_customer_with_an_open_complaint(shop: Shop) -> None:
    await shop.staff("lin")
    talk = await shop.hear(CHAT, "member", ANGRY)
    await in_hand(shop, talk)
    given: dict[str, Any] = {
        "conversation": talk,
        "by": LIN,
        "content": Text(text="新品八折"),
        "capabilities": ABLE[CHAT],
        "promotional": True,
    }
    with pytest.raises(PromotionHeld):
        await shop.store.transact(reply, **given, at=shop.clock.now())
    await resolve(shop)
    await shop.store.transact(reply, **given, at=shop.clock.now())


async def test_first_contact_resolution_counts_a_return_on_any_channel(shop: Shop) -> None:
    await shop.staff("lin")
    since = shop.clock.now()

    async def talk_about(words: str, account: AccountName, sender: str, number: str) -> None:
        talk = await shop.hear(account, sender, words, claims=(phone(number),))
        await in_hand(shop, talk)
        await done(shop, talk)
        shop.clock.pass_by(timedelta(hours=1))

    await talk_about("物流到哪了，订单20261111001234", CHAT, "a", NUMBER)
    await talk_about("物流还是没动静，订单20261111001234", WEIBO, "b", NUMBER)
    await talk_about("物流到哪了", CHAT, "c", "+8613800138099")

    async def fcr() -> float | None:
        until = shop.clock.now()
        return await shop.store.read(resolved_at_first, since=since, until=until, within=WEEK)

    assert await fcr() is None, "the time for a return is not over"
    shop.clock.pass_by(WEEK)
    assert await fcr() == pytest.approx(2 / 3)
