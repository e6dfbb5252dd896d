"""An agent asks to stop taking work; a supervisor says yes or no, once."""

from dataclasses import replace

import pytest

from router.domain.errors import IllegalStep, Invalid
from router.domain.ids import AgentId
from router.domain.workforce import Agent, Presence, Role
from router.service import desk, leave
from router.service.ports import NotFound
from router.service.records import Alert
from router.service.unit import Unit
from tests.service.conftest import Shop

BOSS, LIN = AgentId("boss"), AgentId("lin")


@pytest.fixture(autouse=True)
async def _staff(shop: Shop) -> None:
    wished = replace(shop.policy.routing, approve_presence=frozenset({Presence.BUSY}))
    shop.policy = replace(shop.policy, routing=wished)
    await shop.staff("boss", role=Role.SUPERVISOR)
    await shop.staff("lin")


async def wish(
    shop: Shop, presence: Presence = Presence.BUSY, why: str = "", agent: AgentId = LIN
) -> Presence:
    changed: Agent = await shop.store.transact(
        leave.wish_presence,
        agent=agent,
        presence=presence,
        why=why,
        policy=shop.policy,
        at=shop.clock.now(),
    )
    return changed.presence


async def alerts(shop: Shop, agent: AgentId, *, supervisor: bool) -> tuple[Alert, ...]:
    def ask(unit: Unit) -> tuple[Alert, ...]:
        return unit.journal.alerts(agent, supervisor=supervisor)

    return await shop.store.read(ask)


async def asked(shop: Shop) -> str:
    """Let Lin ask, and return the one question that the supervisor sees."""
    assert await wish(shop, why="打印机坏了") is Presence.AVAILABLE
    (alert,) = await alerts(shop, BOSS, supervisor=True)
    assert alert.kind == "presence_asked"
    assert (alert.facts["name"], alert.facts["why"]) == ("Lin", "打印机坏了")
    return alert.id


async def presence(shop: Shop) -> Presence:
    return await shop.store.read(lambda unit: unit.workforce.get(LIN).presence)


async def test_who_asks_takes_work_until_a_supervisor_says_yes(shop: Shop) -> None:
    question = await asked(shop)
    given = {"asked": question, "by": BOSS, "at": shop.clock.now()}
    await shop.store.transact(leave.approve, **given)
    assert await presence(shop) is Presence.BUSY
    assert await alerts(shop, BOSS, supervisor=True) == ()
    with pytest.raises(NotFound):
        await shop.store.transact(leave.approve, **given)


async def test_who_is_refused_is_told_and_goes_on(shop: Shop) -> None:
    question = await asked(shop)
    given = {"asked": question, "by": BOSS, "at": shop.clock.now()}
    await shop.store.transact(leave.decline, **given)
    assert await presence(shop) is Presence.AVAILABLE
    (told,) = await alerts(shop, LIN, supervisor=False)
    assert told.kind == "presence_declined"
    with pytest.raises(NotFound):
        await shop.store.transact(leave.decline, **given)


async def test_a_reason_must_be_given(shop: Shop) -> None:
    with pytest.raises(Invalid, match="say why"):
        await wish(shop)
    with pytest.raises(Invalid, match="at most"):
        await wish(shop, why="x" * 201)


async def test_the_last_word_of_an_agent_counts(shop: Shop) -> None:
    question = await asked(shop)
    await wish(shop, why="要开会")
    (alert,) = await alerts(shop, BOSS, supervisor=True)
    assert alert.id != question
    assert await wish(shop, Presence.AWAY) is Presence.AWAY
    assert await alerts(shop, BOSS, supervisor=True) == ()


async def test_what_needs_no_leave_is_set_at_once(shop: Shop) -> None:
    assert await wish(shop, agent=BOSS) is Presence.BUSY
    assert await wish(shop, Presence.AWAY) is Presence.AWAY
    assert await wish(shop) is Presence.BUSY  # from away: no work is refused by it


async def test_nothing_is_granted_to_who_has_gone_meanwhile(shop: Shop) -> None:
    question = await asked(shop)
    await shop.store.transact(
        desk.set_presence, agent=LIN, presence=Presence.OFFLINE, by=BOSS, at=shop.clock.now()
    )
    with pytest.raises(IllegalStep):
        await shop.store.transact(leave.approve, asked=question, by=BOSS, at=shop.clock.now())
    assert await presence(shop) is Presence.OFFLINE
