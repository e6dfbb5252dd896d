"""The story that Mainstem exists for, walked in a browser against the whole daemon.

A customer complains on the phone, complains again on Weibo, then writes in the web chat of the
shop's own page; whoever answers knows both complaints before accepting.
"""

import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import jwt
import pytest
from aiohttp import web
from playwright.async_api import Page, expect

from tests.support.chromium import OpenPage
from tests.support.house import House, house
from tests.support.platforms import WEIBO, Weibo
from tests.support.processes import LOOPBACK, free_port

PHONE = "+8613800138000"
CALLED = "订单20261111001234送来的沙发是坏的，打了三次电话都没人管，我要投诉"
POSTED = "订单20261111001234，手机13800138000，一个星期没人联系，再不处理我就打12315"
ASKED = "在吗，想改一下收货地址"
ANSWER = "周女士您好，两次投诉我都看到了，今天就安排换货。"
FIRST, SECOND = "first-password-1", "second-password-2"
CHAT = """
channel = "webchat"
account = "web-chat"
queue = "general"
[settings]
site = "web-chat"
issuer = "shop"
secret = {{ generate = "web-chat-identity" }}
origins = ["{origin}"]
"""


@dataclass(frozen=True, slots=True)
class Shop:
    """The shop's own page, on an origin of its own, with the widget on it."""

    origin: str
    tokens: dict[str, str]

    async def visit(self, open_page: OpenPage, member: str = "") -> Page:
        """Open the page as a signed-in member, or as nobody in particular."""
        page = await open_page(locale="zh-CN")
        await page.goto(f"{self.origin}/?member={member}")
        await page.get_by_role("button", name="打开聊天").click()
        return page


@asynccontextmanager
async def a_shop(daemon: Callable[[], str], port: int) -> AsyncIterator[Shop]:
    tokens: dict[str, str] = {}

    async def front(request: web.Request) -> web.Response:
        token = tokens.get(request.query.get("member", ""), "")
        widget = f"{daemon()}/static/chat/widget.js"
        body = (
            '<!doctype html><html lang="zh-CN"><link rel="icon" href="data:,"><title>shop</title>'
            f'<h1>云杉家居</h1><script type="module" src="{widget}" data-site="web-chat" '
            f'data-token="{token}" data-lang="zh"></script></html>'
        )
        return web.Response(text=body, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", front)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port).start()
    try:
        yield Shop(origin=f"http://{LOOPBACK}:{port}", tokens=tokens)
    finally:
        await runner.cleanup()


@pytest.fixture
async def street(tmp_path: Path) -> AsyncIterator[tuple[House, Shop]]:
    """Run the daemon and the shop's page beside it."""
    port = free_port()
    channels = {
        "web-chat": CHAT.format(origin=f"http://{LOOPBACK}:{port}"),
        "weibo": WEIBO.format(api=f"http://{LOOPBACK}:9"),
    }
    with house(tmp_path, channels=channels) as running:
        running.people(
            {"login": "lin", "name": "林", "password": FIRST, "skills": {"complaint": 4}},
            {"login": "boss", "name": "Boss", "password": FIRST, "role": "supervisor"},
        )
        async with a_shop(lambda: running.url, port) as shop:
            shop.tokens["zhou"] = signed(running.secret("web-chat-identity"))
            yield running, shop


def signed(secret: str) -> str:
    """Return who 周女士 is, as the shop's server signs it."""
    now = int(time.time())
    claims = {
        "iss": "shop",
        "aud": "pam-webchat",
        "sub": "crm-10086",
        "name": "周女士",
        "phone": PHONE,
        "iat": now,
        "exp": now + 3600,
    }
    return jwt.encode(claims, secret, algorithm="HS256")


async def sign_in(running: House, open_page: OpenPage, login: str) -> Page:
    """Sign in for the first time, which asks for a password of one's own."""
    page = await open_page(base_url=running.url)
    await page.goto("/signin")
    await page.get_by_label("Login").fill(login)
    await page.get_by_label("Password").fill(FIRST)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_label("Password until now").fill(FIRST)
    await page.get_by_label("New password", exact=True).fill(SECOND)
    await page.get_by_label("New password once more").fill(SECOND)
    await page.get_by_role("button", name="Change the password").click()
    await page.wait_for_url(re.compile(r"/(desk|queues)"))
    return page


async def complain(running: House) -> None:
    """Upload the transcript of a call with a complaint, then complain on Weibo."""
    call = {
        "schema": "pam.transcript/1",
        "call_id": "call-1",
        "started_at": "2026-11-11T01:00:00Z",
        "direction": "inbound",
        "caller": PHONE,
        "participants": [
            {"id": "a", "role": "agent", "name": "王"},
            {"id": "c", "role": "customer", "phone": PHONE},
        ],
        "turns": [
            {"id": "1", "participant": "a", "begin_ms": 0, "end_ms": 900, "text": "您好，请讲。"},
            {"id": "2", "participant": "c", "begin_ms": 1000, "end_ms": 9000, "text": CALLED},
        ],
        "complete": True,
    }
    headers = {"authorization": f"Bearer {running.secret('phone-api-key')}"}
    async with aiohttp.ClientSession() as http:
        upload = f"{running.url}/v1/transcripts"
        async with http.post(upload, json=call, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
        assert await Weibo(running.url).write(http, 2489518277, POSTED) == 200


async def available(page: Page) -> None:
    """Take work from now on."""
    await page.goto("/desk")
    await page.get_by_label(re.compile("Presence")).first.select_option("available")


async def write(customer: Page, words: str) -> None:
    """Write in the widget, as the customer."""
    await customer.get_by_label("您的消息").fill(words)
    await customer.get_by_role("button", name="发送", exact=True).click()


async def test_whoever_gets_the_chat_sees_the_complaints_of_phone_and_weibo(
    street: tuple[House, Shop], open_page: OpenPage
) -> None:
    running, shop = street
    await complain(running)
    lin = await sign_in(running, open_page, "lin")
    await available(lin)
    customer = await shop.visit(open_page, "zhou")
    await write(customer, ASKED)

    offer = lin.get_by_role("article").filter(has_text=ASKED)
    await expect(offer).to_be_visible()
    await expect(offer).to_contain_text(CALLED)
    await expect(offer).to_contain_text(POSTED)
    boss = await sign_in(running, open_page, "boss")
    await sees_why(boss)
    await offer.get_by_role("button", name="Accept").click()
    await expect(lin.get_by_role("region", name="Open complaints")).to_be_visible()

    await lin.get_by_label("Reply", exact=True).fill(ANSWER)
    await lin.keyboard.press("Control+Enter")
    await expect(customer.get_by_role("log")).to_contain_text(ANSWER)

    await lin.get_by_role("log", name="Messages").click()
    await lin.keyboard.press("w")
    await lin.get_by_label("Outcome").select_option("complaint_taken")
    await lin.get_by_role("button", name="Close the conversation").click()
    await expect(lin.get_by_text("Nothing in hand.")).to_be_visible()
    await expect(lin.get_by_role("heading", name=re.compile("My complaints"))).to_be_visible()
    assert running.command("audit", "--json") == ""


async def sees_why(boss: Page) -> None:
    """The supervisor reads why this agent, and which complaints were known."""
    await boss.goto("/queues")
    await boss.get_by_role("navigation", name="Lists").get_by_text("In hand").click()
    await boss.get_by_role("link", name="周女士").first.click()
    why = boss.locator("details", has_text="Why this agent?")
    await expect(why).to_contain_text("Offered to an agent: 林")
    await expect(why).to_contain_text("open complaint")


async def test_an_agent_is_told_within_two_seconds_when_the_chat_turns_out_to_be_hers(
    street: tuple[House, Shop], open_page: OpenPage
) -> None:
    running, shop = street
    lin = await sign_in(running, open_page, "lin")
    await available(lin)
    customer = await shop.visit(open_page)
    await write(customer, ASKED)
    await lin.get_by_role("article").get_by_role("button", name="Accept").click()
    await complain(running)
    await expect(lin.get_by_role("log", name="Messages")).to_contain_text(ASKED)

    token = shop.tokens["zhou"]
    await customer.evaluate(
        "token => document.dispatchEvent("
        "new CustomEvent('mainstem:identify', { detail: { token } }))",
        token,
    )
    # a toast and the list of alerts may both say it by then
    alert = lin.get_by_text("This customer has an open complaint from another channel").first
    await expect(alert).to_be_visible(timeout=2000)
    strip = lin.get_by_role("region", name="Open complaints")
    await expect(strip).to_contain_text("Serious")
