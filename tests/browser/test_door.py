"""The door: sign-in, the one-time password, the language."""

from playwright.async_api import expect

from tests.browser.conftest import SignIn
from tests.browser.seed import PASSWORD, Shop
from tests.support.chromium import Console, OpenPage


async def test_a_wrong_password_is_refused_in_the_readers_language(
    shop: Shop, open_page: OpenPage, console: Console
) -> None:
    console.expect("401")
    page = await open_page(base_url=shop.url, locale="zh-CN")
    await page.goto("/")
    await page.get_by_label("登录名").fill("boss")
    await page.get_by_label("密码").fill("not-the-password")
    await page.get_by_role("button", name="登录").click()
    await expect(page.get_by_role("alert").first).to_contain_text("密码")
    await expect(page.get_by_label("登录名")).to_have_value("boss")


async def test_signing_in_leads_to_the_page_that_was_asked_for(
    shop: Shop, open_page: OpenPage
) -> None:
    page = await open_page(base_url=shop.url)
    await page.goto("/cases")
    await page.get_by_label("Login").fill("boss")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Open complaints")).to_be_visible()


async def test_a_new_colleague_chooses_a_password_at_the_first_sign_in(
    shop: Shop, sign_in: SignIn, open_page: OpenPage
) -> None:
    boss = await sign_in("boss")
    await boss.goto("/people/new")
    await boss.get_by_label("Name", exact=True).fill("Wen")
    await boss.get_by_label("Login").fill("wen")
    await boss.get_by_role("radiogroup", name="Complaints").get_by_text("4").click()
    await boss.get_by_role("button", name="Add").click()
    once = await boss.get_by_label("One-time password").inner_text()

    page = await open_page(base_url=shop.url)
    await page.goto("/signin")
    await page.get_by_label("Login").fill("wen")
    await page.get_by_label("Password").fill(once)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_label("Password until now").fill(once)
    await page.get_by_label("New password", exact=True).fill("walnut-and-brass")
    await page.get_by_label("New password once more").fill("walnut-and-brass")
    await page.get_by_role("button", name="Change the password").click()
    await expect(page.get_by_role("heading", name="Desk", exact=True)).to_be_visible()

    await page.goto("/me")
    await expect(page.get_by_text("Complaints 4")).to_be_visible()


async def test_the_language_is_switched_in_the_header_and_stays(sign_in: SignIn) -> None:
    page = await sign_in("boss", locale="zh-CN")
    await expect(page.get_by_text("没有人在等待。")).to_be_visible()
    await page.get_by_label("语言").select_option("en")
    await expect(page.get_by_text("Nobody is waiting.")).to_be_visible()
    await page.goto("/cases")
    await expect(page.get_by_role("heading", name="Open complaints")).to_be_visible()


async def test_signing_out_ends_the_session(sign_in: SignIn) -> None:
    page = await sign_in("boss")
    await page.goto("/me")
    await page.get_by_role("button", name="Sign out").click()
    await page.goto("/queues")
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
