"""What comes together is taken in as if it had come one by one: same rows, same order, same ids."""

import asyncio
import random
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from router.channel.contract import (
    Audience,
    CallEnded,
    Capabilities,
    Edited,
    Event,
    Family,
    Followed,
    Following,
    Identified,
    Ignored,
    Rated,
    Recalled,
    Received,
    ShopEvent,
    Speaker,
    Turn,
    Window,
)
from router.cli.ledger.tables import ask
from router.domain.content import Media, MediaKind, Text
from router.domain.identity import Claim, ClaimKind
from router.domain.ids import AccountName, ChannelName, QueueName
from router.domain.policy import ShopPolicy
from router.readers.small import Small
from router.service.arrivals import Delivery, Source, TakenIn
from router.service.intake import take_in, take_in_batch, take_in_together
from router.service.reading import (
    Understood,
    meant,
    take_note,
    take_note_of_each,
    unread_runs,
)
from router.service.records import RawDelivery
from router.service.unit import Unit
from router.settings.load import load
from router.store.engine import SqlStore, open_store
from router.store.schema import metadata
from router.understanding.reader import RuleReader
from tests.builders import NOW
from tests.support.fakes import CountingIds, FixedClock
from tests.support.postgres import Postgres

SENDERS = ("lin", "zhao", "wu", "半\ud83d", "x\0y")
WORDS = (
    "在吗",
    "我要投诉！质量太差，太过分了",
    "订单 202611110001 什么时候发货",
    "我的电话是13800138000",
    "转人工",
)
WINDOW = Window(kind="message", lasts=timedelta(hours=48), sends=5)


def source(account: str) -> Source:
    """Return an account that can be answered for two days."""
    return Source(
        account=AccountName(account),
        channel=ChannelName("wechat"),
        family=Family.IM,
        queue=QueueName("general"),
        capabilities=Capabilities(replies=True, windows=(WINDOW,)),
    )


def happenings(chance: random.Random, number: int) -> Event:
    """Return something that may happen to one of a few people; ids and targets come again."""
    at = NOW + timedelta(seconds=number)
    name = f"{chance.choice('mmme')}{chance.randrange(number + 1)}"
    target = f"m{chance.randrange(number + 3)}"
    who = chance.choice(SENDERS)
    phone = f"+86138{chance.randrange(3)}"
    claims = (Claim(kind=ClaimKind.PHONE, value=phone, verified=chance.random() < 0.5, source="t"),)
    talks: tuple[Callable[[], Event], ...] = (
        lambda: Received(
            external_id=name,
            sender=who,
            at=at,
            content=Text(text=f"{chance.choice(WORDS)} {number} \0"),
            by=chance.choice((Speaker.CONTACT, Speaker.CONTACT, Speaker.AGENT, Speaker.BOT)),
            thread=chance.choice(("", "", "post-1")),
            audience=chance.choice((Audience.PRIVATE, Audience.PUBLIC)),
            sender_name=chance.choice(("", "林")),
            opens_window="message",
            claims=claims if chance.random() < 0.2 else (),
            reply_handle=f"handle-{number}",
        ),
        lambda: Received(
            external_id=name,
            sender=who,
            at=at,
            content=Media(kind=MediaKind.IMAGE, ref=f"ref-{number}"),
            standby=chance.random() < 0.3,
        ),
    )
    others: tuple[Callable[[], Event], ...] = (
        lambda: Edited(
            external_id=name, target=target, sender=who, at=at, content=Text(text=f"now {number}")
        ),
        lambda: Recalled(external_id=name, target=target, sender=who, at=at),
        lambda: Turn(
            external_id=name,
            call=f"call-{chance.randrange(2)}",
            sender=who,
            at=at,
            offset=timedelta(seconds=number),
            by=chance.choice((Speaker.CONTACT, Speaker.AGENT)),
            text=f"said {number}",
            final=chance.random() < 0.7,
        ),
        lambda: CallEnded(
            external_id=name,
            call=f"call-{chance.randrange(2)}",
            sender=who,
            at=at,
            missed=chance.random() < 0.5,
        ),
        lambda: Followed(
            external_id=name,
            sender=who,
            at=at,
            what=chance.choice(tuple(Following)),
            opens_window="message",
            sender_name=chance.choice(("", "赵")),
        ),
        lambda: ShopEvent(
            external_id=name, sender=who, at=at, kind="paid", order="A1", summary="one chair"
        ),
        lambda: Rated(external_id=name, sender=who, at=at, score=2, comment="too late"),
        lambda: Identified(external_id=name, sender=who, at=at, claims=claims),
        lambda: Ignored(kind="sticker"),
    )
    return chance.choice(talks if chance.random() < 0.7 else others)()


def deliveries(seed: int) -> list[Delivery]:
    """Return what arrives on two accounts, in order; the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311  a seeded test
    arrived = []
    for number in range(60):
        events = tuple(happenings(chance, number) for _ in range(chance.choice((1, 1, 2))))
        raw = RawDelivery(
            id=f"raw-{number}",
            account=AccountName("one"),
            at=NOW,
            state="taken",
            method="POST",
            url="https://shop.example/hooks/one",
            headers={"host": "shop.example"},
            body=b"\x00\xff",
            why="",
        )
        arrived.append(
            Delivery(
                source=source(chance.choice(("one", "one", "two"))),
                events=events,
                received_at=NOW + timedelta(seconds=number),
                raw=raw,
            )
        )
    return arrived


Rows = dict[str, list[tuple[object, ...]]]


def rows_of(url: str) -> Rows:
    """Return every row of every table, in an order that both databases agree on."""
    return {
        table.name: sorted(
            (tuple(row) for row in ask(url, f'SELECT * FROM "{table.name}"')),  # noqa: S608
            key=repr,
        )
        for table in metadata.sorted_tables
    }


@pytest.fixture
def policy() -> ShopPolicy:
    """Return the shipped policy."""
    return load(environ={}).policy


@pytest.fixture
def two_databases(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path
) -> Iterator[tuple[str, str]]:
    """Return the addresses of two empty databases of one kind."""
    if database_url.startswith("sqlite"):
        path = tmp_path / "other.db"
        shutil.copyfile(tmp_path / "mainstem.db", path)
        yield database_url, f"sqlite:///{path}"
        return
    server: Postgres = request.getfixturevalue("postgres_server")
    server.create("mainstem_other", template=request.getfixturevalue("postgres_template"))
    yield database_url, server.url("mainstem_other")
    server.drop("mainstem_other")


@pytest.mark.parametrize("seed", range(3))
async def test_a_batch_writes_what_the_same_deliveries_write_one_by_one(
    two_databases: tuple[str, str], policy: ShopPolicy, seed: int
) -> None:
    chance = random.Random(seed + 1000)  # noqa: S311  a seeded test
    arrived = deliveries(seed)
    sizes = []
    while sum(sizes) < len(arrived):
        sizes.append(chance.choice((1, 5, 30)))
    one, other = two_databases
    by_itself = open_store(one, clock=FixedClock(), ids=CountingIds())
    together = open_store(other, clock=FixedClock(), ids=CountingIds())
    said: list[TakenIn] = []
    answered: list[object] = []
    left = list(arrived)
    for size in sizes:
        batch, left = left[:size], left[size:]
        said += await by_itself.transact(one_by_one, batch, policy)
        answered += await together.transact(take_in_together, batch, policy)
    for _ in range(3):
        await by_itself.transact(
            take_note_of_each, await understood(by_itself), policy=policy, at=NOW
        )
        await together.transact(take_note, await understood(together), policy=policy, at=NOW)
    assert not await together.read(lambda unit: unit.conversations.unread(limit=1))
    await by_itself.close()
    await together.close()
    assert answered == said
    assert any(each.known for each in said)
    assert await asyncio.to_thread(rows_of, other) == await asyncio.to_thread(rows_of, one)


async def understood(store: SqlStore) -> list[Understood]:
    """Return what the rules understand of some of what is unread."""
    small = Small(RuleReader())
    return [
        meant(said, heard, answerable=False)
        for each in await store.read(unread_runs, limit=25)
        for said, heard in zip(each.said, small.hear(each.run), strict=True)
    ]


def one_by_one(unit: Unit, batch: list[Delivery], policy: ShopPolicy) -> list[TakenIn]:
    """Take in deliveries with the questions and writes of each."""
    return [take_in(unit, each, policy) for each in batch]


async def test_a_delivery_that_fails_leaves_the_others_of_its_batch(
    store: SqlStore, policy: ShopPolicy
) -> None:
    words = Received(external_id="m1", sender="lin", at=NOW, content=Text(text="在吗"))
    naive = Received(
        external_id="m2", sender="wu", at=NOW.replace(tzinfo=None), content=Text(text="?")
    )
    batch = [
        Delivery(source=source("one"), events=(event,), received_at=NOW) for event in (words, naive)
    ]
    good, bad = await store.transact(take_in_batch, batch, policy)
    assert isinstance(good, TakenIn)
    assert len(good.added) == 1
    assert isinstance(bad, Exception)
    kept = await store.read(lambda unit: unit.contacts.known(AccountName("one"), "wu"))
    assert kept is None
