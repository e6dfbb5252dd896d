"""The customer's page: identities, timeline, complaints, merging and splitting."""

from datetime import timedelta

from playwright.async_api import expect

from router.domain.ids import AgentId, ContactId
from router.service.unit import Unit
from tests.browser.conftest import SignIn
from tests.browser.seed import ANGRY, CHAT, NUMBER, WECHAT, WEIBO, Shop


async def contact_of(shop: Shop, account: str, external_id: str) -> ContactId:
    def ask(unit: Unit) -> ContactId:
        known = unit.contacts.known(account, external_id)  # type: ignore[arg-type]
        assert known is not None
        return unit.contacts.get(known.contact).root

    return await shop.store.read(ask)


async def test_two_customers_are_merged_with_a_reason_and_split_again(
    shop: Shop, sign_in: SignIn
) -> None:
    await shop.hear(CHAT, "member", "在吗", name="周女士")
    await shop.hear(WEIBO, "weibo-7", ANGRY, name="沙发受害者")
    await shop.read()
    keep = await contact_of(shop, CHAT, "member")
    page = await sign_in("boss")
    await page.goto(f"/contacts/{keep}")
    await expect(page.get_by_text("No complaint of this customer is open.")).to_be_visible()
    await page.get_by_text("Merge with another customer").click()
    await page.get_by_label("Find the other one").fill("沙发")
    await page.get_by_role("button", name="Find", exact=True).click()
    await page.get_by_label("Why are they the same person?").fill("报了同一个订单号")
    await page.get_by_role("button", name="Merge", exact=True).click()
    await expect(page.get_by_role("region", name="Open complaint")).to_contain_text(ANGRY)
    await expect(page.get_by_role("region", name="Known as")).to_contain_text("沙发受害者")
    merges = page.get_by_role("region", name="Merges")
    await expect(merges).to_contain_text("报了同一个订单号")

    page.on("dialog", lambda dialog: dialog.accept())
    await page.get_by_role("button", name="Split").click()
    await expect(page.get_by_text("No complaint of this customer is open.")).to_be_visible()
    await expect(merges).to_contain_text("split by Boss")
    assert await contact_of(shop, WEIBO, "weibo-7") != keep


async def test_the_timeline_holds_every_channel_is_searched_and_goes_back(
    shop: Shop, sign_in: SignIn
) -> None:
    await shop.call(NUMBER, "电话里说过灯具坏了", ago=timedelta(hours=5))
    for number in range(60):
        await shop.hear(
            CHAT, "member", f"第{number}句", phone=NUMBER, ago=timedelta(minutes=100 - number)
        )
    await shop.hear(WECHAT, "o-1", "微信里问一声", phone=NUMBER, ago=timedelta(minutes=1))
    await shop.read()
    contact = await contact_of(shop, CHAT, "member")
    page = await sign_in("boss")
    await page.goto(f"/contacts/{contact}")
    timeline = page.locator("#timeline")
    await expect(timeline.get_by_role("listitem")).to_have_count(50)
    await expect(timeline.get_by_role("listitem").first).to_contain_text("微信里问一声")
    await timeline.get_by_role("link", name="Older").click()
    await expect(timeline).to_contain_text("电话里说过灯具坏了")
    await expect(timeline).to_contain_text("第0句")
    await page.get_by_label("Search in the timeline").fill("灯具")
    await page.get_by_role("button", name="Search").click()
    await expect(timeline.get_by_role("listitem")).to_have_count(1)
    await page.get_by_label("Search in the timeline").fill("没有这句话")
    await page.get_by_role("button", name="Search").click()
    await expect(timeline).to_contain_text("Nothing on this timeline has these words.")


async def test_a_customer_is_found_by_phone_number_and_corrected(
    shop: Shop, sign_in: SignIn
) -> None:
    await shop.hear(CHAT, "member", "在吗", name="周女士", phone=NUMBER)
    await shop.read()
    page = await sign_in("boss")
    await page.goto("/contacts")
    await page.keyboard.press("/")
    await page.keyboard.type("13800138000")
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="周女士").click()
    await page.get_by_text("Edit name, standing and note").click()
    await page.get_by_label("Name", exact=True).fill("周晓岚")
    await page.get_by_label("VIP: goes before ordinary conversations").check()
    await page.get_by_label("Note for colleagues").fill("下午来电")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="周晓岚 VIP")).to_be_visible()
    await expect(page.get_by_text("下午来电").first).to_be_visible()
    await expect(page.get_by_role("region", name="Known as")).to_contain_text("verified")


async def test_a_complaint_that_no_channel_heard_is_written_down_and_seen_through(
    shop: Shop, sign_in: SignIn
) -> None:
    await shop.staff("lin")
    await shop.hear(CHAT, "member", "在吗", name="周女士")
    await shop.read()
    contact = await contact_of(shop, CHAT, "member")
    page = await sign_in("boss")
    await page.goto(f"/contacts/{contact}")
    await page.get_by_text("Write down a complaint").click()
    await page.get_by_label("What does the customer say?").fill("门店里说床板断了")
    await page.get_by_label("How bad").select_option("3")
    await page.get_by_role("button", name="Open the complaint").click()

    await expect(page.get_by_text("门店里说床板断了")).to_be_visible()
    await page.get_by_role("button", name="Acknowledge").click()
    await expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    await page.get_by_label("Give it to").select_option("lin")
    await page.get_by_role("button", name="Assign").click()
    await expect(page.locator("dl").first).to_contain_text("Lin")
    await page.get_by_label("How", exact=True).select_option("replaced")
    await page.get_by_label("What was done, in a sentence").fill("换了新床板")
    await page.get_by_role("button", name="Resolve the complaint").click()
    await expect(page.locator("dl").first).to_contain_text("换了新床板")
    await page.get_by_role("button", name="Open it again").click()
    await expect(page.get_by_text("opened again 1 time")).to_be_visible()

    def owner(unit: Unit) -> AgentId | None:
        (case,) = unit.cases.all_open()
        return case.owner

    assert await shop.store.read(owner) is None


async def test_correcting_the_severity_moves_the_clock(shop: Shop, sign_in: SignIn) -> None:
    await shop.hear(CHAT, "member", ANGRY, name="周女士")
    await shop.read()
    page = await sign_in("boss")
    await page.goto("/cases")
    await page.get_by_role("link", name="周女士").click()
    await page.get_by_text("Correct what was understood").click()
    await page.get_by_label("How bad").select_option("3")
    await page.get_by_label("Order").fill("A20261111")
    await page.get_by_role("button", name="Save").click()
    heading = page.get_by_role("heading", level=1)
    await expect(heading).to_contain_text("Serious complaint")
    await expect(page.get_by_text("order A20261111")).to_be_visible()


async def test_a_complaint_of_probably_the_same_person_is_shown_and_decided(
    shop: Shop, sign_in: SignIn
) -> None:
    await shop.hear(WEIBO, "weibo-7", f"{ANGRY} 我的电话是13912345678", name="沙发受害者")
    await shop.read()
    await shop.hear(CHAT, "member", "在吗，我的手机号13912345678", name="周女士")
    await shop.read()
    contact = await contact_of(shop, CHAT, "member")
    page = await sign_in("boss")
    await page.goto(f"/contacts/{contact}")
    story = page.get_by_role("region", name="Open complaint")
    await expect(story).to_contain_text("Probably the same person: the same phone. Not proven.")
    await expect(story).to_contain_text(ANGRY)
    await story.get_by_role("button", name="Same person").click()
    await expect(page.get_by_role("region", name="Known as")).to_contain_text("沙发受害者")
    assert await contact_of(shop, WEIBO, "weibo-7") == await contact_of(shop, CHAT, "member")
