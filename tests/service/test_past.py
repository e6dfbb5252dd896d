"""Old history moves to tables of its own, and nobody can tell from what the pages show."""

import asyncio
from datetime import timedelta

import pytest
from click.testing import CliRunner

from router.channel.contract import Edited, Received
from router.cli.history import history
from router.cli.ledger.tables import ask
from router.domain.content import Text, plain_text
from router.domain.conversation import Offered
from router.domain.ids import AgentId, ConversationId
from router.domain.timeline import Interaction
from router.service import desk
from router.service.audit import audit
from router.service.unit import Unit
from router.store.past import move_history
from tests.service.conftest import CHAT, START, Shop, open_shop

LIN = AgentId("lin")
IN_USE = "SELECT count(*) FROM ONLY {}"
ALL = "SELECT count(*) FROM {}"


async def served(shop: Shop, words: str) -> ConversationId:
    """Let Ann write, be answered for, and go."""
    chat = await shop.hear(CHAT, "ann", words)
    await shop.read_all()
    await shop.dispatcher.once()
    state = (await shop.conversation(chat)).state
    assert isinstance(state, Offered)
    at = shop.clock.now()
    await shop.store.transact(desk.accept, reservation=state.reservation, by=LIN, at=at)
    done = {"conversation": chat, "by": LIN, "disposition": "answered", "text": "", "at": at}
    await shop.store.transact(desk.wrap_up, **done)
    return chat


async def counted(url: str, question: str) -> dict[str, int]:
    tables = ("interactions", "decisions", "events")
    rows = [await asyncio.to_thread(ask, url, question.format(table)) for table in tables]
    return {table: found[0][0] for table, found in zip(tables, rows, strict=True)}


async def test_what_was_moved_is_found_changed_and_known_as_before(postgres_database: str) -> None:
    shop = await open_shop(postgres_database)
    try:
        await shop.staff(LIN)
        old = await served(shop, "我想修改收货地址")
        shop.clock.pass_by(timedelta(days=40))
        waits = await shop.hear(CHAT, "bob", "在吗")  # nobody has closed it
        shop.clock.pass_by(timedelta(days=460))
        new = await served(shop, "又是我")
        before = await counted(postgres_database, ALL)
        seen = await everything(shop, old, new, waits)

        given = shop.clock.now() - timedelta(days=400)
        moved = await move_history(postgres_database, before=given)
        assert moved["interactions"] == 1
        assert moved["decisions"] >= 1
        in_use = await counted(postgres_database, IN_USE)
        assert in_use == {table: before[table] - rows for table, rows in moved.items()}
        assert await counted(postgres_database, ALL) == before
        assert await everything(shop, old, new, waits) == seen
        assert set((await move_history(postgres_database, before=given)).values()) == {0}

        assert (await shop.deliver(CHAT, again(shop))).added == ()
        await shop.deliver(CHAT, edited(shop))
        timeline = await shop.timeline(old)
        assert plain_text(timeline[-1].content) == "我要改地址"
        assert await shop.store.read(audit, at=shop.clock.now()) == ()
    finally:
        await shop.store.close()


async def everything(shop: Shop, *talks: ConversationId) -> list[object]:
    """Return what pages show of these conversations."""

    def look(unit: Unit, talk: ConversationId) -> tuple[Interaction, ...]:
        return unit.conversations.said_in(talk)

    found: list[object] = [
        await shop.store.read(lambda unit: unit.journal.events_since(0, limit=9999))
    ]
    for talk in talks:
        found += [
            await shop.conversation(talk),
            await shop.timeline(talk),
            await shop.store.read(look, talk),
            await shop.store.read(lambda unit, of=talk: unit.journal.decisions(of)),
        ]
    return found


def again(shop: Shop) -> Received:
    """Return the first message of all, as the platform would bring it once more."""
    return Received(
        external_id="m1",
        sender="ann",
        at=shop.clock.now(),
        content=Text(text="我想修改收货地址"),
    )


def edited(shop: Shop) -> Edited:
    return Edited(
        external_id="e1",
        target="m1",
        sender="ann",
        at=shop.clock.now(),
        content=Text(text="我要改地址"),
    )


async def test_an_sqlite_file_keeps_everything_in_one_place(sqlite_database: str) -> None:
    with pytest.raises(ValueError, match="only PostgreSQL"):
        await move_history(sqlite_database, before=START)


def test_the_command_moves_what_is_old_enough(postgres_database: str) -> None:
    given = ("move", "--older-than", "30d", "--database-url", postgres_database)
    done = CliRunner().invoke(history, given)
    assert done.exit_code == 0, done.output
    assert done.output == "0 of interactions, 0 of decisions, 0 of events moved\n"
    wrong = CliRunner().invoke(history, ("move", "--older-than", "old"))
    assert (wrong.exit_code, "such as 400d" in wrong.output) == (2, True)
