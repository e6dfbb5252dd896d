"""The platforms' tokens: one renewal for many askers, in one process and in several."""

import asyncio
from datetime import timedelta

from router.channel.contract import Deferred, Reason, Refused, Token
from router.transport.tokens import Tokens
from tests.transport.platform import TOKEN, Held, Platform, cuts, says
from tests.transport.rig import NEWS, SHOP, Rig


def tokens(rig: Rig, name: str) -> Tokens:
    return Tokens(store=rig.store, http=rig.http, clock=rig.clock, name=name, settings=rig.settings)


async def test_many_askers_cause_one_renewal(rig: Rig, platform: Platform) -> None:
    account = rig.accounts[SHOP]
    found = await asyncio.gather(*(rig.tokens.token(account) for _ in range(20)))
    assert {each.value for each in found if isinstance(each, Token)} == {"token-1"}
    assert len(platform.asked(TOKEN)) == 1


async def test_two_daemons_share_one_token(rig_on_both: Rig, platform: Platform) -> None:
    rig = rig_on_both
    slow = Held(then=says({"access_token": "shared", "expires_in": 7200}))
    platform.will(TOKEN, slow)
    account = rig.accounts[SHOP]
    one, two = tokens(rig, "daemon-1"), tokens(rig, "daemon-2")
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(one.token(account), name="one")
        await slow.asked.wait()
        second = tasks.create_task(two.token(account), name="two")
        slow.go.set()
    assert first.result() == second.result()
    assert len(platform.asked(TOKEN)) == 1


async def test_a_token_is_renewed_before_it_ends_and_survives_a_restart(
    rig: Rig,
) -> None:
    account = rig.accounts[SHOP]
    first = await rig.tokens.token(account)
    assert await tokens(rig, "after a restart").token(account) == first
    rig.clock.advance(timedelta(hours=1))
    assert await rig.tokens.token(account) == first
    rig.clock.advance(timedelta(minutes=58, seconds=31))
    later = await rig.tokens.token(account)
    assert isinstance(later, Token)
    assert later.value == "token-2"


async def test_a_token_is_forgotten_once_and_a_newer_one_is_not(rig: Rig) -> None:
    account, other = rig.accounts[SHOP], tokens(rig, "daemon-2")
    old = await rig.tokens.token(account)
    assert isinstance(old, Token)
    assert await other.token(account) == old
    await rig.tokens.forget(account, old)
    new = await rig.tokens.token(account)
    await other.forget(account, old)
    assert await other.token(account) == new
    assert await rig.tokens.token(account) == new


async def test_while_the_platform_gives_no_token_the_asker_is_told_why(
    rig: Rig, platform: Platform
) -> None:
    platform.will(
        TOKEN, cuts, says({}, status=500), says({"errcode": 40125, "errmsg": "invalid appsecret"})
    )
    account, found = rig.accounts[SHOP], []
    for _ in range(4):
        found.append(await rig.tokens.token(account))
        assert await rig.tokens.token(account) == found[-1]  # and nobody asks again at once
        rig.clock.advance(rig.settings.first_wait)
    assert len(platform.asked(TOKEN)) == len(found)
    assert isinstance(found[0], Deferred)
    assert isinstance(found[1], Deferred)
    assert isinstance(found[2], Refused)
    assert found[2].reason is Reason.CREDENTIALS
    assert isinstance(found[3], Token)


async def test_a_daemon_that_died_while_renewing_holds_nobody_up_for_ever(rig: Rig) -> None:
    account = rig.accounts[SHOP]
    now = rig.clock.now()
    await rig.store.transact(
        lambda unit: unit.journal.lease(
            f"token:{SHOP}", holder="dead", now=now, until=now + timedelta(seconds=30)
        )
    )

    async def wait(_: float) -> None:
        rig.clock.advance(timedelta(seconds=10))

    patient = Tokens(
        store=rig.store,
        http=rig.http,
        clock=rig.clock,
        name="alive",
        settings=rig.settings,
        wait=wait,
    )
    assert isinstance(await patient.token(account), Token)


async def test_a_platform_without_expiring_tokens_is_asked_for_none(
    rig: Rig, platform: Platform
) -> None:
    assert await rig.tokens.token(rig.accounts[NEWS]) is None
    assert platform.seen == []
