"""Taobao against tmcpy and the recorded vectors: frames of the socket and signatures."""

import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tmcpy.message import Message  # type: ignore[import-untyped]
from tmcpy.messageio import reader, writer  # type: ignore[import-untyped]
from tmcpy.utils import confirm_message, query_message  # type: ignore[import-untyped]

from adapters._common.shops import row_keys, sorted_md5
from adapters.taobao.adapter import Taobao
from adapters.taobao.frames import confirm_frame, pull_frame, read_frame
from adapters.taobao.proof import connect_sign
from adapters.taobao.settings import Settings
from router.channel.contract import Malformed, Moment
from tests.adapters.vectors import vector

CONNECT, FRAMES, TOP = (
    vector(f"taobao-{name}") for name in ("tmc-connect-sign", "tmc-frames", "top-md5")
)
SETTINGS = Settings(
    app_key=CONNECT["inputs"]["app_key"],
    app_secret=CONNECT["inputs"]["app_secret"],
    group_name=CONNECT["inputs"]["group_name"],
)
ASCII = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)


def test_the_recorded_signatures_and_frames_are_ours() -> None:
    ours = connect_sign(SETTINGS, CONNECT["inputs"]["timestamp_ms"])
    assert ours == CONNECT["outputs"]["sign"]
    given = FRAMES["inputs"]
    assert confirm_frame(given["token"], given["id"]).hex() == FRAMES["outputs"]["confirm_hex"]
    assert pull_frame(given["token"]).hex() == FRAMES["outputs"]["pull_hex"]
    assert (
        sorted_md5(TOP["inputs"]["app_secret"], TOP["inputs"]["params"]) == TOP["outputs"]["sign"]
    )


@given(message=st.integers(2**32, 2**64 - 2), token=ASCII)
def test_the_package_writes_the_same_frames(message: int, token: str) -> None:
    assert confirm_frame(token, message) == confirm_message(message, token)
    assert pull_frame(token) == query_message(token=token)


@given(
    token=ASCII,
    kind=st.integers(1, 200),
    large=st.integers(2**32, 2**64 - 2),
    text=ASCII,
)
def test_we_read_what_the_package_writes(token: str, kind: int, large: int, text: str) -> None:
    message = Message(protocol_version=2, message_type=2)
    message.token = token
    message.update_content({"__kind": kind, "id": large, "topic": text})
    frame = read_frame(writer(message))
    assert (frame.type, frame.token) == (2, token)
    assert dict(frame.content) == {"__kind": kind, "id": large, "topic": text}


def test_the_package_reads_our_first_frame() -> None:
    at = datetime.fromtimestamp(1760001300.123, UTC)
    told = reader(Taobao(SETTINGS).greeting(Moment(now=at, entropy=b"0" * 16)))
    assert told.message_type == 0
    assert told.content == {
        "app_key": SETTINGS.app_key,
        "group_name": "default",
        "timestamp": "1760001300123",
        "sign": CONNECT["outputs"]["sign"],
        "sdk": "mainstem",
    }


@given(st.binary(max_size=80))
def test_a_frame_of_any_bytes_is_read_or_malformed(body: bytes) -> None:
    try:
        frame = read_frame(b"\x02" + body)
    except Malformed:
        return
    assert frame.name
    assert isinstance(frame.confirmation, bytes)


@pytest.mark.parametrize("cut", range(len(FRAMES["outputs"]["confirm_hex"]) // 2))
def test_a_frame_that_is_cut_off_anywhere_is_malformed(cut: int) -> None:
    whole = bytes.fromhex(FRAMES["outputs"]["confirm_hex"])
    with pytest.raises(Malformed):
        read_frame(whole[:cut])


def test_a_text_that_claims_more_bytes_than_there_are_is_malformed() -> None:
    with pytest.raises(Malformed, match="too soon"):
        read_frame(b"\x02\x02\x05\x00" + struct.pack("<I", 2**32 - 1) + b"abc")


@given(st.lists(st.tuples(ASCII, ASCII), max_size=8))
def test_every_row_of_a_page_has_a_key_of_its_own_that_it_keeps(
    rows: list[tuple[str, str]],
) -> None:
    keys = row_keys(rows)
    assert len(set(keys)) == len(rows)
    assert row_keys(rows) == keys
