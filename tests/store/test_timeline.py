"""What was said stands once on the timeline, in order, and its words are found again."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from router.domain.content import Content, Media, MediaKind, Text
from router.domain.ids import AccountName, ContactId, ConversationId, InteractionId
from router.domain.reading import Alarm
from router.domain.timeline import Direction, Interaction, Kind, Sending
from router.service.ports import Conflict, NotFound
from router.service.records import EarlyChange
from router.store.engine import SqlStore
from router.store.unit import SqlUnit
from tests.builders import NOW, a_reading, an_interaction

WECHAT = AccountName("shop-wechat")
FIRST = InteractionId("interaction-1")
HERE = ConversationId("conversation-1")
MEMBERS = (ContactId("contact-1"), ContactId("contact-2"))
LATER = NOW + timedelta(minutes=5)


def said(number: int, **changes: Any) -> Interaction:
    """Return the ``number``-th message, a second after the one before."""
    at = NOW + timedelta(seconds=number)
    given = {"seq": number, "at": at, "received_at": at, **changes}
    return an_interaction(f"i-{number:03d}", **given)


def talk(unit: SqlUnit, *, until: int) -> None:
    """Append messages from 1 to ``until``, by two origins of one person in turn."""
    for number in range(1, until + 1):
        unit.conversations.append(said(number, contact=MEMBERS[number % 2]))


async def test_an_interaction_comes_back_as_it_was_given(store: SqlStore) -> None:
    given = an_interaction(
        content=Media(kind=MediaKind.IMAGE, ref="m-1", caption="看这个 🛋️💥", size=12345),
        direction=Direction.OUT,
        kind=Kind.COMMENT,
        author="agent-1",
        author_name="苏言",
        public=True,
        final=False,
        sending=Sending.QUEUED,
        why="waiting",
        edited_at=LATER,
        recalled_at=LATER,
        reading=a_reading(complaint=Alarm.WATCH),
        unread=False,
    )
    assert await store.transact(lambda unit: unit.conversations.append(given)) is True
    assert await store.read(lambda unit: unit.conversations.interaction(FIRST)) == given
    found = await store.read(lambda unit: unit.conversations.by_external(WECHAT, given.external_id))
    assert found == given


async def test_a_second_copy_of_a_message_changes_nothing(store: SqlStore) -> None:
    first = an_interaction()
    copy = an_interaction(
        "another-id", external_id=first.external_id, seq=2, content=Text(text="?")
    )
    elsewhere = replace(copy, account=AccountName("shop-weibo"))
    added = [
        await store.transact(lambda unit, it=each: unit.conversations.append(it))
        for each in (first, copy, elsewhere)
    ]
    assert added == [True, False, True]
    assert await store.read(lambda unit: unit.conversations.interaction(FIRST)) == first


async def test_two_messages_cannot_have_the_same_place_in_a_conversation(store: SqlStore) -> None:
    await store.transact(lambda unit: unit.conversations.append(said(1)))
    with pytest.raises(Conflict):
        await store.transact(lambda unit: unit.conversations.append(said(2, seq=1)))


async def test_what_does_not_exist_is_not_found(store: SqlStore) -> None:
    for verb in (
        lambda unit: unit.conversations.interaction(FIRST),
        lambda unit: unit.conversations.recall(FIRST, at=NOW),
        lambda unit: unit.conversations.mark_read(FIRST, a_reading()),
        lambda unit: unit.conversations.set_sending(FIRST, Sending.SENT),
    ):
        with pytest.raises(NotFound):
            await store.transact(verb)
    assert await store.read(lambda unit: unit.conversations.by_external(WECHAT, "none")) is None


async def test_an_edit_is_read_again_and_fetched_media_is_not(store: SqlStore) -> None:
    reading = a_reading()
    new, stored = Text(text="改主意了:退货"), Media(kind=MediaKind.FILE, stored="f", caption="票")

    def unread(unit: SqlUnit) -> int:
        return unit.conversations.unread_of(MEMBERS)

    await store.transact(lambda unit: unit.conversations.append(an_interaction()))
    assert await store.read(unread) == 1
    await store.transact(lambda unit: unit.conversations.mark_read(FIRST, reading))
    assert await store.read(unread) == 0
    await store.transact(
        lambda unit: unit.conversations.rewrite(FIRST, content=new, edited_at=LATER)
    )
    assert await store.read(unread) == 1
    await store.transact(lambda unit: unit.conversations.mark_read(FIRST, reading))
    await store.transact(lambda unit: unit.conversations.store_media(FIRST, stored))

    expected = an_interaction(content=stored, edited_at=LATER, reading=reading, unread=False)
    assert await store.read(lambda unit: unit.conversations.interaction(FIRST)) == expected
    assert await store.read(unread) == 0


async def test_a_recall_and_a_sending_state_leave_the_words_as_they_were(store: SqlStore) -> None:
    def change(unit: SqlUnit) -> Interaction:
        unit.conversations.append(an_interaction())
        unit.conversations.recall(FIRST, at=LATER)
        unit.conversations.set_sending(FIRST, Sending.REFUSED, why="blocked")
        return unit.conversations.interaction(FIRST)

    expected = an_interaction(recalled_at=LATER, sending=Sending.REFUSED, why="blocked")
    assert await store.transact(change) == expected


async def test_the_unread_come_in_the_order_in_which_we_received_them(store: SqlStore) -> None:
    def prepare(unit: SqlUnit) -> None:
        for number, seconds in ((1, 30), (2, 10), (3, 20)):
            received_at = NOW + timedelta(seconds=seconds)
            unit.conversations.append(said(number, received_at=received_at))
        unit.conversations.append(said(4, unread=False))

    await store.transact(prepare)
    found = await store.read(lambda unit: unit.conversations.unread(limit=2))
    assert [each.seq for each in found] == [2, 3]


async def test_a_timeline_is_paged_by_key_and_every_message_comes_once(store: SqlStore) -> None:
    def prepare(unit: SqlUnit) -> None:
        talk(unit, until=20)
        for number in range(21, 31):  # ten in the same instant
            unit.conversations.append(said(number, at=LATER))

    def page(
        unit: SqlUnit, before: tuple[datetime, InteractionId] | None
    ) -> tuple[Interaction, ...]:
        return unit.conversations.timeline(MEMBERS, before=before, limit=7)

    await store.transact(prepare)
    seen: list[Interaction] = []
    while found := await store.read(page, (seen[-1].at, seen[-1].id) if seen else None):
        seen.extend(found)

    assert [each.seq for each in seen] == list(range(30, 0, -1))


async def test_a_timeline_shows_only_the_person_asked_for(store: SqlStore) -> None:
    await store.transact(talk, until=4)
    found = await store.read(lambda unit: unit.conversations.timeline([MEMBERS[0]]))
    assert [each.seq for each in found] == [4, 2]


@pytest.mark.parametrize(
    ("words", "found"),
    [("100%", [1]), ("A_B", [2]), ("refund", [3]), ("缺货", [4]), ("zzz", []), ("", [4, 3, 2, 1])],
)
async def test_words_are_found_in_texts_captions_and_menus_as_they_stand(
    store: SqlStore, words: str, found: list[int]
) -> None:
    contents: tuple[Content, ...] = (
        Text(text="100% wool? 1000 pieces"),
        Text(text="model A_B, not AxB"),
        Text(text="I want a REFUND"),
        Media(kind=MediaKind.VOICE, ref="v", transcript="还缺货吗"),
    )

    def prepare(unit: SqlUnit) -> None:
        for number, content in enumerate(contents, start=1):
            unit.conversations.append(said(number, content=content))

    await store.transact(prepare)
    page = await store.read(lambda unit: unit.conversations.timeline(MEMBERS, words=words))
    assert [each.seq for each in page] == found


async def test_words_are_paged_too(store: SqlStore) -> None:
    await store.transact(talk, until=5)
    third = said(3)

    def page(unit: SqlUnit) -> tuple[Interaction, ...]:
        return unit.conversations.timeline(MEMBERS, before=(third.at, third.id), words="沙发")

    assert [each.seq for each in await store.read(page)] == [2, 1]


@pytest.mark.parametrize(
    ("span", "found"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"after": 4}, [5, 6]),
        ({"before": 3}, [1, 2]),
        ({"after": 1, "before": 5}, [2, 3, 4]),
        ({"limit": 2}, [5, 6]),
        ({"before": 5, "limit": 2}, [3, 4]),
    ],
)
async def test_a_conversation_is_read_in_order_and_a_cut_keeps_the_latest(
    store: SqlStore, span: dict[str, int], found: list[int]
) -> None:
    await store.transact(talk, until=6)
    page = await store.read(lambda unit: unit.conversations.said_in(HERE, **span))
    assert [each.seq for each in page] == found


async def test_the_last_reply_handle_is_the_contacts_and_not_ours(store: SqlStore) -> None:
    assert await store.read(lambda unit: unit.conversations.last_reply_handle(HERE)) == ("", "")

    def prepare(unit: SqlUnit) -> None:
        unit.conversations.append(said(1), reply_handle="token-1")
        unit.conversations.append(said(2), reply_handle="token-2")
        unit.conversations.append(said(3, direction=Direction.OUT))

    await store.transact(prepare)
    expected = ("token-2", "msg-i-002")
    assert await store.read(lambda unit: unit.conversations.last_reply_handle(HERE)) == expected


async def test_changes_that_came_early_wait_for_their_message_and_are_taken_once(
    store: SqlStore,
) -> None:
    edit = EarlyChange(target="msg-1", at=LATER, content=Text(text="改"))
    recall = EarlyChange(target="msg-1", at=NOW, content=None)
    other = EarlyChange(target="msg-2", at=NOW, content=None)

    def keep(unit: SqlUnit) -> list[bool]:
        changes = [("e-1", edit), ("e-2", recall), ("e-1", edit), ("e-3", other)]
        return [unit.conversations.keep_early(WECHAT, each, change) for each, change in changes]

    def take(unit: SqlUnit) -> tuple[EarlyChange, ...]:
        return unit.conversations.take_early(WECHAT, "msg-1")

    assert await store.transact(keep) == [True, True, False, True]
    assert await store.transact(take) == (recall, edit)
    assert await store.transact(take) == ()
