"""What an agent is given with a conversation: seen before accepting, and pinned afterwards."""

from datetime import timedelta

from playwright.async_api import expect

from router.domain.briefing import Line
from router.domain.ids import InteractionId
from router.service.botport import BotTurn
from router.service.briefing import Briefed, Wanted, settle
from router.service.unit import Unit
from tests.browser.conftest import SignIn
from tests.browser.seed import ANGRY, CHAT, NUMBER, WEIBO, Shop


async def test_what_is_remembered_is_seen_with_the_offer_on_the_desk_and_on_the_customers_page(
    shop: Shop, sign_in: SignIn
) -> None:
    await shop.staff("lin")
    await shop.hear(WEIBO, "weibo-7", ANGRY, phone=NUMBER, ago=timedelta(hours=2))
    await shop.read()
    await shop.hear(CHAT, "member", "发票怎么开？", name="周女士", phone=NUMBER)
    await shop.route()
    page = await sign_in("lin", locale="zh-CN")
    offer = page.get_by_role("article").filter(has_text="现在想问").last
    await expect(offer.get_by_label("各渠道发生了什么")).to_contain_text("发票怎么开")
    await offer.get_by_role("button", name="接受").click()

    about = page.get_by_role("complementary", name="客户")
    await about.get_by_text("需要记住").first.click()
    await about.get_by_label("关于这位客户需要记住的事").fill("只用低敏产品")
    await about.get_by_role("button", name="添加").click()
    pinned = page.get_by_role("complementary", name="客户").locator(".pinned")
    await expect(pinned).to_have_text("只用低敏产品")

    await page.get_by_role("link", name="客户完整页面").click()
    await expect(page.locator("#who .pinned")).to_have_text("只用低敏产品")
    noted = page.get_by_label("需要记住", exact=True)
    await noted.fill("只用无香产品")
    await page.locator("#remembered").get_by_role("button", name="保存").click()
    await expect(page.locator("#who .pinned")).to_have_text("只用无香产品")
    await page.locator("#remembered").get_by_role("button", name="移除").click()
    await expect(page.locator("#who .pinned")).to_have_count(0)


async def test_the_lines_of_a_model_are_shown_with_its_name_until_the_customer_says_more(
    shop: Shop, sign_in: SignIn
) -> None:
    await shop.staff("lin")
    talk = await shop.hear(CHAT, "member", "发票怎么开？", name="周女士")
    await shop.route()
    last = await shop.store.read(lambda unit: unit.conversations.said_in(talk, limit=1)[0].id)

    def sum_up(unit: Unit) -> None:
        asked = Wanted(conversation=talk, upto=InteractionId(last), language="zh", facts=())
        lines = (Line(text="客户询问发票怎么开。", facts=("f1",)),)
        given = {"briefed": Briefed(lines=lines), "bot": "assistant", "at": shop.clock.now()}
        unit.bot_turns.add(a_turn(asked, shop))
        settle(unit, asked=asked, fault="", failed=False, **given)  # type: ignore[arg-type]

    page = await sign_in("lin")
    offer = page.get_by_role("article").filter(has_text="周女士")
    await expect(offer).not_to_contain_text("Summed up")
    await shop.store.transact(sum_up)
    await expect(offer).to_contain_text("Summed up by the model assistant")
    await expect(offer.get_by_label("What happened, on all channels")).to_have_text(
        "客户询问发票怎么开。"
    )
    await shop.hear(CHAT, "member", "开公司抬头")
    await expect(offer).not_to_contain_text("Summed up")


def a_turn(asked: Wanted, shop: Shop) -> BotTurn:
    """Return the turn in which a model was asked to sum up."""
    at = shop.clock.now()
    return BotTurn(
        question=asked.key,
        conversation=asked.conversation,
        bot="assistant",
        state="asked",
        why="",
        by="test",
        asked_at=at,
        until=at,
        attempts=1,
        tokens=0,
        settled_at=None,
    )
