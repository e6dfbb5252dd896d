"""What keeps the house running: people, knowledge, trouble, tokens."""

from playwright.async_api import expect

from router.domain.content import Text
from router.domain.ids import AccountName, AgentId, OutboxId
from router.service import delivery
from router.service.records import RawDelivery
from router.service.reply import reply
from router.service.unit import Unit
from tests.browser.conftest import SignIn
from tests.browser.seed import CHAT, WECHAT, Shop
from tests.support.chromium import Console


async def test_skills_are_set_and_seen_in_the_matrix(shop: Shop, sign_in: SignIn) -> None:
    await shop.staff("lin", skills={})
    page = await sign_in("boss")
    await page.goto("/people")
    await page.get_by_role("link", name="Lin").click()
    await page.get_by_role("radiogroup", name="Returns").get_by_text("5").click()
    await page.get_by_label("Capacity in percent").fill("150")
    await page.get_by_role("button", name="Save").click()
    line = page.get_by_role("row").filter(has=page.get_by_role("link", name="Lin"))
    await expect(line).to_contain_text("150%")
    await expect(line).to_contain_text("5")


async def test_who_leaves_gives_back_what_was_in_hand(shop: Shop, sign_in: SignIn) -> None:
    await shop.staff("lin")
    await shop.hear(CHAT, "member", "在吗", name="周女士")
    await shop.route()
    await shop.accept_all(AgentId("lin"))
    page = await sign_in("boss")
    await page.goto("/people/lin")
    await page.get_by_label("Works here").uncheck()
    await page.get_by_role("button", name="Save").click()
    line = page.get_by_role("row").filter(has=page.get_by_role("link", name="Lin"))
    await expect(line).to_contain_text("has left")
    await page.goto("/queues")
    await expect(page.get_by_role("link", name="周女士")).to_be_visible()


async def test_an_article_is_written_published_and_withdrawn(shop: Shop, sign_in: SignIn) -> None:
    page = await sign_in("boss")
    await page.goto("/knowledge")
    await expect(page.get_by_text("No article yet.")).to_be_visible()
    await page.get_by_role("link", name="Write an article").click()
    await page.get_by_label("Questions, one wording a line").fill("怎么开发票？\nInvoice?")
    await page.get_by_label("Answer in Chinese").fill("在订单页申请。")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_role("link", name="怎么开发票？").click()
    await page.get_by_role("button", name="Publish it").click()
    await expect(page.get_by_role("listitem")).to_contain_text("Published")
    await page.get_by_role("link", name="怎么开发票？").click()
    await page.get_by_role("button", name="Withdraw it").click()
    await expect(page.get_by_role("listitem")).to_contain_text("Withdrawn")
    assert shop.library.published() == {}


async def test_an_agent_reads_articles_and_cannot_change_them(
    shop: Shop, sign_in: SignIn, console: Console
) -> None:
    console.expect("403")
    await shop.staff("lin")
    page = await sign_in("lin")
    await page.goto("/knowledge")
    await expect(page.get_by_role("link", name="Write an article")).to_have_count(0)
    answer = await page.goto("/people")
    assert answer is not None
    assert answer.status == 403


async def test_a_reply_that_did_not_go_out_is_tried_again_or_dropped(
    shop: Shop, sign_in: SignIn
) -> None:
    await shop.staff("lin")
    conversation = await shop.hear(WECHAT, "member", "在吗", name="周女士")
    await shop.route()
    await shop.accept_all(AgentId("lin"))
    able = shop.accounts[WECHAT].channel.capabilities

    def fail(unit: Unit) -> OutboxId:
        said = reply(
            unit,
            conversation=conversation,
            by=AgentId("lin"),
            content=Text(text="您好"),
            capabilities=able,
            at=shop.clock.now(),
        )
        now = shop.clock.now()
        delivery.claim(unit, by="d", now=now, until=now, rooms={WECHAT: 1})
        delivery.dead(unit, said.outbox, by="d", why="no answer", reason="unknown", at=now)
        return said.outbox

    await shop.store.transact(fail)
    page = await sign_in("boss")
    await page.get_by_role("link", name="1 reply did not go out").click()
    await expect(page.get_by_text("您好")).to_be_visible()
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_text("Everything went out.")).to_be_visible()


async def test_a_delivery_that_nobody_could_read_is_shown_as_it_came(
    shop: Shop, sign_in: SignIn
) -> None:
    def keep(unit: Unit) -> None:
        unit.journal.keep_delivery(
            RawDelivery(
                id="d1",
                account=AccountName("spruce-wechat"),
                at=shop.clock.now(),
                state="unreadable",
                method="POST",
                url="https://shop.example/hooks/spruce-wechat",
                headers={"content-type": "text/xml"},
                body="<xml>床</xm".encode(),
                why="the document ends too early",
            )
        )
        unit.journal.count(WECHAT, "template_job", by=3)

    await shop.store.transact(keep)
    page = await sign_in("boss")
    await page.goto("/trouble")
    await expect(page.get_by_role("row", name="template_job")).to_contain_text("3")
    await expect(page.get_by_role("row", name="spruce-chat")).not_to_contain_text("not-a-secret")
    await page.get_by_role("link", name="spruce-wechat").click()
    await expect(page.get_by_text("<xml>床</xm")).to_be_visible()
    await expect(page.get_by_text("the document ends too early")).to_be_visible()


async def test_a_token_is_shown_once_works_and_is_revoked(shop: Shop, sign_in: SignIn) -> None:
    page = await sign_in("boss")
    await page.goto("/me")
    await page.get_by_label("What is it for?").fill("warehouse")
    await page.get_by_role("button", name="Make a token").click()
    token = await page.get_by_label("New token").inner_text()
    answer = await page.request.get(
        f"{shop.url}/api/v1/me", headers={"Authorization": f"Bearer {token}", "Cookie": ""}
    )
    assert answer.status == 200
    await page.goto("/me")
    await expect(page.get_by_text(token)).to_have_count(0)
    page.on("dialog", lambda dialog: dialog.accept())
    await page.get_by_role("button", name="Revoke").click()
    await expect(page.get_by_text("warehouse")).to_have_count(0)
