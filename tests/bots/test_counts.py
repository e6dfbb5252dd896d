"""What bots did is counted: answers, questions back, hand-overs and failures with reasons, cost."""

from datetime import timedelta

from router.domain.botcounts import BotCounts, BotTally, Did
from router.service.answer import close_silent
from router.service.botcounts import bot_counts
from router.service.botport import BotKind
from tests.bots.rig import ASKED, INVOICE_ZH, answering, drafted, opened, publish, says
from tests.service.conftest import CHAT, Shop


async def counts(shop: Shop, days: int = 1) -> BotCounts:
    """Return what bots did in the last days."""
    until = shop.clock.now() + timedelta(seconds=1)
    since = until - timedelta(days=days)
    return await shop.store.read(bot_counts, since=since, until=until, policy=shop.policy)


async def test_an_answer_of_a_model_is_counted_with_what_it_cost(shop: Shop) -> None:
    async with answering(shop, BotKind.MODEL, drafted(INVOICE_ZH, "invoice")) as held:
        await opened(held)
    found = await counts(shop)
    assert found.bots == (("helper", BotTally(answered=1, tokens=340)),)
    assert (found.total, found.reasons) == (BotTally(answered=1, tokens=340), ())
    assert (found.conversations, found.share) == (0, None), "the conversation is still open"


async def test_a_failure_is_the_bots_and_the_answer_is_of_whoever_made_it_good(
    small_shop: Shop,
) -> None:
    async with answering(small_shop, BotKind.MODEL, says({}, status=500)) as held:
        await opened(held)
    found = await counts(small_shop)
    bots = dict(found.bots)
    assert (bots["helper"].failed, bots["helper"].answered) == (1, 0)
    assert bots["built_in"] == BotTally(answered=1)
    ((reason),) = found.reasons
    assert (reason.bot, reason.did, reason.why, reason.times) == (
        "helper",
        Did.FAILED,
        "bot_error",
        1,
    )


async def test_what_a_model_may_not_say_is_a_failure_and_a_question_back(small_shop: Shop) -> None:
    promise = drafted("我们保证三天内全额退款并赔偿十倍。", "invoice")
    async with answering(small_shop, BotKind.MODEL, promise) as held:
        await opened(held)
    found = await counts(small_shop)
    assert (found.total.asked_back, found.total.failed) == (1, 1)
    assert found.reasons[0].did is Did.FAILED
    assert found.reasons[0].why == "claims_what_it_may_not"


async def test_who_hands_over_says_why_and_what_it_would_have_said_is_kept(
    small_shop: Shop,
) -> None:
    async with answering(small_shop, BotKind.RASA, says([{"text": INVOICE_ZH}])) as held:
        chat = await opened(held)
        await small_shop.hear(CHAT, "member-1", ASKED)
        await held.settle()
        assert await held.whys(chat) == ["bot_repeats"]
    found = await counts(small_shop)
    assert found.bots == (("helper", BotTally(answered=1, handed_over=1)),)
    assert [(each.did, each.why) for each in found.reasons] == [(Did.HANDED_OVER, "bot_repeats")]
    decided = await small_shop.store.read(lambda unit: unit.journal.decisions(chat))
    assert {"why": "bot_repeats", "unsaid": "bot"}.items() <= decided[0].because.items()


async def test_what_the_bot_settled_alone_is_a_share_of_what_closed(small_shop: Shop) -> None:
    await publish(small_shop)
    alone = await small_shop.hear(CHAT, "one", ASKED)
    await small_shop.settle()
    assert alone
    small_shop.clock.pass_by(timedelta(days=1))
    at = small_shop.clock.now()
    await small_shop.store.transact(close_silent, policy=small_shop.policy, at=at)
    found = await counts(small_shop, days=3)
    assert (found.conversations, found.alone, found.share) == (1, 1, 1.0)
    assert [each.tally.answered for each in found.days] == [0, 1], "asked on a day, closed the next"
