"""The generic webhook against the official package, and its schema against what we take and send."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from standardwebhooks import Webhook

from adapters.standard.proof import signature
from adapters.standard.settings import Settings, key_of
from router.channel.capture import Taken
from router.channel.contract import HttpCall, Malformed, Moment, Request
from tests.adapters.case_files import ENTROPY, NOW, ROOT, answered, cases, deliveries, played

SECRET = "whsec_bWFpbnN0ZW0tZGVtby1zZWNyZXQtMDAwMQ=="
WORDS = st.text(st.characters(exclude_categories=["Cs"]))
DELIVERED = [
    pytest.param(request, taken, id=f"{case.path.stem}-{number}")
    for case in cases("standard")
    for number, ((_, request), (_, taken)) in enumerate(
        zip(deliveries(case), played(case), strict=True)
    )
]
SENT = [
    pytest.param(call, id=f"{case.path.stem}-{number}")
    for case in cases("standard")
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
    import base64  # noqa: PLC0415

    secret = ("whsec_" if prefixed else "") + base64.b64encode(key).decode()
    assert key_of(secret) == key
    assert signature(key, "msg", "1760000390", b"{}") == theirs(
        secret, "msg", datetime.fromtimestamp(1760000390, UTC), "{}"
    )


@pytest.mark.parametrize(("delivered", "taken"), DELIVERED)
def test_a_delivery_is_proven_if_the_package_signed_it(delivered: Request, taken: Taken) -> None:
    timestamp = delivered.headers.get("webhook-timestamp", "")
    external_id = delivered.headers.get("webhook-id", "")
    expected = set()
    if timestamp.isdigit() and external_id:
        at = datetime.fromtimestamp(int(timestamp), UTC)
        fresh = abs(delivered.moment.now - at) <= timedelta(minutes=5)
        secrets = (SECRET, *(("whsec_bWFpbnN0ZW0tZGVtby1zZWNyZXQtMDAwMA==",) if old(taken) else ()))
        expected = {theirs(each, external_id, at, delivered.body.decode()) for each in secrets}
        expected = expected if fresh else set()
    given = set(delivered.headers.get("webhook-signature", "").split(" "))
    assert taken.verified == bool(expected & given)


def old(taken: Taken) -> bool:
    """Return whether the delivery is of the case in which the old secret is still accepted."""
    return "还在吗" in str(taken.decoded) and "m-24" in str(taken.decoded)


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
    from adapters.standard.adapter import Standard  # noqa: PLC0415

    adapter = Standard(Settings(secret=SECRET, reply_url="https://gateway.shop.example/"))
    call = next(param.values[0] for param in SENT if isinstance(param.values[0], HttpCall))
    first, second = (
        dict(
            adapter.sign(call, token=None, moment=Moment(now=at, entropy=ENTROPY)).headers
        )
        for at in (NOW, NOW + timedelta(hours=1))
    )
    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-timestamp"] != second["webhook-timestamp"]


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!!", "a" * 200])
def test_a_secret_that_is_too_weak_or_no_base64_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="secret"):
        Settings(secret=secret)


def test_the_answer_to_what_cannot_be_read_is_a_success_so_that_it_is_not_sent_for_ever() -> None:
    told = [taken for param in DELIVERED for taken in (param.values[1],)]
    unread = [each for each in told if isinstance(each, Taken) and each.error.startswith("Malf")]
    assert unread
    assert {each.answer.status for each in unread} == {202}
    assert issubclass(Malformed, Exception)
