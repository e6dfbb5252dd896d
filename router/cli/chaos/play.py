"""The chaos itself: load, kills, outages, and at the end the reckoning."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import click
import msgspec

from router.cli.admin import audit_all, told
from router.cli.bench.staff import staffed
from router.cli.bench.wechat import ACCOUNT
from router.cli.chaos.agents import Worker
from router.cli.chaos.customers import GATEWAY_ACCOUNT, Crowd, Customer
from router.cli.chaos.platforms import GATEWAY, WECHAT, Platforms
from router.cli.chaos.stage import Daemon, Stage, stage
from router.cli.ledger.book import Book, Closed
from router.cli.ledger.check import check
from router.cli.ledger.tables import ask, unread
from router.settings.load import load
from router.store.migrate import upgrade

_UNDER_WAY = "SELECT count(*) FROM outbox WHERE state IN ('queued', 'sending')"
_STATES = "SELECT state, count(*) FROM outbox GROUP BY state"
_EVENTS = "SELECT count(*) FROM events"
_POLL_S, _LOOK_S = 0.2, 5.0
#: A kill comes within this time of the first delivery that was taken since the last one …
_SOON_S = 0.5
#: … every so many times after a reply was taken: somebody routes, answers are under way …
_REPLIED = 4
#: … and every so many times while a daemon is still coming up.
_EARLY = 7
_SETTLE_S = 180.0
_SEND_WITHIN_S = 2


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How much of everything. ``database_url`` names a database that is ours to fill."""

    seed: int
    kills: int
    daemons: int
    database_url: str
    mqtt_url: str = ""
    customers: int = 24
    agents: int = 4
    #: Seconds in the middle between two messages of a customer.
    pause_s: float = 0.3
    #: How often the database, the broker, and room on the disk go away, and for how long.
    database: int = 0
    broker: int = 0
    disk: int = 0
    outage_s: float = 30.0
    #: The load goes on until the log has so many events.
    events: int = 0


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What was done, what came of it, and everything that is wrong (nothing, if all is well)."""

    seed: int
    done: dict[str, int]
    took_s: float
    deliveries: int
    statuses: dict[str, int]
    longest_until_taken_s: float
    longest_until_next_s: float
    replies: int
    answers: dict[str, int]
    calls: dict[str, int]
    offers: int
    most_memory_mib: int
    wrong: tuple[str, ...]


Say = Callable[[str], None]


async def play(plan: Plan, folder: Path, *, say: Say) -> Result:
    """Let the daemons run under load, take away what they need, and check the ledger."""
    with (folder / "ledger.jsonl").open("wb") as file:
        book, chance = Book(file), random.Random(plan.seed)  # noqa: S311  to be repeated, not secret
        async with Platforms(book=book, chance=chance).listening() as platforms:
            return await _on(plan, folder, book, platforms, chance, say=say)


async def _on(
    plan: Plan, folder: Path, book: Book, platforms: Platforms, chance: random.Random, *, say: Say
) -> Result:
    channels = {
        WECHAT: ACCOUNT.replace("http://127.0.0.1:9", platforms.url),
        GATEWAY: GATEWAY_ACCOUNT.format(url=platforms.url),
    }
    router = {"log_level": '"info"', "readers": "0", "send_within": f'"{_SEND_WITHIN_S}s"'}
    await upgrade(plan.database_url)
    began = time.monotonic()
    async with stage(
        folder,
        channels=channels,
        router=router,
        database_url=plan.database_url,
        mqtt_url=plan.mqtt_url,
        daemons=plan.daemons,
    ) as held:
        env = held.daemons[0].env
        staff = await asyncio.to_thread(staffed, plan.database_url, env, plan.agents)
        await asyncio.gather(*(held.start(each) for each in held.daemons))
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
            ports = [each.port for each in held.daemons]
            crowd = Crowd(http=http, ports=ports, chance=chance, book=book, pause_s=plan.pause_s)
            chaos = _Chaos(plan, held, crowd, say)
            async with _busy(plan, crowd, staff):
                await chaos.run()
                platforms.calm = True
            await _settled(plan.database_url, say)
        await held.part()
    book.note(Closed(accounts=(WECHAT, GATEWAY)))
    checked = await asyncio.to_thread(check, plan.database_url, book.lines)
    states = await asyncio.to_thread(ask, plan.database_url, _STATES)
    settings = load(environ={**env, "MAINSTEM_DATABASE_URL": plan.database_url})
    _, violations = await audit_all(settings)
    impolite = [name for name in crowd.statuses if not _is_fine(name)]
    return Result(
        seed=plan.seed,
        done=chaos.done,
        took_s=round(time.monotonic() - began, 1),
        deliveries=checked.deliveries,
        statuses=dict(crowd.statuses),
        longest_until_taken_s=round(max(crowd.waits, default=0.0), 1),
        longest_until_next_s=round(max(chaos.silences, default=0.0), 1),
        replies=checked.replies,
        answers={str(state): int(count) for state, count in states},
        calls=platforms.moods,
        offers=checked.offers,
        most_memory_mib=max(each.most_kib for each in held.daemons) // 1024,
        wrong=(
            *map(str, checked.wrong),
            *map(told, violations),
            *(f"answered {each}: {crowd.statuses[each]} times" for each in impolite),
            *(["the daemons stood still"] if crowd.hopeless else []),
            *(f"a daemon ended by itself with {code}" for code in held.fell),
            *(f"a polite end gave exit code {code}" for code in held.exits if code),
        ),
    )


def _is_fine(status: str) -> bool:
    return status in {"200", "503", "nobody"}


@asynccontextmanager
async def _busy(plan: Plan, crowd: Crowd, staff: list[dict[str, str]]) -> AsyncIterator[None]:
    """Let customers write and agents work; at the end everything that was begun is finished."""
    customers = [Customer(crowd, number).write() for number in range(plan.customers)]
    workers = [Worker(crowd, number, each).work() for number, each in enumerate(staff)]
    async with asyncio.TaskGroup() as tasks:
        for each in (*customers, *workers):
            tasks.create_task(each)
        try:
            yield
        finally:
            crowd.over.set()


async def _settled(url: str, say: Say) -> None:
    """Wait until everything is read and every answer has come to an end."""
    until = time.monotonic() + _SETTLE_S
    while True:
        ((sending,),) = await asyncio.to_thread(ask, url, _UNDER_WAY)
        left = await asyncio.to_thread(unread, url)
        if not left and not sending:
            return
        if time.monotonic() > until:
            say(f"after {_SETTLE_S:.0f} s {left} messages are unread and {sending} answers go out")
            return  # the check says what this means
        await asyncio.sleep(_POLL_S)


class Stuck(Exception):
    """Nothing was taken, or nobody was answered, for far too long."""


class _Chaos:
    """Takes things away, one after the other, in an order that the seed decides."""

    def __init__(self, plan: Plan, held: Stage, crowd: Crowd, say: Say) -> None:
        self._plan, self._held, self._crowd, self._say = plan, held, crowd, say
        self._chance = random.Random(plan.seed + 1)  # noqa: S311  to be repeated, not secret
        self._coming: set[asyncio.Task[None]] = set()
        self._kills = 0
        self.done: dict[str, int] = {}
        self.silences: list[float] = []

    async def run(self) -> None:
        """Do everything that is planned."""
        plan, crowd = self._plan, self._crowd
        steps = [
            *(["kill"] * plan.kills),
            *(["database"] * plan.database),
            *(["broker"] * plan.broker),
            *(["disk"] * plan.disk),
        ]
        self._chance.shuffle(steps)
        watching = asyncio.create_task(self._held.watch())
        try:
            for number, step in enumerate(steps, 1):
                await self._one(step)
                self.done[step] = self.done.get(step, 0) + 1
                self._say(f"{number} of {len(steps)}: {step}; {crowd.answered} deliveries taken")
            await asyncio.gather(*self._coming)
            await self._some()
            await self._long_enough()
        except Stuck:
            self._say(f"nothing moved for {_SETTLE_S:.0f} s")
        finally:
            watching.cancel()

    async def _long_enough(self) -> None:
        """Wait until the log has as many events as are wished."""
        while self._plan.events:
            ((logged,),) = await asyncio.to_thread(ask, self._plan.database_url, _EVENTS)
            if logged >= self._plan.events:
                return
            self._say(f"{logged} of {self._plan.events} events")
            await asyncio.sleep(_LOOK_S)
            await self._some()

    async def _one(self, step: str) -> None:
        seconds, stuck = self._plan.outage_s, self._chance.random() < 0.5  # noqa: PLR2004
        if step == "kill":
            await self._kill()
            return
        await asyncio.gather(*self._coming)
        await self._some()
        match step:
            case "database":
                await self._held.without_database(seconds, stuck=stuck)
            case "broker":
                await self._held.without_broker(seconds, stuck=stuck)
            case _:
                await self._held.without_room(seconds)
        await self._some()

    async def _kill(self) -> None:
        """Kill a daemon at a random instant, mostly under load, and start another in its place."""
        self._kills += 1
        daemon = self._chance.choice(self._held.daemons)
        if self._kills % _REPLIED == 0:
            await self._wait_for(self._crowd.replied)
        elif self._kills % _EARLY:
            if len(self._held.daemons) == 1:
                await asyncio.gather(*self._coming)
            await self._some()
        await asyncio.sleep(self._chance.random() * _SOON_S)
        await self._held.kill(daemon)
        await self._held.start(daemon, wait=False)
        task = asyncio.create_task(self._up(daemon, daemon.pid))
        self._coming.add(task)
        task.add_done_callback(self._coming.discard)

    async def _up(self, daemon: Daemon, pid: int) -> None:
        """Wait until a daemon is there, unless it has been killed again."""
        try:
            await self._held.ready(daemon)
        except click.ClickException:
            if not self._held.is_meant(pid):
                raise

    async def _some(self) -> None:
        """Wait until a delivery is taken from now on."""
        began = time.monotonic()
        await self._wait_for(self._crowd.taken)
        self.silences.append(time.monotonic() - began)

    async def _wait_for(self, event: asyncio.Event) -> None:
        event.clear()
        try:
            async with asyncio.timeout(_SETTLE_S):
                await event.wait()
        except TimeoutError as error:
            self._crowd.hopeless = True
            raise Stuck from error
