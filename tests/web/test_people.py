"""People are made, let go and kept from what is above them."""

from datetime import timedelta
from typing import Any

import pytest

from router.domain.errors import Invalid
from router.domain.workforce import Agent, Presence, Role
from router.service import desk, people
from router.service.ports import NotFound
from tests.web.house import House


def _edit(house: House, agent: Agent, by: Agent, **changes: Any) -> dict[str, Any]:
    given = {
        "name": agent.name,
        "role": agent.role,
        "skills": dict(agent.skills),
        "families": agent.families,
        "languages": agent.languages,
        "capacity": agent.capacity,
        "active": True,
    }
    rest = {"agent": agent.id, "by": by.id, "policy": house.deps.policy, "at": house.clock.now()}
    return given | changes | rest


async def test_the_first_administrator_is_made_once(house: House) -> None:
    given: dict[str, Any] = {
        "login": "admin",
        "name": "Admin",
        "password_hash": "x",
        "at": house.clock.now(),
    }
    first = await house.store.transact(people.first_admin, **given)
    assert first is not None
    assert first.role is Role.ADMIN
    assert await house.store.transact(people.first_admin, **given) is None


async def test_who_is_let_go_leaves_nothing_that_nobody_has(house: House) -> None:
    boss, chen = await house.agent("boss", Role.ADMIN), await house.agent("chen")
    held = {}
    async with house.browser() as client:
        for number, name in enumerate(("in_hand", "parked", "wrap_up")):
            held[name] = await house.wechat_says(client, "你好", number, f"o-{name}")
            await house.give(held[name], chen)
    now = house.clock.now()
    later = now + timedelta(hours=1)
    given: dict[str, Any] = {"by": chen.id, "at": now}
    await house.store.transact(desk.park, conversation=held["parked"], until=later, **given)
    await house.store.transact(desk.finish, conversation=held["wrap_up"], **given)
    await house.store.transact(people.edit_agent, **_edit(house, chen, boss, active=False))
    stands = {each.id: type(each.state).__name__ for each in await house.open()}
    assert stands == {held["in_hand"]: "Queued", held["parked"]: "Queued"}


async def test_nobody_lets_themselves_go_or_touches_who_stands_above(house: House) -> None:
    boss, wang = await house.agent("boss", Role.ADMIN), await house.agent("wang", Role.SUPERVISOR)
    for agent, by, changes in (
        (boss, boss, {"active": False}),
        (boss, boss, {"role": Role.AGENT}),
        (boss, wang, {"name": "X"}),
        (wang, wang, {"role": Role.ADMIN}),
    ):
        with pytest.raises(Invalid, match="role"):
            await house.store.transact(people.edit_agent, **_edit(house, agent, by, **changes))
    with pytest.raises(Invalid, match="role"):
        await house.store.transact(
            people.set_password,
            agent=boss.id,
            password_hash="x",
            must_change=True,
            by=wang.id,
            at=house.clock.now(),
        )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"capacity": 0.0}, "capacity"),
        ({"capacity": 9.0}, "capacity"),
        ({"skills": {"juggling": 3}}, "skills"),
        ({"skills": {"complaint": 6}}, "skills"),
        ({"families": frozenset({"pigeon"})}, "families"),
        ({"languages": frozenset({"xx"})}, "languages"),
        ({"name": " "}, "name"),
    ],
)
async def test_a_value_that_makes_no_sense_is_refused_by_its_name(
    house: House, changes: dict[str, Any], field: str
) -> None:
    boss, chen = await house.agent("boss", Role.ADMIN), await house.agent("chen")
    with pytest.raises(Invalid, match=field):
        await house.store.transact(people.edit_agent, **_edit(house, chen, boss, **changes))


async def test_a_token_is_revoked_only_by_its_owner(house: House) -> None:
    chen, li = await house.agent("chen"), await house.agent("li")
    token = await house.store.transact(
        people.create_token, agent=chen.id, name="script", sha256="d", at=house.clock.now()
    )
    with pytest.raises(NotFound):
        await house.store.transact(
            people.revoke_token, agent=li.id, token=token.id, at=house.clock.now()
        )


async def test_lapsed_is_a_word_of_the_router_alone(house: House) -> None:
    chen = await house.agent("chen")
    with pytest.raises(Invalid, match="presence"):
        await house.store.transact(
            desk.set_presence,
            agent=chen.id,
            presence=Presence.LAPSED,
            by=chen.id,
            at=house.clock.now(),
        )
