"""Accounts whose platform never calls: their bells are rung by our own clock."""

from collections.abc import Mapping

import structlog

from router.channel.accounts import Account
from router.channel.contract import Malformed, Moment, Request, Unverified
from router.domain.ids import AccountName
from router.service.accept import Busy, Intake
from router.service.arrivals import Delivery, source_of
from router.service.loops import Loop
from router.service.ports import Clock, Ids

log = structlog.get_logger()

#: How often such an account is asked what is new, in seconds.
EVERY_S = 30.0
_ENTROPY = 16


def polling_loop(
    accounts: Mapping[AccountName, Account], *, intake: Intake, clock: Clock, ids: Ids
) -> Loop:
    """Ring for every account that has to be pulled, again and again."""
    pulled = [each for each in accounts.values() if each.channel.transport == "pull"]

    async def work() -> bool:
        for account in pulled:
            await ring(account, intake=intake, clock=clock, ids=ids)
        return False

    return Loop("polling", work, EVERY_S)


async def ring(account: Account, *, intake: Intake, clock: Clock, ids: Ids) -> None:
    """Have an adapter say what is to be pulled, as if its platform had rung."""
    now = clock.now()
    request = Request(
        method="POST",
        url=f"https://localhost/hooks/{account.name}",
        headers={},
        body=b"",
        moment=Moment(now=now, entropy=ids.entropy(_ENTROPY)),
    )
    try:
        decoded = account.adapter.decode(account.adapter.verify(request))
    except (Unverified, Malformed) as error:
        log.warning("account_not_rung", account=account.name, why=type(error).__name__)
        return
    delivery = Delivery(source=source_of(account), events=decoded.events, received_at=now)
    try:
        await intake.accept(delivery)
    except Busy:
        log.warning("account_rung_later", account=account.name)
