"""An account whose platform never calls is asked by our own clock."""

import asyncio

import pytest

from router.channel.accounts import open_account
from router.channel.registry import channels
from router.domain.ids import AccountName, QueueName
from router.service.accept import Intake
from router.service.poll import ring
from tests.service.conftest import Numbers, Shop

SETTINGS = {
    "jd": {"app_key": "key", "app_secret": "secret", "access_token": "token"},
    "taobao": {"app_key": "key", "app_secret": "secret", "session": "session"},
}


@pytest.mark.parametrize("name", ["jd", "taobao"])
async def test_a_bell_is_rung_for_it(shop: Shop, name: str) -> None:
    channel = channels()[name]
    account = open_account(
        channel,
        name=AccountName(name),
        queue=QueueName("general"),
        settings=SETTINGS[name],
        path_secret="a-path-secret-of-mine",
    )
    intake = Intake(shop.store, shop.policy)
    running = asyncio.create_task(intake.run())
    await ring(account, intake=intake, clock=shop.clock, ids=Numbers())
    intake.stop()
    await running

    waiting = await shop.store.read(lambda unit: unit.journal.ringing())
    assert {each[0] for each in waiting} == {name}
