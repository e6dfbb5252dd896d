"""Every page on a laptop and on a phone, in both languages, full and empty."""

from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from router.domain.ids import AgentId
from tests.browser.conftest import SignIn
from tests.browser.seed import ANGRIER, ANGRY, CHAT, NUMBER, WECHAT, WEIBO, Shop
from tests.browser.test_contact import contact_of
from tests.support.chromium import Console

PHONE_SCREEN = {"width": 360, "height": 740}
LAPTOP = {"width": 1366, "height": 850}
LONG = "Grüße aus " + "Donaudampfschifffahrtsgesellschaft" * 4
GENERAL = (
    "/queues",
    "/queues?tab=hand",
    "/desk",
    "/cases",
    "/contacts",
    "/people",
    "/people/new",
    "/people/lin",
    "/trouble",
    "/audit",
    "/plans",
    "/crises",
    "/knowledge",
    "/knowledge/new",
    "/knowledge/questions",
    "/knowledge/files",
    "/products/new",
    "/scripts/new",
    "/figures/bots",
    "/me",
    "/password",
    "/no-such-page",
)


async def furnish(shop: Shop) -> tuple[str, ...]:
    """Let things happen that stress a page; return the addresses of what happened."""
    await shop.staff("lin", "Lin von und zu Langenname")
    await shop.call(NUMBER, ANGRY, ago=timedelta(hours=5))
    await shop.hear(WEIBO, "weibo-7", ANGRIER, name="沙发受害者", phone=NUMBER)
    await shop.read()
    talk = await shop.hear(CHAT, "member", LONG, name="周女士" * 6, phone=NUMBER)
    await shop.route()
    await shop.accept_all(AgentId("lin"))
    for number in range(20):
        await shop.hear(WECHAT, f"o-{number}", f"第{number}位 {LONG}", name=LONG[:40])
    await shop.read()
    contact = await contact_of(shop, CHAT, "member")
    (case,) = await shop.store.read(lambda unit: unit.cases.all_open())
    return (
        f"/desk/{talk}",
        f"/desk/{talk}#person",
        f"/queues?open={talk}",
        f"/contacts/{contact}",
        f"/contacts/{contact}?merge=o",
        f"/cases/{case.id}",
    )


async def excess(page: Page) -> int:
    """Return by how many pixels the page is wider than the screen."""
    wide: int = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return wide


@pytest.mark.parametrize("lang", ["en-GB", "zh-CN"])
@pytest.mark.parametrize("screen", [PHONE_SCREEN, LAPTOP], ids=["phone", "laptop"])
async def test_no_page_is_wider_than_its_screen(
    shop: Shop, sign_in: SignIn, console: Console, lang: str, screen: dict[str, int]
) -> None:
    console.expect("404")
    busy = await furnish(shop)
    page = await sign_in("boss", locale=lang, viewport=screen)
    too_wide = {}
    for address in (*GENERAL, *busy):
        await page.goto(address)
        await expect(page.get_by_role("main")).to_be_visible()
        if await excess(page) > 0:
            too_wide[address] = await excess(page)
    assert too_wide == {}


async def test_a_page_names_its_language_and_its_controls(shop: Shop, sign_in: SignIn) -> None:
    busy = await furnish(shop)
    page = await sign_in("boss", locale="zh-CN")
    nameless = {}
    for address in (*GENERAL[:-2], *busy):
        await page.goto(address)
        assert await page.locator("html").get_attribute("lang") == "zh-CN"
        found = await page.evaluate(
            """() => [...document.querySelectorAll("button, a[href], input, select, textarea")]
              .filter((each) => each.type !== "hidden" && each.getClientRects().length > 0)
              .filter((each) => !(each.textContent.trim() || each.ariaLabel || each.title
                                  || each.labels?.length))
              .map((each) => each.outerHTML)"""
        )
        if found:
            nameless[address] = found
    assert nameless == {}


async def test_on_a_phone_the_complaint_is_read_and_answered(shop: Shop, sign_in: SignIn) -> None:
    await shop.staff("lin")
    await shop.hear(CHAT, "member", ANGRY, name="周女士")
    await shop.route()
    page = await sign_in("lin", viewport=PHONE_SCREEN, has_touch=True, locale="zh-CN")
    await expect(page.get_by_role("article")).to_contain_text(ANGRY)
    accept = page.get_by_role("button", name="接受")
    box = await accept.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    await accept.tap()
    await page.get_by_label("回复", exact=True).fill("非常抱歉")
    await page.get_by_role("button", name="发送").tap()
    await expect(page.get_by_role("log")).to_contain_text("非常抱歉")
    await page.get_by_role("link", name="客户与历史").tap()
    await expect(page.get_by_role("complementary", name="客户")).to_contain_text(ANGRY)
    await page.get_by_role("link", name="回到会话").tap()
    await expect(page.get_by_label("回复", exact=True)).to_be_visible()
