"""What the shop knows and says, from the first draft to the last customer who reads it."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from router.domain.content import Text
from router.domain.ids import AgentId, ContactId, ScriptId, TrialId
from router.domain.trial import FEWEST, ScriptUse, Trial
from router.service import knowledge, questions
from router.service.files import KINDS
from router.service.reply import reply
from router.service.unit import Unit
from tests.browser.conftest import SignIn
from tests.browser.seed import CHAT, Shop
from tests.support.chromium import Console, OpenPage

QUESTION = "怎么开发票"
WORDINGS = "怎么开发票\nHow do I get an invoice?"


async def write_article(page: Page, words: str, answer: str, *, until: str = "") -> None:
    """Write an article on its page, and stay there."""
    await page.goto("/knowledge/new")
    await page.get_by_label("Questions, one wording a line").fill(words)
    await page.get_by_label("Answer in Chinese").fill(answer)
    await page.get_by_label("Answer in English").fill("Press “Request invoice” on the order.")
    if until:
        await page.get_by_label("Valid until").fill(until)
    await page.get_by_role("button", name="Save").click()
    await page.get_by_role("link", name=words.splitlines()[0]).click()


async def test_an_article_from_its_draft_to_its_end_leads_back_from_the_answer(
    shop: Shop, sign_in: SignIn, open_page: OpenPage
) -> None:
    page = await sign_in("boss")
    until = shop.clock.now() + timedelta(days=2)
    await write_article(page, WORDINGS, "在订单页申请。", until=f"{until:%Y-%m-%dT%H:%M}")
    await page.get_by_role("button", name="Send it into review").click()
    await expect(page.get_by_role("listitem")).to_contain_text("In review")
    await page.get_by_role("link", name=QUESTION).click()
    await page.get_by_role("button", name="Publish it").click()
    await expect(page.get_by_role("listitem")).to_contain_text("until")
    await shop.library.refresh(shop.store)
    (held,) = shop.library.published().values()

    lin = await shop.staff("lin")
    talk = await shop.hear(CHAT, "member", "发票怎么开呀", name="周女士")
    await shop.route()
    await shop.accept_all(lin)
    await shop.store.transact(
        reply,
        conversation=talk,
        by=lin,
        content=Text(text="在订单页申请。"),
        capabilities=shop.accounts[CHAT].channel.capabilities,
        at=shop.clock.now(),
        sources=(held.id,),
    )
    desk = await sign_in("lin")
    await desk.goto(f"/desk/{talk}")
    source = desk.get_by_role("log").get_by_role("link", name="the article it came from")
    assert await source.get_attribute("href") == f"/k/{held.id}"

    customer = await open_page(base_url=shop.url, locale="zh-CN")
    await customer.goto(f"/k/{held.id}")
    await expect(customer.get_by_role("heading", name=QUESTION)).to_be_visible()
    picture = customer.get_by_role("img")
    await expect(picture).to_have_attribute("src", f"/k/{held.id}/qr.svg")
    assert await picture.evaluate("image => image.complete && image.naturalWidth > 0")

    shop.clock.ahead += timedelta(days=3)
    assert shop.library.published() == {}
    await shop.store.transact(knowledge.turn_over, at=shop.clock.now())
    await customer.reload()
    await expect(customer.get_by_text("该内容已过有效期")).to_be_visible()
    await page.goto(f"/knowledge/{held.article}")
    await expect(page.get_by_label("Publications")).to_contain_text("1 answer came from it")


async def test_a_published_text_is_replaced_and_withdrawn_and_says_so(
    shop: Shop, sign_in: SignIn, open_page: OpenPage
) -> None:
    page = await sign_in("boss")
    await write_article(page, WORDINGS, "在订单页申请。")
    await page.get_by_role("button", name="Publish it").click()
    await page.get_by_role("link", name=QUESTION).click()
    await page.get_by_label("Answer in Chinese").fill("在“我的订单”里申请。")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("The published text is an older one")).to_be_visible()
    await page.get_by_role("link", name=QUESTION).click()
    first = await page.get_by_role("link", name="No. 1").get_attribute("href")
    await page.get_by_role("button", name="Publish it").click()
    customer = await open_page(base_url=shop.url)
    await customer.goto(first or "")
    await expect(customer.get_by_text("This text was replaced by a newer one.")).to_be_visible()
    await customer.get_by_role("link", name="Read the text that holds now").click()
    await expect(customer.get_by_text("在“我的订单”里申请。")).to_be_visible()
    await page.get_by_role("link", name=QUESTION).click()
    await page.get_by_role("button", name="Withdraw it").click()
    await customer.reload()
    await expect(customer.get_by_text("This text was withdrawn.")).to_be_visible()


async def test_what_is_no_longer_sold_is_recommended_nowhere(shop: Shop, sign_in: SignIn) -> None:
    page = await sign_in("boss", locale="zh-CN")
    await page.goto("/products")
    await expect(page.get_by_text("还没有商品")).to_be_visible()
    await page.get_by_role("link", name="添加商品").click()
    await page.get_by_label("标识").fill("moon-lamp")
    await page.get_by_label("中文名称").fill("月光台灯")
    await page.get_by_label("客户的叫法，每行一个").fill("月光台灯\n月光灯")
    await page.get_by_role("button", name="保存").click()
    await page.goto("/knowledge/new")
    await page.get_by_label("问题：每行一种问法").fill("台灯推荐哪款")
    await page.get_by_label("中文答案").fill("推荐月光台灯，柔和不刺眼。")
    await page.get_by_label("月光台灯").check()
    await page.get_by_label("该回答推荐这些商品").check()
    await page.get_by_role("button", name="保存").click()
    await page.get_by_role("link", name="台灯推荐哪款").click()
    await page.get_by_role("button", name="发布").click()
    await shop.library.refresh(shop.store)
    asked = {"language": "zh", "channel": "webchat"}
    assert shop.library.best("台灯推荐哪款", **asked)  # type: ignore[arg-type]

    await page.goto("/products/moon-lamp")
    await page.get_by_label("状态").select_option("discontinued")
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("listitem").filter(has_text="月光台灯")).to_contain_text("已停售")
    await shop.library.refresh(shop.store)
    assert shop.library.best("台灯推荐哪款", **asked) == ()  # type: ignore[arg-type]


async def test_what_probably_answers_is_offered_on_the_desk_and_leads_back_to_its_text(
    shop: Shop, sign_in: SignIn
) -> None:
    await publish(shop, (("a", "签收后七天内可以退货。"),))
    await shop.library.refresh(shop.store)
    lin = await shop.staff("lin")
    talk = await shop.hear(CHAT, "member", "怎么退货？", name="周女士")
    other = await shop.hear(CHAT, "other", "你们老板姓什么", name="李先生")
    await shop.route()
    await shop.accept_all(lin)
    page = await sign_in("lin", locale="zh-CN")
    await page.goto(f"/desk/{talk}")
    await page.get_by_label("建议回复").get_by_role("button", name="怎么退货").click()
    reply_box = page.locator("#reply")
    await expect(reply_box).to_have_value("签收后七天内可以退货。")
    await page.get_by_role("button", name="发送").click()
    source = page.get_by_role("log").get_by_role("link", name="出自知识条目")
    await expect(source).to_be_visible()

    await page.goto(f"/desk/{other}")
    await page.locator("#aid summary").click()
    await page.locator("#aid-words").fill("退货")
    await page.locator("#aid-found").get_by_role("button").first.click()
    await expect(reply_box).to_have_value("签收后七天内可以退货。")
    await expect(page.get_by_label("建议回复")).to_have_count(0)


async def use(shop: Shop, trial: Trial, number: int, variant: str, *, replies: bool) -> None:
    """Let a customer get a variant, and reply to it or not."""
    talk = await shop.hear(CHAT, f"{variant}-{number}", "什么时候发货", ago=timedelta(days=3))

    def note(unit: Unit) -> None:
        held = unit.conversations.get(talk)
        said = unit.conversations.said_in(talk, limit=1)[0]
        unit.scripts.use(
            ScriptUse(
                interaction=said.id,
                script=trial.script,
                trial=trial.id,
                variant=variant,
                conversation=talk,
                contact=ContactId(held.contact),
                author="lin",
                at=said.received_at,
            )
        )

    await shop.store.transact(note)
    if replies:
        await shop.hear(CHAT, f"{variant}-{number}", "好的谢谢", ago=timedelta(days=3, hours=-1))


async def test_a_trial_is_begun_told_apart_from_chance_and_its_winner_promoted(
    shop: Shop, sign_in: SignIn
) -> None:
    page = await sign_in("boss")
    await page.goto("/scripts")
    await page.get_by_role("link", name="Write a script").click()
    await page.get_by_label("Title").fill("Shipping")
    await page.get_by_label("Shortcut in the desk").fill("ship")
    await page.locator("#w-any-zh").fill("今天发货。")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_role("button", name="Approve it").click()
    await page.get_by_text("Try another wording").click()
    await page.get_by_label("Customers for each variant").fill(str(FEWEST))
    await page.locator("#try-zh").fill("今天就发，放心～")
    await page.get_by_role("button", name="Begin the trial").click()
    await expect(page.get_by_text("Do not decide yet.")).to_be_visible()

    trial = TrialId(page.url.rpartition("/")[2])
    held = await shop.store.read(lambda unit: unit.scripts.trial(trial))
    for number in range(FEWEST):
        await use(shop, held, number, "A", replies=number % 5 == 0)
        await use(shop, held, number, "B", replies=number % 5 != 0)
    await page.reload()
    await expect(page.get_by_role("row").filter(has_text="a true difference")).to_contain_text("B")
    await expect(page.get_by_text("Do not decide yet.")).to_have_count(0)
    await page.get_by_role("button", name="End it: B goes on").click()
    await expect(page.get_by_text("ended, B goes on")).to_be_visible()
    script = await shop.store.read(lambda unit: unit.scripts.get(ScriptId(held.script)))
    assert script.approved == {"any": {"zh": "今天就发，放心～"}}


async def test_open_questions_become_an_article_and_contradictions_are_shown(
    shop: Shop, sign_in: SignIn
) -> None:
    page = await sign_in("boss", locale="zh-CN")
    await page.goto("/knowledge/questions")
    await expect(page.get_by_text("所有问题都已有答案")).to_be_visible()
    for person, words in (("one", "支持以旧换新吗"), ("two", "你们支持以旧换新吗")):
        await keep(shop, person, words)
    await page.reload()
    row = page.get_by_role("listitem").filter(has_text="以旧换新")
    await expect(row).to_contain_text("2 次")
    await row.get_by_role("button", name="据此新建条目").click()
    await expect(page.get_by_label("问题：每行一种问法")).to_have_value(
        "你们支持以旧换新吗\n支持以旧换新吗"
    )

    await page.goto("/knowledge/contradictions")
    await expect(page.get_by_text("没有互相矛盾之处")).to_be_visible()
    await publish(shop, (("a", "签收后七天内可以退货。"), ("b", "签收后三十天内可以退货。")))
    await page.reload()
    await expect(page.get_by_role("listitem")).to_contain_text("7 天 ≠ 30 天")


async def keep(shop: Shop, person: str, words: str) -> None:
    """Let somebody ask what no article answers."""
    talk = await shop.hear(CHAT, person, words)

    def note(unit: Unit) -> None:
        said = unit.conversations.said_in(talk, limit=1)[0]
        questions.keep(unit, said, language="zh", at=shop.clock.now())

    await shop.store.transact(note)


async def publish(shop: Shop, answers: Iterable[tuple[str, str]]) -> None:
    """Publish answers to one question."""
    row = '{{"id":"{}","questions":["怎么退货"],"answer_zh":"{}"}}\n'
    text = "".join(row.format(name, answer) for name, answer in answers)
    await take(shop, "articles", text)


async def take(shop: Shop, kind: str, text: str) -> None:
    """Take JSON lines in."""
    held = KINDS[kind]
    await shop.store.transact(
        held.take_in,
        rows=held.read(text, "jsonl"),
        by=AgentId("boss"),
        four_eyes=False,
        at=shop.clock.now(),
    )


@pytest.mark.parametrize(
    ("lang", "of", "import_", "says"),
    [
        ("en-GB", "Products", "Import", "1 of 1 products were new or different."),
        ("zh-CN", "商品", "导入", "共 1 件商品，其中 1 件为新增或有变化。"),
    ],
)
async def test_a_file_is_taken_in_whole_or_its_lines_are_named(  # noqa: PLR0917  a row of the table
    sign_in: SignIn, console: Console, lang: str, of: str, import_: str, says: str
) -> None:
    console.expect("400")
    page = await sign_in("boss", locale=lang)
    await page.goto("/knowledge/files")
    for text, answer in (
        ("id,title_zh,colour\na,,red\n", "line 2: title_zh"),
        ("id,title_zh\na,沙发\n", says),
    ):
        await page.locator("#of").select_option(label=of)
        await page.locator("#file").set_input_files(
            {"name": "products.csv", "mimeType": "text/csv", "buffer": text.encode()}
        )
        await page.get_by_role("button", name=import_, exact=True).click()
        await expect(page.get_by_role("main")).to_contain_text(answer)
    async with page.expect_download() as started:
        await page.get_by_role("link", name="products.csv").click()
    written = await (await started.value).path()
    assert "沙发" in written.read_text("utf-8")
