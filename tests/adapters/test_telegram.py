"""Telegram against python-telegram-bot: what its parser reads, and the platform's limits."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import Message, Update
from telegram.constants import FloodLimit, InlineKeyboardButtonLimit, MessageLimit

from adapters.telegram.outbound import calls_for
from adapters.telegram.settings import CAPABILITIES, MAX_CAPTION, MAX_PAYLOAD
from router.channel.capture import Taken
from router.channel.contract import Edited, Followed, Outbound, Received, Request
from router.domain.content import Media, Place, Pressed, Text
from tests.adapters.case_files import NOW, cases, deliveries, played
from tests.adapters.vectors import vector

READ = [
    pytest.param(request, taken, id=case.path.stem)
    for case in cases("telegram")
    for (_, request), (_, taken) in zip(deliveries(case), played(case), strict=True)
    if taken.verified and not taken.error
]


def test_the_recorded_secret_is_the_one_of_the_cases() -> None:
    told = vector("telegram-secret-token")["inputs"]
    text = next(case for case in cases("telegram") if case.path.stem == "text")
    assert text.told["settings"]["secret_token"] == told["secret_token"] == told["header"]


def test_the_limits_are_those_that_the_library_knows() -> None:
    assert CAPABILITIES.max_text == MessageLimit.MAX_TEXT_LENGTH
    assert MAX_CAPTION == MessageLimit.CAPTION_LENGTH
    assert MAX_PAYLOAD == InlineKeyboardButtonLimit.MAX_CALLBACK_DATA
    assert CAPABILITIES.sends_per_second == FloodLimit.MESSAGES_PER_SECOND


@pytest.mark.parametrize(("delivered", "taken"), READ)
def test_the_library_reads_the_same(delivered: Request, taken: Taken) -> None:
    update = Update.de_json(json.loads(delivered.body), None)
    for event in taken.decoded.events:
        match event:
            case Received(content=Pressed(payload=payload)):
                query = update.callback_query
                assert query is not None
                assert (event.external_id, event.sender) == (
                    f"callback:{query.id}",
                    str(query.from_user.id),
                )
                assert payload == query.data
            case Received() | Edited() if isinstance(update.effective_message, Message):
                same_message(update.effective_message, event)
            case Followed() if update.my_chat_member:
                assert event.at == update.my_chat_member.date


def same_message(theirs: Message, ours: Received | Edited) -> None:
    named = ours.external_id if isinstance(ours, Received) else ours.target
    assert named.endswith(f"{theirs.chat.id}:{theirs.message_id}")
    assert ours.at == (theirs.date if isinstance(ours, Received) else theirs.edit_date)
    match ours.content:
        case Text(text=text):
            assert text == (theirs.text or "").replace("\ud83d", "\ufffd")
        case Place(latitude=latitude, longitude=longitude):
            assert theirs.location is not None
            where = (theirs.location.latitude, theirs.location.longitude)
            assert (latitude, longitude) == where
        case Media(ref=ref, caption=caption):
            attached = theirs.effective_attachment
            files = attached if isinstance(attached, tuple) else (attached,)
            assert ref in {getattr(file, "file_id", "") for file in files}
            assert caption == (theirs.caption or "")
        case _:
            assert theirs.text is None


@given(text=st.text(min_size=1, max_size=50), times=st.integers(1, 1000))
def test_a_long_answer_is_said_whole_in_parts_that_telegram_takes(text: str, times: int) -> None:
    message = Outbound(id="m1", recipient="5", content=Text(text=text * times), at=NOW)
    calls = calls_for(message, api_base="https://api.telegram.org")
    parts = [json.loads(call.body)["text"] for call in calls]
    assert "".join(parts) == (text * times).encode("utf-8", "replace").decode()
    assert all(len(part.encode("utf-16-le")) <= 4096 * 2 for part in parts)
