"""Feishu against the official package lark-oapi: ciphers, signatures, error codes."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st
from lark_oapi import CardActionHandler, EventDispatcherHandler  # type: ignore[import-untyped]
from lark_oapi.channel.errors import classify_error  # type: ignore[import-untyped]
from lark_oapi.core.model import RawRequest  # type: ignore[import-untyped]
from lark_oapi.core.utils import AESCipher  # type: ignore[import-untyped]

from adapters.feishu.adapter import Feishu
from adapters.feishu.outbound import failure
from adapters.feishu.proof import opened
from adapters.feishu.settings import Settings
from router.channel.contract import (
    Deferred,
    Moment,
    Reason,
    Refused,
    Request,
    TokenExpired,
    Unverified,
)
from tests.adapters.vectors import vector

TOLD = vector("feishu-event-encrypted")
GIVEN = TOLD["inputs"]
KEY, TOKEN = GIVEN["encrypt_key"], GIVEN["verification_token"]
ADAPTER = Feishu(
    Settings(
        verification_token=TOKEN,
        encrypt_key=KEY,
        app_id="cli_a1b2c3d4e5f60001",
        app_secret="fs-secret",
    )
)
NAMES = ("X-Lark-Request-Timestamp", "X-Lark-Request-Nonce", "X-Lark-Signature")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def delivered(body: bytes, *values: str) -> Request:
    return Request(
        method="POST",
        url="https://shop.example/hooks/feishu/shop",
        headers={name.lower(): value for name, value in zip(NAMES, values, strict=False)},
        body=body,
        moment=Moment(now=datetime(2025, 10, 9, 9, tzinfo=UTC), entropy=b"0123456789abcdef"),
    )


def asked_of_the_sdk(handler: Any, body: bytes, *values: str) -> tuple[int, bytes]:
    request = RawRequest()
    request.uri = "/hooks/feishu/shop"
    request.headers = dict(zip(NAMES, values, strict=False))
    request.body = body
    answer = handler.do(request)
    return answer.status_code, answer.content


def dispatcher(heard: list[Any]) -> Any:
    made = EventDispatcherHandler.builder(KEY, TOKEN)
    return made.register_p2_im_message_receive_v1(heard.append).build()


def sealed(plain: bytes, iv: bytes) -> str:
    padding = 16 - len(plain) % 16
    key = hashlib.sha256(KEY.encode()).digest()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    data = encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()
    return base64.b64encode(iv + data).decode()


@given(TEXT, st.binary(min_size=16, max_size=16))
def test_what_we_open_the_sdk_opens_to_the_same(words: str, iv: bytes) -> None:
    secret = sealed(words.encode(), iv)
    assert opened(secret, KEY).decode() == AESCipher(KEY).decrypt_str(secret) == words


def test_the_recorded_event_is_proven_for_us_and_for_the_sdk() -> None:
    heard: list[Any] = []
    body = TOLD["outputs"]["body"].encode()
    proof = GIVEN["timestamp"], GIVEN["nonce"], TOLD["outputs"]["x_lark_signature"]
    status, answer = asked_of_the_sdk(dispatcher(heard), body, *proof)
    ours = ADAPTER.decode(ADAPTER.verify(delivered(body, *proof)))
    assert (status, answer) == (200, ours.response.body)
    assert heard[0].event.message.message_id == ours.events[0].external_id  # type: ignore[union-attr]


@pytest.mark.parametrize("changed", [0, 1, 2])
def test_what_the_sdk_refuses_we_refuse(changed: int) -> None:
    body = TOLD["outputs"]["body"].encode()
    proof = [GIVEN["timestamp"], GIVEN["nonce"], TOLD["outputs"]["x_lark_signature"]]
    proof[changed] = proof[changed][:-1] + "x"
    status, _ = asked_of_the_sdk(dispatcher([]), body, *proof)
    assert status == 500
    with pytest.raises(Unverified, match="does not match"):
        ADAPTER.verify(delivered(body, *proof))


def test_the_challenge_is_answered_as_the_sdk_answers_it() -> None:
    body = vector("feishu-challenge-encrypted")["outputs"]["body"].encode()
    shaken = ADAPTER.handshake(ADAPTER.verify(delivered(body)))
    assert shaken is not None
    assert asked_of_the_sdk(dispatcher([]), body) == (200, shaken.body)


@given(TEXT, TEXT)
def test_an_old_card_is_proven_for_us_and_for_the_sdk(timestamp: str, value: str) -> None:
    press = {"open_id": "ou_1", "token": "c", "action": {"tag": "button", "value": {"id": value}}}
    body = json.dumps(press).encode()
    signed = hashlib.sha1((timestamp + "n" + TOKEN).encode() + body, usedforsecurity=False)
    handler = CardActionHandler.builder(KEY, TOKEN).register(lambda _: None).build()
    status, _ = asked_of_the_sdk(handler, body, timestamp, "n", signed.hexdigest())
    trusted = ADAPTER.verify(delivered(body, timestamp, "n", signed.hexdigest()))
    assert (status, trusted.body) == (200, body)


# ----- answers -----------------------------------------------------------------------------------


CODES = (
    *(99991663, 99991664, 99991665, 99991666, 99991668, 99991402, 11020, 11021, 99991401),
    *(99991672, 99991679, 99991680, 99991681, 230001, 230002, 230003, 230005, 230010, 230017),
    *(230020, 230021, 230022, 230099, 500, 599, 50000, 59999, 424242),
)
CLASSES = {
    "rate_limited": (Deferred, None),
    "target_revoked": (Refused, Reason.RECIPIENT),
    "format_error": (Refused, Reason.CONTENT),
    "permission_denied": (Refused, Reason.ACCOUNT),
    "unknown": (Refused, Reason.UNKNOWN),
}


@pytest.mark.parametrize("code", CODES)
def test_a_code_means_for_us_what_it_means_for_the_sdk(code: int) -> None:
    theirs = classify_error(code)
    ours = failure(str(code), "")
    kind, reason = CLASSES[theirs.code.value]
    if theirs.retryable and theirs.code.value != "rate_limited":
        kind = TokenExpired if theirs.code.value == "permission_denied" else Deferred
        reason = None
    assert isinstance(ours, kind)
    assert getattr(ours, "reason", None) == reason


def test_the_code_that_the_sources_dispute_is_tried_again_with_patience() -> None:
    assert isinstance(failure("99991400", ""), Deferred)
    assert not classify_error(99991400).retryable
