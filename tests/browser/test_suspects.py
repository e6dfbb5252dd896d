"""Who is probably the same person: their complaints stand on the offer and in the conversation."""

import pytest
from playwright.async_api import Page, expect

from router.domain.ids import ConversationId
from tests.browser.conftest import SignIn
from tests.browser.seed import ANGRY, CHAT, WEIBO, Shop
from tests.browser.test_contact import contact_of

SAME = "Probably the same person: the same phone. Not proven."


async def suspected(shop: Shop) -> ConversationId:
    """Let somebody complain, and somebody else with the same unproven number ask a question."""
    await shop.staff("lin")
    await shop.hear(WEIBO, "weibo-7", f"{ANGRY} 我的电话是13912345678", name="沙发受害者")
    await shop.read()
    talk = await shop.hear(CHAT, "member", "在吗，我的手机号13912345678", name="周女士")
    await shop.route()
    return talk


async def test_an_offer_shows_the_complaint_of_probably_the_same_person_and_decides_it(
    shop: Shop, sign_in: SignIn
) -> None:
    await suspected(shop)
    page = await sign_in("lin")
    offer = page.get_by_role("article", name="Offer: 周女士")
    await expect(offer).to_contain_text(SAME)
    await expect(offer).to_contain_text(ANGRY)
    await offer.get_by_role("button", name="Same person").click()
    await expect(page).to_have_url(f"{shop.url}/desk")
    assert await contact_of(shop, WEIBO, "weibo-7") == await contact_of(shop, CHAT, "member")


@pytest.mark.parametrize(("answer", "same"), [("Same person", True), ("Somebody else", False)])
async def test_an_open_conversation_shows_it_and_an_agent_decides(
    shop: Shop, sign_in: SignIn, answer: str, *, same: bool
) -> None:
    talk = await suspected(shop)
    page: Page = await sign_in("boss")
    await page.goto(f"/desk/{talk}")
    about = page.get_by_role("complementary", name="Customer")
    await expect(about).to_contain_text(SAME)
    await about.get_by_role("button", name=answer).click()
    await expect(page).to_have_url(f"{shop.url}/desk/{talk}")
    await expect(page.get_by_text(SAME)).to_have_count(0)
    await expect(about.get_by_role("region", name="Open complaint")).to_have_count(int(same))
    one, other = [
        await contact_of(shop, account, sender)
        for account, sender in ((WEIBO, "weibo-7"), (CHAT, "member"))
    ]
    assert (one == other) is same
