"""Who comes in: the scripted customers at their times, and then somebody new every few seconds."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from types import MappingProxyType

from router.cli.demo import calls, chats, messages
from router.cli.demo.scripts import Customer, Line, Said
from router.cli.demo.stage import Stage, survive

#: Seconds between newcomers once the scripted customers have come, at pace 1.
GAP = 7.0
#: With more waiting than this nobody new comes.
MOST_WAITING = 16

_NAMES = ("阿竹", "小禾", "阿莲", "小桃", "阿栗", "小梨", "Ash", "Rowan", "Hazel", "Ivo")
#: How a customer of each channel is played.
PLAYS: Mapping[str, Callable[[Stage, Customer], Awaitable[None]]] = MappingProxyType(
    {
        "wechat": messages.on_wechat,
        "weibo": messages.on_weibo,
        "webchat": chats.on_webchat,
        "phone": calls.on_phone,
        "twilio": calls.on_twilio,
    }
)


async def come(stage: Stage) -> None:
    """Play every customer until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        for customer in stage.scripts.customer:
            play = partial(_play, stage, customer)
            tasks.create_task(survive(customer.key, play), name=f"customer {customer.key}")
        last = max(customer.at for customer in stage.scripts.customer)
        await stage.wait(last + GAP)
        lines = itertools.cycle(stage.scripts.line)
        for number in itertools.count():
            if stage.mood.waiting <= MOST_WAITING:
                customer = newcomer(next(lines), number)
                play = partial(_play, stage, customer)
                tasks.create_task(survive(customer.key, play), name=f"customer {customer.key}")
            await stage.wait(GAP)


async def _play(stage: Stage, customer: Customer) -> None:
    await stage.wait(customer.at)
    await PLAYS[customer.channel](stage, customer)


def newcomer(line: Line, number: int) -> Customer:
    """Return somebody new who says ``line``; the channels take turns."""
    channel = line.channels[number // 2 % len(line.channels)]
    return Customer(
        key=f"new-{number}",
        name=_NAMES[number % len(_NAMES)],
        channel=channel,
        at=0.0,
        says=tuple(Said(text=text) for text in (line.text, line.then) if text),
        severity=line.severity,
    )
