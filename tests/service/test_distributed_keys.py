"""With the keys that a database distributed by contact needs, everything goes as before."""

import re
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from router.domain.conversation import Offered
from router.domain.ids import AgentId
from router.service import desk
from router.service.audit import audit
from router.store.schema import metadata
from tests.service.conftest import CHAT, WEIBO, open_shop
from tests.service.test_story import ANGRY

PAGE = Path(__file__).parents[2] / "docs" / "SCALING.md"
LIN = AgentId("lin")


def statements() -> list[str]:
    """Return the statements that the page says change the keys."""
    (block,) = re.findall(r"^```sql\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return [each.strip() for each in block.split(";") if each.strip()]


async def test_a_database_with_the_keys_of_the_page_takes_in_routes_and_opens_cases(
    postgres_database: str,
) -> None:
    engine = create_async_engine(postgres_database)
    async with engine.begin() as connection:
        for each in statements():
            await connection.execute(sa.text(each))
        assert await connection.run_sync(apart) == set()
    await engine.dispose()
    shop = await open_shop(postgres_database)
    try:
        await shop.staff(LIN)
        chat = await shop.hear(CHAT, "ann", "我想修改收货地址", external_id="m-1")
        again = await shop.say(CHAT, "ann", "我想修改收货地址", external_id="m-1")
        assert again.added == ()
        await shop.hear(WEIBO, "weibo-7", ANGRY)
        await shop.read_all()
        await shop.dispatcher.once()
        state = (await shop.conversation(chat)).state
        assert isinstance(state, Offered)
        at = shop.clock.now()
        await shop.store.transact(desk.accept, reservation=state.reservation, by=LIN, at=at)
        done = {"conversation": chat, "by": LIN, "disposition": "answered", "text": "", "at": at}
        await shop.store.transact(desk.wrap_up, **done)
        assert len(await shop.store.read(lambda unit: unit.cases.all_open())) == 1
        assert [each.external_id for each in await shop.timeline(chat)] == ["m-1"]
        assert await shop.store.read(audit, at=at) == ()
    finally:
        await shop.store.close()


DISTRIBUTED = frozenset(
    {
        *("interactions", "conversations", "cases", "corrections"),
        *("follow_ups", "ratings", "remembered"),
    }
)
STAY = frozenset({"events", "identities", "script_uses"})


def test_every_table_of_a_contact_is_one_or_the_other() -> None:
    of_contacts = {table.name for table in metadata.sorted_tables if "contact_id" in table.c}
    assert of_contacts == DISTRIBUTED | STAY
    text = PAGE.read_text("utf-8")
    assert [name for name in of_contacts if f"`{name}`" not in text] == []


def apart(connection: sa.Connection) -> set[str]:
    """Return the distributed tables that still have a unique key without the contact."""
    look = sa.inspect(connection)
    keys = {
        (table, tuple(names))
        for table in DISTRIBUTED
        for names in (
            look.get_pk_constraint(table)["constrained_columns"],
            *(each["column_names"] for each in look.get_unique_constraints(table)),
            *(each["column_names"] for each in look.get_indexes(table) if each["unique"]),
        )
    }
    return {table for table, names in keys if "contact_id" not in names}
