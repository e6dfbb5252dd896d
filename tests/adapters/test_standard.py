"""The generic webhook against the official package, and its schema against what goes both ways."""

import base64
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from standardwebhooks import Webhook

from adapters.standard.adapter import Standard
from adapters.standard.proof import signature
from adapters.standard.settings import Settings, key_of
from router.channel.capture import Taken
from router.channel.contract import HttpCall, Moment, Request
from tests.adapters.case_files import (
    ENTROPY,
    NOW,
    ROOT,
    Case,
    answered,
    cases,
    deliveries,
    played,
)

SECRET = "whsec_bWFpbnN0ZW0tZGVtby1zZWNyZXQtMDAwMQ=="
WORDS = st.text(st.characters(exclude_categories=["Cs"]))
CASES = list(cases("standard"))
DELIVERED = [
    pytest.param(request, taken, id=f"{case.path.stem}-{number}")
    for case in CASES
    for number, ((_, request), (_, taken)) in enumerate(
        zip(deliveries(case), played(case), strict=True)
    )
]
SENT = [
    pytest.param(call, id=f"{case.path.stem}-{number}")
    for case in CASES
    for number, exchange in enumerate(case.exchanges())
    for made in (answered(case, exchange),)
    for call in (made.get("signed"), *made.get("calls", (made.get("call"),)))
    if isinstance(call, HttpCall)
]


def schema() -> Draft202012Validator:
    """Return the schema that the README shows."""
    page = (ROOT / "adapters/standard/README.md").read_text("utf-8")
    found = re.search(r"^```json\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert found, "the README shows no schema"
    told = json.loads(found[1])
    Draft202012Validator.check_schema(told)
    return Draft202012Validator(told)


def theirs(secret: str, external_id: str, at: datetime, body: str) -> str:
    signed: str = Webhook(secret).sign(external_id, at, body)
    return signed


@given(external_id=WORDS, seconds=st.integers(0, 9_999_999_999), body=WORDS)
def test_the_package_signs_the_same(external_id: str, seconds: int, body: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    ours = signature(key_of(SECRET), external_id, str(seconds), body.encode())
    assert ours == theirs(SECRET, external_id, at, body)


@given(st.binary(min_size=24, max_size=64), st.booleans())
def test_a_secret_means_the_same_key_to_the_package(key: bytes, prefixed: bool) -> None:  # noqa: FBT001
    secret = ("whsec_" if prefixed else "") + base64.b64encode(key).decode()
    assert key_of(secret) == key
    assert signature(key, "msg", "1760000390", b"{}") == theirs(
        secret, "msg", datetime.fromtimestamp(1760000390, UTC), "{}"
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.path.stem)
def test_a_delivery_is_proven_if_the_package_signed_it(case: Case) -> None:
    given = case.told["settings"]
    secrets = [given[name] for name in ("secret", "previous_secret") if name in given]
    for (_, request), (_, taken) in zip(deliveries(case), played(case), strict=True):
        signatures = set(request.headers.get("webhook-signature", "").split(" "))
        expected = {each for secret in secrets for each in accepted(request, secret)}
        assert taken.verified == bool(expected & signatures)


def accepted(request: Request, secret: str) -> Iterator[str]:
    """Yield the signature by which the package would take a request as fresh and proven."""
    timestamp, external_id = (
        request.headers.get(name, "") for name in ("webhook-timestamp", "webhook-id")
    )
    if timestamp.isdigit() and external_id:
        at = datetime.fromtimestamp(int(timestamp), UTC)
        if abs(request.moment.now - at) <= timedelta(minutes=5):
            yield theirs(secret, external_id, at, request.body.decode())


@pytest.mark.parametrize("call", SENT)
def test_what_we_send_the_package_would_have_signed_the_same(call: HttpCall) -> None:
    headers = dict(call.headers)
    if "webhook-signature" in headers:
        at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        body = call.body.decode()
        assert headers["webhook-signature"] == theirs(SECRET, headers["webhook-id"], at, body)


@pytest.mark.parametrize("call", SENT)
def test_what_we_send_is_what_the_schema_says(call: HttpCall) -> None:
    assert list(wrong(json.loads(call.body))) == []


@pytest.mark.parametrize(("delivered", "taken"), DELIVERED)
def test_what_the_schema_allows_is_understood(delivered: Request, taken: Taken) -> None:
    if not taken.verified:
        return
    try:
        body = json.loads(delivered.body)
    except ValueError:
        assert taken.error
        return
    if not list(wrong(body)):
        assert taken.error == ""
        assert taken.decoded.events


@pytest.mark.parametrize(("delivered", "taken"), DELIVERED)
def test_what_is_not_understood_the_schema_does_not_allow(delivered: Request, taken: Taken) -> None:
    if taken.error.startswith("Malformed") and delivered.body != b"{":
        assert list(wrong(json.loads(delivered.body)))
        assert b"kept" in taken.answer.body


def wrong(event: Any) -> Iterator[str]:
    yield from (error.message for error in schema().iter_errors(event))


def test_a_call_that_is_repeated_keeps_its_id_and_gets_a_new_time() -> None:
    adapter = Standard(Settings(secret=SECRET, reply_url="https://gateway.shop.example/"))
    call = next(param.values[0] for param in SENT if isinstance(param.values[0], HttpCall))
    first, second = (
        dict(adapter.sign(call, token=None, moment=Moment(now=at, entropy=ENTROPY)).headers)
        for at in (NOW, NOW + timedelta(hours=1))
    )
    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-timestamp"] != second["webhook-timestamp"]


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!!", "a" * 200])
def test_a_secret_that_is_too_weak_or_no_base64_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="secret"):
        Settings(secret=secret)


def test_the_answer_to_what_cannot_be_read_is_a_success_so_that_it_is_not_sent_for_ever() -> None:
    told = [taken for case in CASES for _, taken in played(case)]
    unread = [each for each in told if each.error.startswith("Malformed")]
    assert {each.answer.status for each in unread} == {202}
