"""The guarantees on the supervisor's page: checked on demand, each violation named."""

from playwright.async_api import expect

from router.domain.events import Happened
from router.service.unit import Unit
from tests.browser.conftest import SignIn
from tests.browser.seed import ANGRY, CHAT, Shop


async def test_a_supervisor_checks_the_guarantees_and_sees_none_broken(
    shop: Shop, sign_in: SignIn
) -> None:
    await shop.hear(CHAT, "member", ANGRY, name="周女士")
    await shop.read()
    page = await sign_in("boss")
    await page.get_by_role("link", name="Guarantees").click()
    found = page.get_by_role("region", name="What the last check found")
    await expect(found).to_contain_text("It has not been checked yet.")
    await page.get_by_role("button", name="Check now").click()
    await expect(found).to_contain_text("No violation.")
    await expect(found.get_by_text("holds")).to_have_count(4)


async def test_a_violation_is_named_and_leads_to_where_it_happened(
    shop: Shop, sign_in: SignIn
) -> None:
    talk = await shop.hear(CHAT, "member", ANGRY, name="周女士")
    await shop.read()

    def plant(unit: Unit) -> None:
        (case,) = unit.cases.all_open()
        unit.record(
            Happened(
                kind="reply_queued", contact=case.contact, conversation=talk, facts={"by": "bot"}
            ),
            at=shop.clock.now(),
        )

    await shop.store.transact(plant)
    page = await sign_in("boss", locale="zh-CN")
    await page.goto("/audit")
    await page.get_by_role("button", name="立即核查").click()
    violations = page.get_by_role("region", name="违反之处")
    await expect(violations).to_contain_text("G4")
    await expect(violations).to_contain_text("未结投诉时机器人仍作了回复")
    await violations.get_by_role("link", name="会话").click()
    await expect(page).to_have_url(f"{shop.url}/desk/{talk}")


async def test_an_agent_does_not_see_the_page(shop: Shop, sign_in: SignIn) -> None:
    await shop.staff("lin")
    page = await sign_in("lin")
    await expect(page.get_by_role("link", name="Guarantees")).to_have_count(0)
    answer = await page.request.get("/audit")
    assert answer.status == 403
