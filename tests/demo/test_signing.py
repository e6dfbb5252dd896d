"""What the players sign and seal is what independent implementations of the platforms sign."""

from datetime import UTC, datetime

import jwt
import pytest
from twilio.request_validator import RequestValidator

from router.cli.demo.signing import (
    aes_key_text,
    member_token,
    sealed,
    sha1_of,
    twilio_signature,
)
from tests.adapters.vectors import vector


def test_twilios_own_validator_accepts_the_signature() -> None:
    url, fields = (
        "https://router.example/hooks/hotline/x",
        {"CallSid": "CA1", "To": "+86", "A": "是"},
    )
    made = twilio_signature(url, fields, auth_token="t0ken")
    assert RequestValidator("t0ken").validate(url, fields, made)
    assert not RequestValidator("other").validate(url, fields, made)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_wechatpy_opens_what_is_sealed() -> None:
    from wechatpy.crypto import WeChatCrypto  # noqa: PLC0415  warns when it is imported

    key = aes_key_text("a secret")
    message = "<xml><Content>沙发坏了</Content></xml>"
    text = sealed(message, aes_key=key, receiver="wx1", entropy=bytes(range(16)))
    signature = sha1_of("token", "1760000000", "n", text)
    body = f"<xml><ToUserName>gh_1</ToUserName><Encrypt>{text}</Encrypt></xml>"

    opened = WeChatCrypto("token", key, "wx1").decrypt_message(body, signature, "1760000000", "n")
    assert opened == message


def test_weibos_recorded_signature_is_made_the_same_way() -> None:
    recorded = vector("weibo-signature")
    inputs = recorded["inputs"]
    made = sha1_of(inputs["app_secret"], str(inputs["timestamp"]), inputs["nonce"])
    assert made == recorded["outputs"]["signature"]


def test_a_members_token_says_who_it_is_and_for_whom() -> None:
    secret = "s" * 32
    token = member_token(
        member="m-1",
        name="会员",
        number="+8613900000101",
        issuer="shop",
        secret=secret,
        now=datetime(2026, 11, 11, tzinfo=UTC),
    )
    claims = jwt.decode(
        token,
        secret,
        algorithms=["HS256"],
        audience="pam-webchat",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert (claims["sub"], claims["phone"], claims["iss"]) == ("m-1", "+8613900000101", "shop")
