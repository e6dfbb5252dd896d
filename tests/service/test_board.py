"""What lists show: the right words and names, at a cost that does not grow with the list."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from router.domain.ids import AgentId
from router.service.board import Board, board
from router.service.unit import Unit
from tests.service.conftest import CHAT, WEIBO, Shop, phone
from tests.service.test_story import ANGRY, NUMBER


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect every statement that any engine executes meanwhile."""
    heard: list[str] = []

    def hear(*given: object) -> None:
        heard.append(str(given[2]))

    sa.event.listen(sa.Engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", hear)


async def look(shop: Shop) -> Board:
    def ask(unit: Unit) -> Board:
        return board(unit, me=AgentId("lin"), policy=shop.policy, weights={}, at=shop.clock.now())

    found: Board = await shop.store.read(ask)
    return found


async def test_a_longer_board_asks_no_more_questions(shop: Shop) -> None:
    counts = []
    for number in range(12):
        await shop.hear(CHAT, f"visitor-{number}", ANGRY if number % 2 else "在吗")
        if number in {1, 11}:
            await shop.read_all()
            with statements() as heard:
                shown = await look(shop)
            counts.append((len(shown.waiting), len(shown.cases), len(heard)))

    (few, few_cases, before), (many, many_cases, after) = counts
    assert (few, few_cases, many, many_cases) == (2, 1, 12, 6)
    assert before == after


async def test_a_line_shows_the_last_words_and_the_name_of_the_whole_person(shop: Shop) -> None:
    await shop.hear(WEIBO, "weibo-7", "在吗", claims=(phone(NUMBER),))
    chat = await shop.hear(CHAT, "member-1", "怎么开发票", claims=(phone(NUMBER),))
    await shop.hear(CHAT, "member-1", "快点")
    await shop.read_all()

    def christen(unit: Unit) -> None:
        root = unit.contacts.members(unit.conversations.get(chat).contact)[0]
        unit.contacts.seen(
            unit.contacts.identities((root,))[0].identity, at=shop.clock.now(), name="小秋"
        )

    await shop.store.transact(christen)
    shown = await look(shop)
    assert {(each.conversation.account, each.last) for each in shown.waiting} == {
        (WEIBO, "在吗"),
        (CHAT, "快点"),
    }
    assert {each.contact_name for each in shown.waiting} == {"小秋"}
    assert len({each.contact for each in shown.waiting}) == 1
