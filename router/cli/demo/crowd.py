"""A crowd: thousands of visits as fast as the daemon takes them, and colleagues who keep up.

Everybody comes in through the same doors as in the quiet demonstration. The same persons come
again on other channels, some share a number, some write a number that is theirs elsewhere; the
supervisor makes persons one and two again. What it leaves behind is what ``mainstem audit`` reads.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any
from urllib.parse import quote

from router.cli.demo.colleagues import Api
from router.cli.demo.customers import PLAYS
from router.cli.demo.scripts import Customer, Heard, Said, language_of
from router.cli.demo.stage import Stage, survive
from router.service.unit import Unit
from router.store.engine import open_store

#: How much faster than life the customers speak.
PACE = 150.0
#: How many visit at once, and with how many waiting nobody new comes in.
AT_ONCE, MOST_WAITING = 80, 120
#: The share of an agent's attention that stands for many conversations at once.
CAPACITY = 4.0
#: The daemon's routing.toml: what rests is over in seconds, and nobody is set away.
ROUTING = """
wrap_up_lasts = "20s"
idle_after = "8s"
lapses_until_away = 20
"""
#: Seconds between two looks of a colleague at the desk, and of the supervisor at the board.
LOOK = 0.4
#: How many visits a person makes on average.
_VISITS_EACH = 4
_COUNT_EVERY = 50
#: Persons so many apart share one number: a family, a switchboard.
_SHARED = 40
_CHANNELS: Mapping[Heard, int] = {
    "wechat": 38,
    "webchat": 30,
    "weibo": 16,
    "phone": 14,
    "twilio": 2,
}
_NUMBER_IN_WORDS = 0.08
_SOLVED = ("已解决", "还没解决")
_ANSWERS_FOLLOW_UP = 0.05
_RESOLUTIONS = ("refunded", "replaced", "explained", "apologised")


@dataclass(slots=True, kw_only=True)
class Crowd:
    """Who comes, in an order that ``seed`` decides, until ``wanted`` conversations were had.

    ``visits`` counts who has left again, ``had`` the conversations in the database.
    """

    wanted: int
    database_url: str
    seed: int = 1
    visits: int = 0
    had: int = 0
    seconds: float = 0.0
    chance: Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)  # noqa: S311  an invented crowd, no secret

    def visitor(self, stage: Stage, number: int) -> Customer:
        """Return who comes as the ``number``-th: a person of the crowd, on a channel, with words.

        A person is known by a number on the phone, as a member at the web chat, and by an id of
        the platform elsewhere.
        """
        chance = self.chance
        person = chance.randrange(max(1, self.wanted // _VISITS_EACH))
        channel = chance.choices(list(_CHANNELS), weights=list(_CHANNELS.values()))[0]
        line = chance.choice(stage.scripts.line)
        phone = f"+8613{900_100_000 + person - (person % _SHARED == 1)}"
        text = line.text
        if chance.random() < _NUMBER_IN_WORDS:
            text = f"{text} 我的电话是 {phone.removeprefix('+86')}"
        if chance.random() < _ANSWERS_FOLLOW_UP:
            text = chance.choice(_SOLVED)
        hello = (Said(text="您好，云杉家居，请讲。", by="agent"),)
        return Customer(
            key=f"crowd-{person}",
            name=f"顾客{person}",
            channel=channel,
            at=0.0,
            says=(
                *(hello if channel in ("phone", "twilio") else ()),
                *(Said(text=words) for words in (text, line.then) if words),
            ),
            number=phone,
            member=f"crowd-{person}" if channel == "webchat" and number % 3 else "",
            severity=line.severity,
        )


async def come(stage: Stage, crowd: Crowd) -> None:
    """Let everybody come, no more at once than the shop can bear; return when enough was said."""
    doors, began = asyncio.Semaphore(AT_ONCE), time.monotonic()
    store = open_store(crowd.database_url, clock=stage.clock, ids=stage.ids)

    async def visit(customer: Customer) -> None:
        try:
            await survive(customer.key, partial(PLAYS[customer.channel], stage, customer))
        finally:
            crowd.visits += 1
            doors.release()

    try:
        async with asyncio.TaskGroup() as tasks:
            for number in itertools.count():
                if number % _COUNT_EVERY == 0:
                    crowd.had = await store.read(_conversations)
                    crowd.seconds = time.monotonic() - began
                    if crowd.had >= crowd.wanted:
                        return
                while stage.mood.waiting > MOST_WAITING:  # noqa: ASYNC110  the daemon's work
                    await asyncio.sleep(LOOK)
                await doors.acquire()
                customer = crowd.visitor(stage, number)
                tasks.create_task(visit(customer), name=f"visit {number}")
    finally:
        await store.close()


def _conversations(unit: Unit) -> int:
    return unit.conversations.count()


class Hand:
    """An agent who takes everything at once, and now and then declines or passes on."""

    def __init__(self, stage: Stage, token: str, *, seed: int) -> None:
        self._stage, self._api = stage, Api(stage, token)
        self._chance = Random(seed)  # noqa: S311  an invented agent, no secret

    async def work(self) -> None:
        """Work until cancelled."""
        while True:
            await survive("hand", self._once)
            await asyncio.sleep(LOOK)

    async def _once(self) -> None:
        desk = await self._api.call("GET", "/desk")
        if desk is None:
            return
        if desk["me"]["presence"] != "available":
            await self._api.call("PUT", "/me/presence", {"presence": "available"})
        await _each(self._offered, desk["offers"])
        await _each(self._care_for, desk["mine"])
        await _each(self._handle, desk["cases"])
        for alert in desk["alerts"]:
            await self._api.call("POST", f"/alerts/{alert['id']}/seen")

    async def _offered(self, offer: Mapping[str, Any]) -> None:
        name = offer["reservation"]
        if self._chance.random() < 0.03:  # noqa: PLR2004  now and then
            await self._api.call("POST", f"/offers/{name}/decline", {"why": "讲英语"})
        else:
            await self._api.call("POST", f"/offers/{name}/accept")

    async def _care_for(self, card: Mapping[str, Any]) -> None:
        held = card["conversation"]
        path, state = f"/conversations/{held['id']}", held["state"]["kind"]
        if state == "WrapUp":
            done = {"disposition": "answered", "text": ""}
            await self._api.call("POST", f"{path}/wrap-up", done)
        elif state == "WithAgent" and held["waiting_since"] is None:
            await self._api.call("POST", f"{path}/finish")
        elif state == "WithAgent" and self._chance.random() < 0.04:  # noqa: PLR2004  now and then
            body = {"queue": self._chance.choice(("general", "complaints")), "why": "转给同事"}
            await self._api.call("POST", f"{path}/transfer", body)
        elif state == "WithAgent":
            words = card["last"]
            text = self._stage.scripts.answer_to(words, language=language_of(words))
            key = f"{held['id']}-{held['waiting_since']}"
            await self._api.call("POST", f"{path}/replies", {"text": text}, key=key)

    async def _handle(self, card: Mapping[str, Any]) -> None:
        case = card["case"]
        path = f"/cases/{case['id']}"
        if case["acknowledged_at"] is None:
            await self._api.call("POST", f"{path}/acknowledge")
        elif self._chance.random() < 0.2:  # noqa: PLR2004  it takes a while
            body = {"resolution": self._chance.choice(_RESOLUTIONS), "note": ""}
            await self._api.call("POST", f"{path}/resolve", body)


async def _each(
    act: Callable[[Mapping[str, Any]], Coroutine[Any, Any, None]],
    things: Sequence[Mapping[str, Any]],
) -> None:
    """Do ``act`` to everything at once, as a desk with many hands would."""
    async with asyncio.TaskGroup() as tasks:
        for each in things:
            tasks.create_task(act(each))


class Overseer:
    """Who watches the board, shares out cases, and joins and parts persons."""

    def __init__(self, stage: Stage, token: str) -> None:
        self._stage, self._api = stage, Api(stage, token)
        self._chance = Random(0)  # noqa: S311  an invented supervisor, no secret

    async def work(self) -> None:
        """Watch until cancelled."""
        while True:
            await survive("overseer", self._look)
            await asyncio.sleep(2 * LOOK)

    async def _look(self) -> None:
        board = await self._api.call("GET", "/board")
        if board is None:
            return
        self._stage.mood.waiting = board["waiting_total"]
        agents = [card["agent"]["id"] for card in board["agents"]]
        queued = [each["case"] for each in board["cases"] if each["case"]["queue"]]
        for case in queued[:20]:
            body = {"agent": self._chance.choice(agents)}
            await self._api.call("POST", f"/cases/{case['id']}/own", body)
        cards = [*board["waiting"], *board["in_hand"], *board["with_bot"]]
        for card in self._chance.sample(cards, min(3, len(cards))):
            await self._judge(card)

    async def _judge(self, card: Mapping[str, Any]) -> None:
        """Decide on what is proposed of a person; part one who was joined; join a namesake."""
        contact = card["contact"]
        proposed = await self._api.call("GET", f"/contacts/{contact}/proposals")
        for each in proposed or ():
            verdict = "accept" if self._chance.random() < 0.7 else "reject"  # noqa: PLR2004
            await self._api.call("POST", f"/proposals/{each['id']}/{verdict}")
        person = await self._api.call("GET", f"/contacts/{contact}")
        standing = [each for each in (person or {}).get("merges", ()) if not each["undone_at"]]
        if standing and self._chance.random() < 0.3:  # noqa: PLR2004  now and then
            await self._api.call("POST", f"/merges/{standing[-1]['id']}/split")
        elif card["contact_name"]:
            found = await self._api.call("GET", f"/contacts?words={quote(card['contact_name'])}")
            same = [one for one in found or () if one["name"] == card["contact_name"]]
            if len(same) > 1:
                body = {"contact": same[1]["id"], "why": "同一个名字，同一张订单"}
                await self._api.call("POST", f"/contacts/{same[0]['id']}/merge", body)


async def work(stage: Stage, tokens: Mapping[str, str], *, supervisor: str) -> None:
    """Let everybody of ``tokens`` (login → token) work until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        for seed, (login, token) in enumerate(tokens.items()):
            part = (
                Overseer(stage, token).work
                if login == supervisor
                else Hand(stage, token, seed=seed).work
            )
            tasks.create_task(part(), name=f"hand {login}")


async def progress(stage: Stage, crowd: Crowd, say: Callable[[str], None]) -> None:
    """Say every ten seconds how far it is, until cancelled."""
    began = time.monotonic()
    while True:
        await asyncio.sleep(10)
        passed = time.monotonic() - began
        said = f"{crowd.had} of {crowd.wanted} conversations, {crowd.had / passed:.1f} a second"
        say(f"{said}; {crowd.visits} visits, {stage.mood.waiting} waiting")
