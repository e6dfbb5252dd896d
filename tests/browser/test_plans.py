"""Planning in the browser: a recorded day is played again, and the curves are drawn."""

import os
from datetime import UTC, datetime, time, timedelta

from playwright.async_api import Page, expect

from router.domain.ids import AgentId
from router.domain.workforce import Presence
from router.service.desk import set_presence, wrap_up
from router.service.unit import Unit
from tests.browser.conftest import SignIn
from tests.browser.seed import ANGRY, CHAT, Shop

MINUTE = timedelta(minutes=1)
#: A morning of yesterday by the shop's clock, so that what is recorded lies within one day.
MORNING = time(10, 0)


async def a_recorded_morning(shop: Shop) -> str:
    """Let two agents answer eight customers, one of whom complains; return the day."""
    zone = shop.policy.hours.zone
    now = datetime.now(UTC)  # noqa: TID251  the pages tick by the machine's clock
    day = now.astimezone(zone).date() - timedelta(days=1)
    opens = datetime.combine(day, MORNING, zone)
    shop.clock.ahead = opens - now
    agents = [await shop.staff(name, presence=Presence.OFFLINE) for name in ("lin", "mei")]
    for agent in agents:
        await presence(shop, agent, Presence.AVAILABLE)
    for number in range(8):
        await shop.hear(CHAT, f"m{number}", ANGRY if number == 0 else "包裹到哪里了？")
        await shop.route()
        for agent in agents:
            await shop.accept_all(agent)
        shop.clock.ahead += 4 * MINUTE
        for agent in agents:
            await finish_all(shop, agent)
    for agent in agents:
        await presence(shop, agent, Presence.OFFLINE)
    shop.clock.ahead = timedelta(0)
    return day.isoformat()


async def presence(shop: Shop, agent: AgentId, shown: Presence) -> None:
    await shop.store.transact(
        set_presence, agent=agent, presence=shown, by=agent, at=shop.clock.now()
    )


async def finish_all(shop: Shop, agent: AgentId) -> None:
    def held(unit: Unit) -> list[str]:
        return [each.id for each in unit.conversations.held_by(agent)]

    for each in await shop.store.read(held):
        await shop.store.transact(
            wrap_up,
            conversation=each,
            by=agent,
            disposition="answered",
            text="",
            at=shop.clock.now(),
        )


async def shot(page: Page, name: str) -> None:
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        await page.screenshot(path=f"{folder}/{name}.png", full_page=True)


async def test_a_supervisor_plays_a_day_with_more_agents_and_sees_the_curves(
    shop: Shop, sign_in: SignIn
) -> None:
    day = await a_recorded_morning(shop)
    page = await sign_in("boss", locale="zh-CN")
    await page.get_by_role("link", name="人力测算").click()
    form = page.get_by_role("form", name="假如")
    await form.get_by_label("记录日").fill(day)
    await form.get_by_label("增减坐席数").fill("2")
    await form.get_by_role("button", name="推演这一天").click()
    result = page.get_by_role("region", name=f"假如 · {day}")
    rows = result.get_by_role("table").first.get_by_role("row")
    await expect(rows.nth(3)).to_contain_text("改变之后4", timeout=30_000)
    await expect(rows.nth(1)).to_contain_text("实际情况2")
    await expect(result.locator(".uplot canvas")).to_have_count(3)
    await shot(page, "plans-zh")


async def test_a_supervisor_asks_how_many_agents_a_promise_needs(
    shop: Shop, sign_in: SignIn
) -> None:
    day = await a_recorded_morning(shop)
    page = await sign_in("boss")
    await page.goto("/plans")
    form = page.get_by_role("form", name="How many agents")
    await form.get_by_label("Recorded day").fill(day)
    await form.get_by_role("button", name="Search").click()
    result = page.get_by_role("region", name=f"Staffing · {day}")
    await expect(result).to_contain_text("is kept with this staffing", timeout=30_000)
    await expect(result.get_by_role("row").nth(1)).to_contain_text("1")
    await shot(page, "staffing-en")


async def test_an_empty_day_says_why_it_cannot_be_played(sign_in: SignIn) -> None:
    page = await sign_in("boss")
    await page.goto("/plans")
    form = page.get_by_role("form", name="What if")
    await form.get_by_label("Recorded day").fill("2020-01-01")
    await form.get_by_role("button", name="Play the day").click()
    await expect(page.get_by_role("alert").filter(has_text="nobody waited")).to_be_visible(
        timeout=30_000
    )
