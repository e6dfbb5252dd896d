"""A crisis on the supervisor's page: the statement is written, approved, pinned, and said."""

from playwright.async_api import expect

from router.domain.ids import AgentId
from router.service.crisis import watch
from tests.browser.conftest import SignIn
from tests.browser.seed import ANGRY, CHAT, WEIBO, Shop

MEANING = "沙发质量问题我们已知悉，正在统一更换。"
SOCIAL = "大家好，沙发的问题我们已知悉，正在统一更换。"


async def burst(shop: Shop) -> None:
    """Let six people complain about their sofas on Weibo."""
    for number in range(6):
        await shop.hear(WEIBO, f"weibo-{number}", ANGRY, name=f"买家{number}")
    await shop.read()
    await shop.store.transact(watch, policy=shop.policy, at=shop.clock.now())


async def test_a_supervisor_takes_a_crisis_from_the_alert_to_the_end(
    shop: Shop, sign_in: SignIn
) -> None:
    await burst(shop)
    page = await sign_in("boss")
    await expect(page.get_by_text("Many customers complain about one thing").first).to_be_visible()
    await page.get_by_role("link", name="Open the crisis").first.click()
    crisis = page.get_by_role("region", name="Crisis: Sofas")
    await expect(crisis).to_contain_text("6 customers complained")
    await crisis.locator('textarea[name="any.zh"]').fill(MEANING)
    await crisis.locator('textarea[name="any.en"]').fill("We know about the sofas.")
    await crisis.locator('textarea[name="social.zh"]').fill(SOCIAL)
    await crisis.get_by_role("button", name="Save the draft").click()
    await crisis.get_by_role("button", name="Approve the statement").click()
    await crisis.get_by_role("button", name="Pin the statement").click()
    await expect(crisis).to_contain_text("Statement pinned")

    await expect(crisis.get_by_role("checkbox")).to_have_count(6)
    await crisis.get_by_role("checkbox").first.uncheck()
    await crisis.get_by_role("button", name="Send the statement to the chosen").click()
    await expect(page.get_by_text("Done in 5 conversations.")).to_be_visible()
    await expect(crisis.get_by_text("has the statement")).to_have_count(5)

    page.on("dialog", lambda dialog: dialog.accept())
    await crisis.get_by_role("button", name="End the crisis").click()
    await expect(crisis).to_have_count(0)
    await expect(page.get_by_role("region", name="Over")).to_contain_text("Sofas")


async def test_an_agent_sends_the_pinned_statement_with_one_key(
    shop: Shop, sign_in: SignIn
) -> None:
    await shop.staff("lin")
    boss = await sign_in("boss", locale="zh-CN")
    await boss.goto("/crises")
    await boss.get_by_text("手动发起危机").click()
    await boss.get_by_label("关于").select_option("product:sofa")
    await boss.get_by_role("button", name="发起", exact=True).click()
    crisis = boss.get_by_role("region", name="危机：沙发")
    await crisis.locator('textarea[name="any.zh"]').fill(MEANING)
    await crisis.locator('textarea[name="any.en"]').fill("We know about the sofas.")
    await crisis.get_by_role("button", name="保存草稿").click()
    await crisis.get_by_role("button", name="批准口径").click()
    await crisis.get_by_role("button", name="置顶口径").click()
    await expect(crisis).to_contain_text("口径已置顶")

    talk = await shop.hear(CHAT, "member", ANGRY, name="周女士")
    await shop.route()
    await shop.accept_all(AgentId("lin"))
    page = await sign_in("lin")
    await page.goto(f"/desk/{talk}")
    first = page.get_by_role("region", name="Official statement")
    await expect(first).to_contain_text("Say this first about Sofas")
    await expect(first).to_contain_text(MEANING)
    await page.keyboard.press("s")
    await expect(page.get_by_role("log")).to_contain_text(MEANING)
    await expect(first).to_have_count(0)


async def test_an_agent_does_not_see_the_page(shop: Shop, sign_in: SignIn) -> None:
    await shop.staff("lin")
    page = await sign_in("lin")
    assert (await page.request.get("/crises")).status == 403


async def test_an_open_page_says_that_another_crisis_has_been_raised(
    shop: Shop, sign_in: SignIn
) -> None:
    page = await sign_in("boss")
    await page.goto("/crises")
    await burst(shop)
    await page.get_by_role("link", name="A crisis has been raised. Show it.").click()
    await expect(page.get_by_role("region", name="Crisis: Sofas")).to_be_visible()
