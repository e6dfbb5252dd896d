"""Service in figures, as a supervisor reads them in both languages."""

from datetime import timedelta

from playwright.async_api import expect

from router.domain.ids import ConversationId
from router.service import desk
from router.service.records import DecisionRecord
from router.service.unit import Unit
from tests.browser.conftest import SignIn
from tests.browser.seed import ANGRY, CHAT, Shop


async def settled(shop: Shop, sender: str, words: str) -> None:
    """Let a conversation be answered by nobody and closed by its agent."""
    agent = await shop.staff(f"agent-{sender}")
    talk = await shop.hear(CHAT, sender, words, name="周女士")
    await shop.read()

    def close(unit: Unit) -> None:
        at = shop.clock.now()
        held = unit.conversations.get(talk)
        desk.give(unit, held, to=agent, by=agent, seen_seq=0, at=at)
        desk.wrap_up(unit, conversation=talk, by=agent, disposition="answered", text="", at=at)

    await shop.store.transact(close)


async def test_a_supervisor_reads_the_figures_by_day_channel_and_topic(
    shop: Shop, sign_in: SignIn
) -> None:
    await settled(shop, "member", ANGRY)
    await settled(shop, "other", "物流到哪了")
    shop.clock.ahead += timedelta(days=8)
    page = await sign_in("boss", locale="zh-CN")
    await page.get_by_role("link", name="服务指标").click()
    total = page.get_by_label("总计")
    await expect(total).to_contain_text("首次解决率")
    await expect(total).to_contain_text("100%")
    await expect(total).to_contain_text("共 2 个会话")
    await page.get_by_role("link", name="渠道", exact=True).click()
    await expect(page.get_by_role("row")).to_have_count(2)
    await page.get_by_role("link", name="主题", exact=True).click()
    await expect(page.get_by_role("rowheader", name="物流")).to_be_visible()
    await page.get_by_role("link", name="近 7 天").click()
    await expect(page.get_by_text("这段时间没有已结束的会话。")).to_be_visible()

    page = await sign_in("boss")
    await page.goto("/figures?by=queue")
    await expect(page.get_by_role("table")).to_contain_text("Settled at the first contact")
    await expect(page.get_by_label("In total")).to_contain_text("of 2 conversations")


async def test_an_agent_does_not_see_the_figures(shop: Shop, sign_in: SignIn) -> None:
    await shop.staff("lin")
    page = await sign_in("lin")
    await expect(page.get_by_role("link", name="Figures")).to_have_count(0)
    assert (await page.request.get("/figures")).status == 403


DECIDED = (
    ("bot_turn", {"why": "article"}),
    ("bot_turn", {"why": "ask_back"}),
    ("bot_turn", {"why": "article", "instead_of": "assistant", "failed": "bot_slow"}),
    ("bot_hands_over", {"why": "bot_unsure"}),
)


async def test_a_supervisor_reads_what_the_bots_did_and_why_they_did_not(
    shop: Shop, sign_in: SignIn
) -> None:
    page = await sign_in("boss", locale="zh-CN")
    await page.goto("/figures")
    await page.get_by_role("link", name="机器人", exact=True).click()
    await expect(page.get_by_text("这段时间内没有机器人工作记录。")).to_be_visible()

    def decide(unit: Unit) -> None:
        for number, (kind, because) in enumerate(DECIDED):
            unit.journal.decide(
                DecisionRecord(
                    id=f"decision-{number}",
                    at=shop.clock.now(),
                    kind=kind,
                    conversation=ConversationId("talk"),
                    agent=None,
                    reservation=None,
                    because=because,
                    seen_seq=0,
                    cases=(),
                )
            )

    await shop.store.transact(decide)
    await page.reload()
    why = page.get_by_role("table").first
    await expect(why).to_contain_text("没有足够匹配的知识条目")
    await expect(why.get_by_role("row").filter(has_text="未及时回答")).to_contain_text("assistant")

    page = await sign_in("boss")
    await page.goto("/figures/bots")
    line = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="The built-in"))
    await expect(line).to_have_text("The built-in bot 2 1 1 0 0", use_inner_text=True)
