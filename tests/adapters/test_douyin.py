"""Douyin against the package bytedance and the example that the platform prints."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from bytedance.base import ByteDanceError  # type: ignore[import-untyped]
from bytedance.security import verify_webhook  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from adapters.douyin.adapter import Douyin
from adapters.douyin.proof import Way, live_signature
from adapters.douyin.settings import Settings
from router.channel.contract import Malformed, Moment, Received, Request, Token, Unverified
from router.domain.content import Media, MediaKind
from tests.adapters.vectors import vector

SECRET = vector("douyin-im-webhook")["inputs"]["client_secret"]
LIVE_SECRET = vector("douyin-live-comment")["inputs"]["secret"]
ADAPTER = Douyin(Settings(client_secret=SECRET, secret=LIVE_SECRET, open_id="merchant"))
NOW = datetime(2025, 10, 9, 9, tzinfo=UTC)
MOMENT = Moment(now=NOW, entropy=b"0123456789abcdef")


def request(body: bytes, headers: dict[str, str]) -> Request:
    return Request(
        method="POST",
        url="https://shop.example/hooks/douyin/shop",
        headers=headers,
        body=body,
        moment=MOMENT,
    )


def accepted_by_the_package(body: bytes, headers: dict[str, str]) -> bool:
    try:
        return bool(verify_webhook(body, headers, SECRET))
    except (ByteDanceError, TypeError):  # compare_digest refuses text that is not ASCII
        return False


def accepted_by_us(body: bytes, headers: dict[str, str]) -> bool:
    try:
        return ADAPTER.verify(request(body, headers)).proof is Way.MESSAGE
    except Unverified:
        return False


@given(st.binary(max_size=80))
def test_a_webhook_that_the_package_accepts_we_accept(body: bytes) -> None:
    signed = hashlib.sha1(SECRET.encode() + body, usedforsecurity=False).hexdigest()
    headers = {"x-douyin-signature": signed}
    assert accepted_by_the_package(body, headers)
    assert accepted_by_us(body, headers)


@given(st.binary(max_size=80), st.text(max_size=50))
def test_a_webhook_that_the_package_refuses_we_refuse(body: bytes, signature: str) -> None:
    headers = {"x-douyin-signature": signature}
    assert accepted_by_us(body, headers) == accepted_by_the_package(body, headers)


@pytest.mark.parametrize("name", ["douyin-live-official-example", "douyin-live-comment"])
def test_the_signature_of_a_live_push_is_the_recorded_one(name: str) -> None:
    told = vector(name)
    given = told["inputs"]
    ours = live_signature(given["headers"], given["body"].encode(), given["secret"])
    assert ours == told["outputs"]["x_signature"]


@given(st.sampled_from(("x-msg-type", "x-nonce-str", "x-roomid", "x-timestamp")), st.text())
def test_every_header_of_a_live_push_is_signed(name: str, value: str) -> None:
    told = vector("douyin-live-comment")
    headers = {**told["inputs"]["headers"], "x-signature": told["outputs"]["x_signature"]}
    body = told["inputs"]["body"].encode()
    assert ADAPTER.verify(request(body, headers)).proof is Way.LIVE
    if value != headers[name]:
        with pytest.raises(Unverified):
            ADAPTER.verify(request(body, {**headers, name: value}))


# ----- the probe ---------------------------------------------------------------------------------


@given(st.integers(-(10**20), 10**20), st.booleans())
def test_a_challenge_comes_back_as_the_number_that_it_was(number: int, as_text: bool) -> None:  # noqa: FBT001
    content: Any = {"challenge": number}
    told = {"event": "verify_webhook", "content": json.dumps(content) if as_text else content}
    shaken = ADAPTER.handshake(ADAPTER.verify(request(json.dumps(told).encode(), {})))
    assert shaken is not None
    assert json.loads(shaken.body) == {"challenge": number}


@given(st.recursive(st.text() | st.none() | st.booleans(), st.lists, max_leaves=3))
def test_a_probe_that_nobody_signed_is_echoed_only_if_it_is_plain(challenge: Any) -> None:
    told = {"event": "verify_webhook", "content": {"challenge": challenge}}
    trusted = ADAPTER.verify(request(json.dumps(told).encode(), {}))
    try:
        shaken = ADAPTER.handshake(trusted)
    except Malformed:
        return
    assert shaken is not None
    assert json.loads(shaken.body) == {"challenge": challenge}
    assert isinstance(challenge, str)
    assert challenge.isascii()


@given(st.text())
def test_only_a_probe_may_come_without_a_signature(event: str) -> None:
    body = json.dumps({"event": event, "from_user_id": "c", "content": {}}).encode()
    if event != "verify_webhook":
        with pytest.raises(Unverified):
            ADAPTER.verify(request(body, {}))


def test_a_probe_that_nobody_signed_says_nothing_that_is_kept() -> None:
    told = {"event": "verify_webhook", "content": {"challenge": 1}}
    trusted = ADAPTER.verify(request(json.dumps(told).encode(), {}))
    with pytest.raises(Malformed):
        ADAPTER.decode(trusted)


# ----- the rest ----------------------------------------------------------------------------------


def test_the_recorded_message_is_heard() -> None:
    told = vector("douyin-im-webhook")
    headers = {"x-douyin-signature": told["outputs"]["x_douyin_signature"]}
    trusted = ADAPTER.verify(request(told["inputs"]["body"].encode(), headers))
    (event,) = ADAPTER.decode(trusted).events
    assert isinstance(event, Received)
    assert event.sender_name == "小李"


def test_a_files_address_is_opened_with_the_token_and_its_owner() -> None:
    call = ADAPTER.fetch_call(Media(kind=MediaKind.IMAGE, ref="@c+/=|@m+/="))
    assert call is not None
    assert "conversation_id=%40c%2B%2F%3D&message_id=%40m%2B%2F%3D" in call.url
    signed = ADAPTER.sign(call, token=Token(value="act.demo", expires_at=NOW), moment=MOMENT)
    assert signed.headers == (("access-token", "act.demo"), ("openid", "merchant"))


@pytest.mark.parametrize(
    "wrong", [{}, {"client_secret": "s", "refresh_token": "r"}, {"secret": "s", "api_base": "x"}]
)
def test_wrong_settings_say_what_is_wrong(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"client_secret|needs client_key|https"):
        Settings(**wrong)
