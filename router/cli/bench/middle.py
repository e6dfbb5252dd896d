"""A complaint in the middle of a burst: how long until an agent is offered it."""

import time
from datetime import datetime
from typing import Any, Final

import click

from router.cli.bench.client import Done, Job
from router.cli.bench.ground import LOOPBACK, Ground, write
from router.cli.bench.wechat import COMPLAINT, message
from router.cli.ledger.tables import ask

_ORDINARY: Final = "请问这个什么时候发货"
_WHO: Final = "openid-who-complains"
_POLL_S: Final = 0.1
_PATIENCE_S: Final = 60.0
#: Who was offered what, and when the customer's words came. The numbers are ours.
_OFFERED: Final = """
    SELECT said.received_at, held.offered_at
    FROM interactions AS said JOIN reservations AS held USING (conversation_id)
    WHERE said.account = 'wechat' AND said.external_id = '{number}'
    ORDER BY held.offered_at LIMIT 1
"""


def in_the_middle(
    ground: Ground, *, count: int, connections: int, customers: int
) -> tuple[Done, float]:
    """Write so many messages of which the middle one complains; return what came of them.

    Also after how many seconds the complaint was offered, by the daemon's own clock: from the
    moment its delivery came to the moment that is written on the offer.
    """
    host, middle = f"{LOOPBACK}:{ground.port}", count // 2 + 1
    requests = [
        message(_WHO, COMPLAINT, number=number, host=host)
        if number == middle
        else message(f"openid-{number % customers}", _ORDINARY, number=number, host=host)
        for number in range(1, count + 1)
    ]
    job = Job(
        host=LOOPBACK,
        port=ground.port,
        connections=connections,
        requests=[each.decode() for each in requests],
    )
    done = write(job)
    return done, _offered_after(ground, middle)


def _offered_after(ground: Ground, number: int) -> float:
    give_up = time.monotonic() + _PATIENCE_S
    while not (found := ask(ground.database_url, _OFFERED.format(number=number))):
        if time.monotonic() > give_up:
            raise click.ClickException(f"the complaint was not offered within {_PATIENCE_S:.0f} s")
        time.sleep(_POLL_S)
    came, offered = map(_moment, found[0])
    return (offered - came).total_seconds()


def _moment(stored: Any) -> datetime:
    """Return a time as the table has it: SQLite keeps it as text."""
    return stored if isinstance(stored, datetime) else datetime.fromisoformat(stored)
