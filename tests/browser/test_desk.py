"""The agent's desk: what is seen before accepting, and what is done in a conversation."""

import base64
from datetime import timedelta

import pytest
from playwright.async_api import FilePayload, Page, expect

from router.channel.contract import Audience, Identified, Received
from router.domain.content import Media, Text
from router.domain.conversation import Closed, Parked, Queued, WithAgent
from router.domain.ids import AgentId, ConversationId
from router.domain.workforce import Presence
from router.service.unit import Unit
from tests.browser.conftest import SignIn
from tests.browser.seed import (
    ANGRIER,
    ANGRY,
    CHAT,
    NUMBER,
    PAGE,
    PHONE,
    WECHAT,
    WEIBO,
    Shop,
    phone_claim,
)
from tests.browser.test_queues import stored

QUESTION = "在吗，想问下发票怎么开"


async def in_hand(shop: Shop, sign_in: SignIn, *, account: str = CHAT) -> tuple[Page, str]:
    """Let Lin accept a conversation; return her page and the conversation."""
    await shop.staff("lin")
    conversation = await shop.hear(account, "member", QUESTION, name="周女士")  # type: ignore[arg-type]
    await shop.route()
    await shop.accept_all(AgentId("lin"))
    page = await sign_in("lin")
    await page.goto(f"/desk/{conversation}")
    return page, conversation


async def said_in(shop: Shop, conversation: str) -> list[str]:
    def ask(unit: Unit) -> list[str]:
        said = unit.conversations.said_in(ConversationId(conversation))
        return [f"{each.direction}: {getattr(each.content, 'text', '')}" for each in said]

    return await shop.store.read(ask)


async def test_an_offer_shows_the_complaints_of_every_channel_before_it_is_accepted(
    shop: Shop, sign_in: SignIn
) -> None:
    await shop.staff("lin")
    page = await sign_in("lin")
    await shop.call(NUMBER, ANGRY, ago=timedelta(hours=3))
    await shop.hear(WEIBO, "weibo-7", ANGRIER, phone=NUMBER, ago=timedelta(hours=1))
    await shop.read()
    await shop.hear(CHAT, "member", QUESTION, name="周女士", phone=NUMBER)
    await shop.route()
    offers = page.get_by_role("article")
    offer = offers.filter(has_text=QUESTION)
    await expect(offer).to_be_visible(timeout=4000)
    await expect(offer).to_contain_text(ANGRY)
    await expect(offer).to_contain_text("Phone")
    await expect(offer).to_contain_text(ANGRIER)
    await expect(offer).to_contain_text("Serious complaint")
    await offer.get_by_role("button", name="Accept").click()
    await expect(page.get_by_role("region", name="Open complaints")).to_contain_text("Serious")
    about = page.get_by_role("complementary", name="Customer")
    await expect(about).to_contain_text(ANGRY)


async def test_an_offer_is_accepted_and_answered_with_the_keyboard_alone(
    shop: Shop, sign_in: SignIn
) -> None:
    await shop.staff("lin")
    conversation = await shop.hear(CHAT, "member", QUESTION, name="周女士")
    await shop.route()
    page = await sign_in("lin")
    await expect(page.get_by_role("article")).to_be_visible()
    await page.keyboard.press("a")
    await page.wait_for_url(f"**/desk/{conversation}")
    await page.keyboard.press("r")
    await page.keyboard.type("您好，在订单页可以申请发票。")
    await page.keyboard.press("Control+Enter")
    log = page.get_by_role("log", name="Messages")
    await expect(log).to_contain_text("您好，在订单页可以申请发票。")
    await expect(log).to_contain_text("Sending")
    await expect(page.get_by_label("Reply", exact=True)).to_have_value("")
    said = await said_in(shop, conversation)
    assert said[-1] == "out: 您好，在订单页可以申请发票。"


async def test_a_declined_offer_goes_to_somebody_else(shop: Shop, sign_in: SignIn) -> None:
    await shop.staff("lin")
    conversation = await shop.hear(CHAT, "member", QUESTION, name="周女士")
    await shop.route()
    page = await sign_in("lin")
    await page.get_by_role("button", name="Decline").click()
    await expect(page.get_by_role("article")).to_have_count(0)
    held = await stored(shop, conversation)
    assert (type(held.state), held.excluded) == (Queued, frozenset({"lin"}))


async def test_a_draft_survives_a_reload_and_is_gone_once_sent(shop: Shop, sign_in: SignIn) -> None:
    page, _conversation = await in_hand(shop, sign_in)
    box = page.get_by_label("Reply", exact=True)
    await box.fill("正在为您查询")
    await page.reload()
    await expect(box).to_have_value("正在为您查询")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("log")).to_contain_text("正在为您查询")
    await expect(box).to_have_value("")
    await page.reload()
    await expect(box).to_have_value("")


async def test_what_the_customer_writes_appears_and_the_draft_stays(
    shop: Shop, sign_in: SignIn
) -> None:
    page, _conversation = await in_hand(shop, sign_in)
    box = page.get_by_label("Reply", exact=True)
    await box.fill("稍等")
    await shop.hear(CHAT, "member", "还在吗？")
    await shop.read()
    await expect(page.get_by_role("log")).to_contain_text("还在吗？", timeout=4000)
    await expect(box).to_have_value("稍等")
    await expect(box).to_be_focused()


async def test_a_note_is_for_colleagues_only(shop: Shop, sign_in: SignIn) -> None:
    page, conversation = await in_hand(shop, sign_in)
    await page.keyboard.press("n")
    await page.get_by_label("Only colleagues see it").fill("客户要电子发票")
    await page.get_by_role("button", name="Add the note").click()
    await expect(page.get_by_role("log")).to_contain_text("客户要电子发票")
    assert (await said_in(shop, conversation))[-1] == "internal: 客户要电子发票"


async def test_a_transfer_goes_with_a_note_to_a_colleague(shop: Shop, sign_in: SignIn) -> None:
    page, conversation = await in_hand(shop, sign_in)
    await shop.staff("chen", "Chen", presence=Presence.BUSY)
    await page.reload()
    await page.keyboard.press("t")
    await page.get_by_label("To", exact=True).select_option("agent:chen")
    await page.get_by_label("Note for the colleague").fill("发票专员请接")
    await page.get_by_role("button", name="Transfer", exact=True).click()
    await expect(page.get_by_text("Nothing in hand.")).to_be_visible()
    state = (await stored(shop, ConversationId(conversation))).state
    assert isinstance(state, WithAgent)
    assert state.agent == AgentId("chen")
    assert "internal: 发票专员请接" in await said_in(shop, conversation)


async def test_a_parked_conversation_is_taken_up_again(shop: Shop, sign_in: SignIn) -> None:
    page, conversation = await in_hand(shop, sign_in)
    await page.keyboard.press("p")
    await page.get_by_label("Put aside for").select_option("60")
    await page.get_by_role("button", name="Park", exact=True).click()
    await expect(page.get_by_text("No conversation is open.")).to_be_visible()
    assert isinstance((await stored(shop, ConversationId(conversation))).state, Parked)
    await page.get_by_role("link", name="周女士").click()
    await page.get_by_role("button", name="Go on with the conversation").click()
    await expect(page.get_by_label("Reply", exact=True)).to_be_visible()


async def test_wrap_up_closes_the_conversation_and_not_the_complaint(
    shop: Shop, sign_in: SignIn
) -> None:
    await shop.staff("lin")
    conversation = await shop.hear(CHAT, "member", ANGRY, name="周女士")
    await shop.route()
    await shop.accept_all(AgentId("lin"))
    page = await sign_in("lin")
    await page.goto(f"/desk/{conversation}")
    await page.keyboard.press("w")
    await page.get_by_label("Outcome").select_option("complaint_taken")
    await page.get_by_label("Remark (optional)").fill("已登记")
    await page.get_by_role("button", name="Close the conversation").click()
    await expect(page.get_by_text("Nothing in hand.")).to_be_visible()
    await expect(page.get_by_role("heading", name="My complaints (1)")).to_be_visible()
    held = await stored(shop, conversation)
    assert (type(held.state), held.disposition, held.disposition_note) == (
        Closed,
        "complaint_taken",
        "已登记",
    )


async def test_a_complaint_found_during_the_chat_is_announced_within_two_seconds(
    shop: Shop, sign_in: SignIn
) -> None:
    page, _conversation = await in_hand(shop, sign_in)
    await shop.call(NUMBER, ANGRY, ago=timedelta(hours=1))
    known = Identified(
        external_id="who",
        sender="member",
        at=shop.clock.now(),
        claims=(phone_claim(NUMBER),),
    )
    await shop.deliver(CHAT, known)
    alert = page.get_by_text("This customer has an open complaint from another channel")
    await expect(alert).to_be_visible(timeout=2000)
    strip = page.get_by_role("region", name="Open complaints")
    await expect(strip).to_be_visible(timeout=2000)
    await page.get_by_role("button", name="Seen").click()
    await expect(alert).to_have_count(0)


@pytest.mark.parametrize(
    ("lang", "sentence"),
    [
        ("en-GB", "The platform's number of replies is used up until the customer writes again."),
        ("zh-CN", "平台允许的回复条数已用完"),
    ],
)
async def test_a_used_up_reply_window_is_said_in_the_readers_language(
    shop: Shop, sign_in: SignIn, lang: str, sentence: str
) -> None:
    await shop.staff("lin")
    conversation = await shop.hear(WECHAT, "member", QUESTION, name="周女士")
    await shop.route()
    await shop.accept_all(AgentId("lin"))
    page = await sign_in("lin", locale=lang)
    await page.goto(f"/desk/{conversation}")
    log, box = page.get_by_role("log"), page.locator("#reply")
    for number in range(5):
        await box.fill(f"第{number}句")
        await page.keyboard.press("Control+Enter")
        await expect(log).to_contain_text(f"第{number}句")
    await page.reload()
    await expect(box).to_have_count(0)
    await expect(page.get_by_role("main")).to_contain_text(sentence)


async def test_a_call_that_cannot_be_answered_says_so(shop: Shop, sign_in: SignIn) -> None:
    conversation = await shop.call(NUMBER, ANGRY, ago=timedelta(minutes=5))
    page = await sign_in("boss")
    await page.goto(f"/desk/{conversation}")
    await expect(page.get_by_label("Reply", exact=True)).to_have_count(0)
    await expect(page.get_by_role("log")).to_contain_text("The call is over")
    assert shop.accounts[PHONE].channel.capabilities.replies is False


async def test_the_desk_works_without_javascript(shop: Shop, sign_in: SignIn) -> None:
    await shop.staff("lin")
    conversation = await shop.hear(CHAT, "member", QUESTION, name="周女士")
    await shop.route()
    page = await sign_in("lin", java_script_enabled=False)
    await page.get_by_role("button", name="Accept").click()
    await page.get_by_label("Reply", exact=True).fill("您好")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("log")).to_contain_text("您好")
    assert (await said_in(shop, conversation))[-1] == "out: 您好"


async def test_a_picture_is_sent_with_words_under_it(shop: Shop, sign_in: SignIn) -> None:
    page, conversation = await in_hand(shop, sign_in)
    dot = base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
    chosen = FilePayload(name="invoice.png", mimeType="image/png", buffer=dot)
    await page.get_by_label("File").set_input_files(chosen)
    await page.get_by_label("Reply", exact=True).fill("发票样例")
    await page.get_by_role("button", name="Send").click()
    log = page.get_by_role("log")
    await expect(log.get_by_role("img", name="发票样例")).to_be_visible()

    def last(unit: Unit) -> object:
        return unit.conversations.said_in(ConversationId(conversation))[-1].content

    content = await shop.store.read(last)
    assert isinstance(content, Media)
    assert (content.kind, content.caption) == ("image", "发票样例")


async def test_each_side_sees_that_the_other_is_writing(shop: Shop, sign_in: SignIn) -> None:
    page, conversation = await in_hand(shop, sign_in)
    async with page.expect_response("**/typing") as told:
        await page.get_by_label("Reply", exact=True).press_sequentially("您")
    assert (await told.value).status == 204
    shop.hub.typing(ConversationId(conversation))
    await expect(page.get_by_text("The customer is writing …")).to_be_visible(timeout=2000)


async def test_a_comment_is_answered_in_public_or_as_the_agent_chooses_in_private(
    shop: Shop, sign_in: SignIn
) -> None:
    await shop.staff("lin")
    comment = Received(
        external_id="c-1",
        sender="u-7",
        sender_name="沙发受害者",
        at=shop.clock.now(),
        content=Text(text=ANGRY),
        audience=Audience.PUBLIC,
        thread="post-1",
        reply_handle="comment:c-1",
        opens_window="comment",
    )
    (conversation,) = await shop.deliver(PAGE, comment)
    await shop.route()
    await shop.accept_all(AgentId("lin"))
    page = await sign_in("lin")
    await page.goto(f"/desk/{conversation}")
    readers = page.get_by_role("group", name="Who may read the answer")
    await expect(readers.get_by_label("In public")).to_be_checked()

    await page.get_by_label("Reply", exact=True).fill("已私信您")
    await page.get_by_role("button", name="Send").first.click()
    said = page.locator("#said li.msg.out")
    await expect(said).to_contain_text("Public comment")

    await readers.get_by_label("In private").check()
    await page.get_by_label("Reply", exact=True).fill("请告诉我们订单号")
    await page.get_by_role("button", name="Send").first.click()
    await expect(said.last).to_contain_text("In private")
    await page.reload()
    await expect(readers.get_by_label("In public")).to_be_checked()
    await expect(readers.get_by_label("In private")).to_have_count(0)

    def stand(unit: Unit) -> list[bool]:
        every = unit.conversations.said_in(conversation)
        return [each.public for each in every if each.author == "lin"]

    assert await shop.store.read(stand) == [True, False]


async def test_the_coach_speaks_while_a_reply_is_written_and_after_it_went(
    shop: Shop, sign_in: SignIn
) -> None:
    page, conversation = await in_hand(shop, sign_in)
    box = page.get_by_label("Reply", exact=True)
    await box.fill("我们会尽快处理。")
    hint = page.get_by_role("status").filter(has_text="Before you send")
    await expect(hint).to_contain_text("promises to come back, but not when", ignore_case=True)
    await hint.get_by_role("button", name="Take it").click()
    await expect(box).to_have_value("我们会尽快处理。\n我会在今天__点前给您答复。")
    await expect(hint).to_have_count(0)
    await box.fill("我们会尽快处理。")
    await box.press("Control+Enter")
    after = page.get_by_role("status").filter(has_text="Sent. For the next reply")
    await expect(after).to_contain_text("尽快")
    assert (await said_in(shop, conversation))[-1] == "out: 我们会尽快处理。"


async def test_an_agent_says_that_a_message_is_a_complaint(shop: Shop, sign_in: SignIn) -> None:
    words = "桌腿细得可以当牙签"
    page, _conversation = await in_hand(shop, sign_in)
    await shop.hear(CHAT, "member", words, name="周女士")
    await shop.read()
    await page.reload()
    last = page.locator("ol.msgs > li").filter(has_text=words)
    await last.locator("summary").click()
    await last.locator("select[name=severity]").select_option("2")
    await last.get_by_role("button", name="Correct", exact=True).click()
    await expect(page.get_by_role("region", name="Open complaints")).to_contain_text(words)
    await expect(last.locator("summary")).to_contain_text("Corrected by")
