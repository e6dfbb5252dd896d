"""Twilio's messages against Twilio's own package: every form that it signs is taken as signed."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from adapters.twiliosms import CHANNEL
from router.channel.contract import (
    Moment,
    Receipt,
    ReceiptState,
    Received,
    Request,
    Unverified,
)
from tests.adapters.case_files import NOW
from tests.adapters.vectors import vector

URL = "https://pam.example.com/hooks/shop-sms"
TOKEN = "12345678901234567890123456789abc"
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)


def an_adapter(**more: Any) -> Any:
    given_settings = {"auth_token": TOKEN, "account_sid": "AC1", **more}
    return CHANNEL.build(msgspec.convert(given_settings, CHANNEL.settings))


def a_request(fields: Mapping[str, str], signature: str, url: str = URL, **headers: str) -> Request:
    return Request(
        method="POST",
        url=url,
        headers={"x-twilio-signature": signature, **headers},
        body=urlencode(fields).encode(),
        moment=Moment(now=NOW, entropy=bytes(16)),
    )


@given(st.dictionaries(st.sampled_from(["Body", "From", "To", "Label", "X y"]), WORDS))
def test_what_the_official_package_signs_is_proven_and_its_words_are_kept(
    told: dict[str, str],
) -> None:
    fields = {"MessageSid": "SM1", "From": "+14155550123", **told}
    signature = RequestValidator(TOKEN).compute_signature(URL, fields)
    adapter = an_adapter()
    decoded = adapter.decode(adapter.verify(a_request(fields, signature)))
    if fields["From"] and told.get("Body"):
        (event,) = decoded.events
        assert isinstance(event, Received)
        assert event.content.text == told["Body"]


def test_the_recorded_vectors_are_proven() -> None:
    plain, shared = vector("twilio-sms-form"), vector("twilio-sharedkey-sha256")
    inputs = plain["inputs"]
    request = a_request(inputs["params"], plain["outputs"]["x_twilio_signature"], inputs["url"])
    adapter = an_adapter(auth_token=inputs["auth_token"])
    (event,) = adapter.decode(adapter.verify(request)).events
    assert event.content.text == "Where is my order? 📦"
    inputs = shared["inputs"]
    header = {"x-twilio-webhooks-signature-settings": inputs["settings_header"]}
    request = a_request(
        inputs["params"], shared["outputs"]["x_twilio_signature"], inputs["url"], **header
    )
    an_adapter(shared_key_secret=inputs["shared_key_secret"]).verify(request)
    with pytest.raises(Unverified):
        an_adapter().verify(request)


@pytest.mark.parametrize(
    ("code", "why"),
    [("30003", "recipient"), ("30007", "content"), ("63016", "window"), ("", "unknown")],
)
def test_a_receipt_refuses_for_the_same_reasons_as_an_answer(code: str, why: str) -> None:
    fields = {"MessageSid": "SM1", "MessageStatus": "failed", "To": "+1", "ErrorCode": code}
    signature = RequestValidator(TOKEN).compute_signature(URL, fields)
    adapter = an_adapter()
    (event,) = adapter.decode(adapter.verify(a_request(fields, signature))).events
    assert isinstance(event, Receipt)
    assert (event.state, event.why) == (ReceiptState.REFUSED, why)
