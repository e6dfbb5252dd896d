"""The WeChat family's signature and cipher against wechatpy and the recorded vectors."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy.crypto import PrpCrypto, WeChatCrypto  # type: ignore[import-untyped]
from wechatpy.exceptions import InvalidSignatureException  # type: ignore[import-untyped]
from wechatpy.utils import check_signature  # type: ignore[import-untyped]

from adapters._common.wecrypt import Envelope, key_from, sorted_sha1
from router.channel.contract import Unverified
from tests.adapters.vectors import vector

SAFE = vector("wechat-safe-mode")
GIVEN = SAFE["inputs"]
ENVELOPE = Envelope(key=key_from(GIVEN["encoding_aes_key"]), receiver=GIVEN["appid"])
ORACLE = PrpCrypto(key_from(GIVEN["encoding_aes_key"]))
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SIXTEEN = st.binary(min_size=16, max_size=16)


@pytest.mark.parametrize(
    ("name", "secret"),
    [("wechat-handshake", "token"), ("weibo-signature", "app_secret")],
)
def test_a_plain_signature_is_the_recorded_one_and_wechatpy_accepts_it(
    name: str, secret: str
) -> None:
    told = vector(name)
    parts = told["inputs"][secret], told["inputs"]["timestamp"], told["inputs"]["nonce"]
    assert sorted_sha1(*parts) == told["outputs"]["signature"]
    check_signature(parts[0], sorted_sha1(*parts), *parts[1:])


def test_the_signature_printed_in_weibos_guide_is_ours() -> None:
    ours = sorted_sha1("xyz123xyz", "1397022061823", "57155157")
    assert ours == "90e4c22c90a58f26526c2dd5b6c56c8822edeaa1"


def test_the_recorded_ciphertext_opens_and_is_sealed_the_same() -> None:
    plain = GIVEN["plaintext"].encode()
    assert ENVELOPE.key.hex() == SAFE["outputs"]["aes_key_hex"]
    assert ENVELOPE.open(SAFE["outputs"]["encrypt"]) == plain
    sealed = ENVELOPE.seal(plain, entropy=GIVEN["random16"].encode())
    assert sealed == SAFE["outputs"]["encrypt"]
    signed = sorted_sha1(GIVEN["token"], GIVEN["timestamp"], GIVEN["nonce"], sealed)
    assert signed == SAFE["outputs"]["msg_signature"]


def test_the_recorded_passive_reply_is_sealed_the_same() -> None:
    told = vector("wechat-encrypted-passive-reply")
    made = told["inputs"]
    envelope = Envelope(key=key_from(made["encoding_aes_key"]), receiver=made["appid"])
    sealed = envelope.seal(made["plaintext"].encode(), entropy=made["random16"].encode())
    signed = sorted_sha1(made["token"], made["timestamp"], made["nonce"], sealed)
    found = re.findall(r"CDATA\[([^]]+)\]", told["outputs"]["response_xml"])
    assert found == [sealed, signed, made["nonce"]]


@given(TEXT)
def test_what_wechatpy_seals_we_open(words: str) -> None:
    sealed = ORACLE.encrypt(words, GIVEN["appid"]).decode()
    assert ENVELOPE.open(sealed) == words.encode()


@given(TEXT, SIXTEEN)
def test_what_we_seal_wechatpy_opens(words: str, entropy: bytes) -> None:
    sealed = ENVELOPE.seal(words.encode(), entropy=entropy)
    assert ORACLE.decrypt(sealed, GIVEN["appid"]) == words


def test_a_whole_message_of_wechatpy_is_verified_by_its_own_rules() -> None:
    crypto = WeChatCrypto(GIVEN["token"], GIVEN["encoding_aes_key"], GIVEN["appid"])
    body = {"Encrypt": ENVELOPE.seal("您好".encode(), entropy=b"0" * 16)}
    good = sorted_sha1(GIVEN["token"], "1760000000", "7", body["Encrypt"])
    assert crypto.decrypt_message(body, good, "1760000000", "7") == "您好"
    with pytest.raises(InvalidSignatureException):
        crypto.decrypt_message(body, good, "1760000001", "7")


@given(st.binary(max_size=96))
def test_a_ciphertext_of_rubbish_is_refused_and_nothing_else(rubbish: bytes) -> None:
    with pytest.raises(Unverified):
        ENVELOPE.open(rubbish.hex())


@given(st.text())
def test_a_text_that_is_no_base64_is_refused_and_nothing_else(rubbish: str) -> None:
    with pytest.raises(Unverified):
        ENVELOPE.open(rubbish)


@pytest.mark.parametrize("key", ["", "short", "*" * 43, "锁" * 43, "A" * 44])
def test_a_wrong_key_says_what_a_key_looks_like(key: str) -> None:
    with pytest.raises(ValueError, match="expected an EncodingAESKey"):
        key_from(key)
