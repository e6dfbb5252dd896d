"""Values go to text and come back the same, and whatever is not understood is an error."""

import string
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.channel.contract import Audience, Call, HttpCall, Outbound, Publish, Push, Speaker
from router.domain.content import (
    Content,
    Link,
    Media,
    MediaKind,
    Menu,
    Option,
    Place,
    Pressed,
    Text,
    Unsupported,
)
from router.domain.conversation import (
    Closed,
    Offered,
    Parked,
    Queued,
    State,
    WithAgent,
    WithBot,
    WrapUp,
)
from router.domain.ids import AgentId, ReservationId, Skill
from router.domain.reading import Alarm, Entity, EntityKind, Reading
from router.domain.workforce import Need
from router.store.codec import Unreadable, dump, load
from tests.builders import NOW, a_message, a_reading

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
numbers = st.floats(-180, 180)
options = st.builds(Option, id=words, label=words)
contents = st.one_of(
    st.builds(Text, text=words),
    st.builds(
        Media, kind=st.sampled_from(MediaKind), ref=words, caption=words, size=st.integers(0)
    ),
    st.builds(Place, latitude=numbers, longitude=numbers, label=words),
    st.builds(Link, title=words, url=words),
    st.builds(Pressed, payload=words, label=words),
    st.builds(Menu, text=words, options=st.lists(options, max_size=3).map(tuple)),
    st.builds(Unsupported, kind=words, text=words),
)
calls = st.one_of(
    st.builds(HttpCall, method=words, url=words, body=st.binary(max_size=40)),
    st.builds(Publish, topic=words, payload=st.binary(max_size=40), retain=st.booleans()),
    st.builds(Push, recipient=words, payload=st.binary(max_size=40)),
)


@given(contents)
def test_whatever_was_said_comes_back_as_it_was_said(content: Content) -> None:
    assert load(Content, dump(content)) == content


@given(st.lists(calls, max_size=3).map(tuple))
def test_calls_come_back_with_every_byte(made: tuple[Call, ...]) -> None:
    assert load(tuple[Call, ...], dump(made)) == made


@pytest.mark.parametrize(
    "state",
    [
        Queued(since=NOW),
        Offered(
            reservation=ReservationId("r"),
            agent=AgentId("a"),
            since=NOW,
            until=NOW + timedelta(seconds=30),
        ),
        WithBot(since=NOW),
        WithAgent(agent=AgentId("a"), since=NOW),
        WrapUp(agent=AgentId("a"), since=NOW),
        Parked(agent=AgentId("a"), until=NOW),
        Closed(at=NOW),
    ],
    ids=lambda state: type(state).__name__,
)
def test_every_state_comes_back(state: State) -> None:
    assert load(State, dump(state)) == state


def test_an_answer_comes_back_with_who_speaks_and_to_whom() -> None:
    message = a_message(
        content=Menu(text="选一个 👇", options=(Option(id="1", label="退货"),)),
        by=Speaker.BOT,
        audience=Audience.PUBLIC,
        seq=3,
    )
    assert load(Outbound, dump(message)) == message


def test_a_reading_comes_back_with_what_it_found() -> None:
    reading = a_reading(
        complaint=Alarm.ALERT,
        complaint_score=0.9371,
        entities=(Entity(kind=EntityKind.PHONE, value="+8613800000000"),),
        because=("lexicon: 投诉",),
    )
    assert load(Reading, dump(reading)) == reading


def test_needs_are_written_in_the_same_order_whatever_order_they_had() -> None:
    needs = [Need(skill=Skill(letter), least=1) for letter in string.ascii_lowercase]
    assert dump(frozenset(needs)) == dump(frozenset(reversed(needs)))
    assert load(frozenset[Need], dump(frozenset(needs))) == frozenset(needs)


def test_times_come_back_as_the_same_instant_to_the_microsecond() -> None:
    shanghai = NOW.astimezone(timezone(timedelta(hours=8)))
    assert load(datetime, dump(shanghai)) == NOW
    assert load(timedelta, dump(timedelta(microseconds=1))) == timedelta(microseconds=1)


def test_a_nul_which_postgresql_cannot_hold_is_shown_as_missing() -> None:
    assert load(Content, dump(Text(text="a\0b"))) == Text(text="a\N{REPLACEMENT CHARACTER}b")


def test_halves_of_one_character_are_joined_and_a_lone_half_is_shown_as_missing() -> None:
    said = Text(text="\ud83d\ude00 and \ud83d")
    assert load(Content, dump(said)) == Text(text="😀 and \N{REPLACEMENT CHARACTER}")


@pytest.mark.parametrize(
    "text",
    [
        '{"$":"Hologram","text":"hi"}',
        '{"text":"hi"}',
        '{"$":"Text"}',
        '{"$":"Text","text":"hi","colour":"red"}',
        '{"$":"Text","text":7}',
        '"hi"',
        "null",
        "{",
    ],
    ids=["unknown tag", "no tag", "missing", "unknown field", "wrong type", "bare", "null", "cut"],
)
def test_text_that_is_not_understood_is_an_error(text: str) -> None:
    with pytest.raises(Unreadable):
        load(Content, text)


def test_a_field_that_came_later_is_read_with_its_default() -> None:
    assert load(Content, '{"$":"Pressed","payload":"track"}') == Pressed(payload="track")


@pytest.mark.parametrize(
    "value",
    [datetime(2026, 1, 1), float("nan"), object(), {1: "one"}, Text],  # noqa: DTZ001  that is it
    ids=["naive time", "not a number", "an object", "a number as key", "a class"],
)
def test_what_could_not_be_read_back_is_not_written(value: Any) -> None:
    with pytest.raises(TypeError):
        dump(value)


def test_midnight_in_utc_is_written_as_iso_8601() -> None:
    assert dump(datetime(2026, 1, 1, tzinfo=UTC)) == '"2026-01-01T00:00:00+00:00"'
