"""The supervisor's wall, with a hundred conversations waiting and with none."""

from datetime import timedelta

from playwright.async_api import expect

from router.domain.conversation import Conversation, Queued, WithAgent
from router.domain.ids import AgentId, ConversationId
from router.domain.workforce import Presence
from router.service.unit import Unit
from tests.browser.conftest import SignIn
from tests.browser.seed import ANGRY, CHAT, NUMBER, WECHAT, WEIBO, Shop

QUESTION = "请问这款沙发有现货吗"


async def stored(shop: Shop, conversation: ConversationId) -> Conversation:
    def get(unit: Unit) -> Conversation:
        return unit.conversations.get(conversation)

    return await shop.store.read(get)


async def hundred(shop: Shop) -> list[ConversationId]:
    """Let a hundred customers wait; two of them complain."""
    came = []
    for number in range(100):
        words = ANGRY if number in {40, 70} else f"{QUESTION}？{number}"
        came.append(
            await shop.hear(
                (CHAT, WEIBO, WECHAT)[number % 3],
                f"c{number}",
                words,
                name=f"客户{number}",
                ago=timedelta(seconds=100 - number),
            )
        )
    await shop.read()
    return came


async def test_nobody_waiting_is_said_and_not_an_empty_page(sign_in: SignIn) -> None:
    page = await sign_in("boss")
    await expect(page.get_by_text("Nobody is waiting.")).to_be_visible()
    await expect(page.get_by_text("No complaint is open.")).to_be_visible()


async def test_with_a_hundred_waiting_the_complaints_stand_first_with_their_words(
    shop: Shop, sign_in: SignIn
) -> None:
    await hundred(shop)
    page = await sign_in("boss")
    rows = page.get_by_role("region", name="Conversations").get_by_role("listitem")
    await expect(rows).to_have_count(100)
    for place, name in ((0, "客户40"), (1, "客户70"), (2, "客户0")):
        await expect(rows.nth(place)).to_contain_text(name)
    await expect(rows.first).to_contain_text(ANGRY)
    await expect(rows.first).to_contain_text("omplaint")
    await expect(rows.nth(2)).to_contain_text("target 0:20")


async def test_the_list_is_narrowed_by_words_and_by_channel(shop: Shop, sign_in: SignIn) -> None:
    await hundred(shop)
    page = await sign_in("boss")
    rows = page.get_by_role("region", name="Conversations").get_by_role("listitem")
    await page.get_by_label("Search by name or words").fill("客户17")
    await page.get_by_label("Search by name or words").press("Enter")
    await expect(rows).to_have_count(1)
    await page.get_by_label("Search by name or words").fill("")
    await page.get_by_label("Channel").select_option("weibo")
    await expect(rows).to_have_count(33)


async def test_a_new_conversation_appears_by_itself(shop: Shop, sign_in: SignIn) -> None:
    page = await sign_in("boss")
    await expect(page.get_by_text("Nobody is waiting.")).to_be_visible()
    await shop.hear(CHAT, "late", "有人吗", name="深夜客户")
    await shop.read()
    await expect(page.get_by_role("link", name="深夜客户")).to_be_visible(timeout=4000)


async def test_a_conversation_is_reassigned(shop: Shop, sign_in: SignIn) -> None:
    await shop.staff("lin", presence=Presence.BUSY)
    (conversation, *_rest) = await hundred(shop)
    page = await sign_in("boss")
    await page.get_by_role("link", name="客户0", exact=True).click()
    await page.get_by_label("Reassign to").select_option("lin")
    await page.get_by_role("button", name="Reassign", exact=True).click()
    await expect(page.get_by_role("alert").get_by_text("Reassigned.")).to_be_visible()
    await expect(page.get_by_text("In hand: Lin")).to_be_visible()
    state = (await stored(shop, conversation)).state
    assert isinstance(state, WithAgent)
    assert state.agent == AgentId("lin")


async def test_a_supervisor_takes_over_and_lands_on_the_desk(shop: Shop, sign_in: SignIn) -> None:
    conversation = await shop.hear(CHAT, "c", QUESTION, name="周女士")
    await shop.read()
    page = await sign_in("boss")
    await page.get_by_role("link", name="周女士").click()
    await page.get_by_role("button", name="Take over").click()
    await expect(page.get_by_label("Reply", exact=True)).to_be_visible()
    state = (await stored(shop, conversation)).state
    assert isinstance(state, WithAgent)
    assert state.agent == AgentId("boss")


async def test_raised_priority_moves_a_conversation_up(shop: Shop, sign_in: SignIn) -> None:
    for name in ("first", "second"):
        await shop.hear(CHAT, name, QUESTION, name=name)
    await shop.read()
    page = await sign_in("boss")
    rows = page.get_by_role("region", name="Conversations").get_by_role("listitem")
    await expect(rows.first).to_contain_text("first")
    await page.get_by_role("link", name="second").click()
    await page.get_by_role("button", name="Raise priority").click()
    await expect(rows.first).to_contain_text("second")
    await expect(rows.first).to_contain_text("priority +1")


async def test_why_this_agent_names_the_complaints_the_scores_and_who_was_left_out(
    shop: Shop, sign_in: SignIn
) -> None:
    await shop.staff("lin")
    await shop.staff("away", presence=Presence.AWAY)
    await shop.call(NUMBER, ANGRY, ago=timedelta(hours=1))
    await shop.hear(CHAT, "member", "在吗，想问下发票怎么开", name="周女士", phone=NUMBER)
    await shop.route()
    page = await sign_in("boss")
    await page.get_by_role("navigation", name="Lists").get_by_text("In hand").click()
    await page.get_by_role("link", name="周女士").first.click()
    why = page.locator("details", has_text="Why this agent?")
    await expect(why).to_contain_text("Offered to an agent: Lin")
    await expect(why).to_contain_text("1 open complaint was known")
    await expect(why).to_contain_text("Lin was the only one who could take it.")
    await expect(why).to_contain_text("Lin: score")
    await expect(why).to_contain_text("Away is not available (away)")


async def test_the_wall_is_worked_with_the_keyboard_alone(shop: Shop, sign_in: SignIn) -> None:
    await hundred(shop)
    page = await sign_in("boss")
    rows = page.get_by_role("region", name="Conversations").get_by_role("listitem")
    await expect(rows).to_have_count(100)
    for key in ("j", "j", "j", "Enter"):
        await page.keyboard.press(key)
    await expect(page.get_by_role("region", name="Conversation with 客户0")).to_be_visible()
    await page.wait_for_load_state()
    await page.keyboard.press("+")
    await expect(page.get_by_role("alert").get_by_text("Priority changed.")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("region", name="Open complaints")).to_be_visible()
    await page.wait_for_load_state()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


async def test_a_conversation_is_moved_to_another_queue_and_another_is_closed(
    shop: Shop, sign_in: SignIn
) -> None:
    moved = await shop.hear(CHAT, "a", QUESTION, name="甲")
    closed = await shop.hear(CHAT, "b", "广告 加微信", name="乙")
    await shop.read()
    page = await sign_in("boss")
    await page.get_by_role("link", name="甲").click()
    await page.get_by_label("Move to queue").select_option("aftersales")
    await page.get_by_role("button", name="Move", exact=True).click()
    await expect(page.get_by_role("alert").get_by_text("Moved to the queue.")).to_be_visible()
    await page.get_by_role("link", name="乙").click()
    await page.get_by_text("Close without an answer").click()
    await page.get_by_label("Why does nobody have to answer?").fill("spam")
    await page.get_by_role("button", name="Close it").click()
    await expect(page.get_by_role("link", name="乙")).to_have_count(0)
    held = await stored(shop, moved)
    assert (held.queue, type(held.state)) == ("aftersales", Queued)
    assert (await stored(shop, closed)).disposition_note == "spam"


async def test_a_supervisor_sets_a_colleague_available(shop: Shop, sign_in: SignIn) -> None:
    await shop.staff("lin", presence=Presence.AWAY)
    page = await sign_in("boss")
    await page.get_by_label("Presence of Lin").select_option("available")
    await expect(page.get_by_role("heading", name="Agents (1 of 2 available)")).to_be_visible()
