"""The plan of a queue in the daemon: stored with the conversation, followed, explained, kept."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from router.domain.conversation import Offered, Queued
from router.domain.ids import QueueName
from router.domain.plan import Step
from router.domain.policy import ShopPolicy
from router.service.dispatch import Dispatcher
from router.service.unit import Unit
from tests.service.conftest import CHAT, FAMILY, Shop, open_shop

SECOND = timedelta(seconds=1)
GENERAL = QueueName("general")
SENIORS = Step(groups=frozenset({"senior"}), lasts=30 * SECOND)


def with_plan(policy: ShopPolicy, *steps: Step) -> ShopPolicy:
    line = replace(policy.queues[GENERAL], plan=steps)
    return replace(policy, queues={**policy.queues, GENERAL: line})


@pytest.fixture
async def shop(database_url: str) -> AsyncIterator[Shop]:
    """Return a shop whose line asks the seniors first, for half a minute."""
    opened = await open_shop(database_url)
    opened.policy = with_plan(opened.policy, SENIORS, Step())
    opened.dispatcher = dispatcher(opened)
    yield opened
    await opened.store.close()


def dispatcher(shop: Shop) -> Dispatcher:
    return Dispatcher(
        shop.store, policy=shop.policy, families=FAMILY, clock=shop.clock, name="test"
    )


async def test_the_first_step_holds_then_anybody_gets_it_and_the_reason_is_kept(
    shop: Shop,
) -> None:
    await shop.staff("lin")
    chat = await shop.hear(CHAT, "wang", "包裹到哪里了？")
    await shop.settle()
    held = await shop.conversation(chat)
    assert isinstance(held.state, Queued)
    assert held.plan is not None
    assert (held.plan.number, held.plan.steps) == (0, (SENIORS, Step()))
    shop.clock.pass_by(30 * SECOND)
    await shop.settle()
    held = await shop.conversation(chat)
    assert isinstance(held.state, Offered)
    assert held.plan is not None
    assert held.plan.number == 1

    def decisions(unit: Unit) -> list[str]:
        return [each.kind for each in reversed(unit.journal.decisions(chat))]

    assert await shop.store.read(decisions) == ["plan", "offer"]


async def test_a_senior_gets_it_at_once(shop: Shop) -> None:
    await shop.staff("lin")
    await shop.staff("zhu", groups=frozenset({"senior"}))
    chat = await shop.hear(CHAT, "wang", "包裹到哪里了？")
    await shop.settle()
    held = await shop.conversation(chat)
    assert isinstance(held.state, Offered)
    assert held.state.agent == "zhu"


async def test_a_change_of_the_configuration_leaves_who_waits_on_the_plan_they_came_under(
    shop: Shop,
) -> None:
    await shop.staff("lin")
    chat = await shop.hear(CHAT, "wang", "包裹到哪里了？")
    await shop.settle()
    shop.policy = with_plan(shop.policy, Step(groups=frozenset({"night"}), lasts=SECOND), Step())
    shop.dispatcher = dispatcher(shop)
    shop.clock.pass_by(10 * SECOND)
    await shop.settle()
    held = await shop.conversation(chat)
    assert isinstance(held.state, Queued)
    assert held.plan is not None
    assert held.plan.steps[0] == SENIORS


async def test_another_queue_has_a_plan_of_its_own(shop: Shop) -> None:
    await shop.staff("lin")
    chat = await shop.hear(CHAT, "wang", "我要退货，怎么操作？")
    await shop.settle()
    held = await shop.conversation(chat)
    assert held.queue == "aftersales"
    assert isinstance(held.state, Offered)
