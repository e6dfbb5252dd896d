"""A customer of many years: ten thousand interactions over twelve channels, opened at once."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import pytest
from playwright.async_api import expect

from router.channel.registry import channels
from router.domain.content import Text
from router.domain.conversation import Closed
from router.domain.ids import AccountName, ChannelName, ContactId, ConversationId
from router.domain.timeline import Direction
from router.domain.workforce import Presence, Role
from router.service.unit import Unit
from tests.browser.conftest import SignIn
from tests.browser.seed import Shop, opened
from tests.builders import (
    a_contact,
    a_conversation,
    a_known_identity,
    an_identity,
    an_interaction,
)

CONTACT = ContactId("person-00")
LONG = 10_000
CHANNELS = 12
BEGAN = datetime(2021, 3, 1, tzinfo=UTC)
#: What the page is promised to take, on whatever machine runs this, with others at work beside it.
PROMISED_S = 0.300


@pytest.fixture
async def shop(database_url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    """Run a shop on each kind of database, with a supervisor and nobody else."""
    async with opened(database_url, tmp_path) as running:
        await running.staff("boss", "Boss", role=Role.ADMIN, presence=Presence.OFFLINE, skills={})
        yield running


def live(unit: Unit, *, interactions: int) -> None:
    """Write down one person's years: merged from a contact on each channel, talk after talk."""
    names = sorted(channels())[:CHANNELS]
    for place, channel in enumerate(names):
        contact = ContactId(f"person-{place:02}")
        account = AccountName(f"the-{channel}")
        identity = an_identity(f"u-{place}", channel=ChannelName(channel), account=account)
        unit.contacts.add(a_contact(contact, root=CONTACT, name="" if place else "周女士"))
        unit.contacts.attach(
            a_known_identity(identity.external_id, identity=identity, contact=contact)
        )
    for number in range(interactions):
        place, talk = number % CHANNELS, number // (CHANNELS * 20)
        at = BEGAN + timedelta(hours=4 * number)
        conversation = ConversationId(f"talk-{place:02}-{talk:03}")
        facts = {
            "contact": ContactId(f"person-{place:02}"),
            "channel": ChannelName(names[place]),
            "account": AccountName(f"the-{names[place]}"),
        }
        if number % (CHANNELS * 20) < CHANNELS:
            unit.conversations.add(
                a_conversation(
                    conversation,
                    state=Closed(at=at),
                    closed_at=at,
                    waiting_since=None,
                    opened_at=at,
                    external_id=f"u-{place}",
                    **facts,
                )
            )
        unit.conversations.append(
            an_interaction(
                f"i-{number:05}",
                conversation=conversation,
                seq=number,
                at=at,
                received_at=at,
                unread=False,
                direction=Direction.OUT if number % 3 else Direction.IN,
                content=Text(text=f"第{number}句，谈的是订单、物流和一盏坏掉的灯"),
                **facts,
            )
        )


async def best_of(times: int, work: Callable[[], Awaitable[object]]) -> float:
    """Return the shortest of several tries: what others do on the machine is not ours."""
    took = []
    for _ in range(times):
        began = perf_counter()
        await work()
        took.append(perf_counter() - began)
    return min(took)


@pytest.fixture
def fetch(shop: Shop, sign_in: SignIn) -> Callable[[int], Awaitable[tuple[float, float, float]]]:
    """Return how long the page, its second page and a search take with a history of that length."""

    async def measure(interactions: int) -> tuple[float, float, float]:
        await shop.store.transact(live, interactions=interactions)
        page = await sign_in("boss")
        base = f"/contacts/{CONTACT}"
        before = (BEGAN + timedelta(hours=4 * (interactions // 2))).isoformat()
        older = f"{base}/timeline?before={before.replace('+', '%2B')}~i-99999"
        found = f"{base}/timeline?words=%E7%AC%AC{interactions // 4}%E5%8F%A5"

        def get(address: str) -> Callable[[], Awaitable[object]]:
            async def ask() -> None:
                answer = await page.request.get(address, headers={"HX-Request": "true"})
                assert answer.status == 200

            return ask

        opened, paged, searched = [await best_of(7, get(each)) for each in (base, older, found)]
        return opened, paged, searched

    return measure


async def test_ten_thousand_interactions_open_page_and_are_searched_in_no_time(
    fetch: Callable[[int], Awaitable[tuple[float, float, float]]],
) -> None:
    opened, paged, searched = await fetch(LONG)
    took = {"opened": opened, "paged": paged, "searched": searched}
    print(took)  # noqa: T201  shown by pytest -s
    assert max(took.values()) < PROMISED_S, took


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_timeline_of_twelve_channels_is_walked_and_searched_on_the_page(
    shop: Shop, sign_in: SignIn
) -> None:
    await shop.store.transact(live, interactions=LONG)
    page = await sign_in("boss")
    await page.goto(f"/contacts/{CONTACT}")
    timeline = page.locator("#timeline")
    await expect(timeline.get_by_role("listitem")).to_have_count(50)
    await expect(timeline.get_by_role("listitem").first).to_contain_text(f"第{LONG - 1}句")
    await timeline.get_by_role("link", name="Older").click()
    await expect(timeline).to_contain_text(f"第{LONG - 51}句")
    await page.get_by_label("Search in the timeline").fill("第7句")
    await page.get_by_role("button", name="Search").click()
    await expect(timeline.get_by_role("listitem")).to_have_count(1)
    await expect(page.get_by_role("region", name="Known as").get_by_role("listitem")).to_have_count(
        CHANNELS
    )
