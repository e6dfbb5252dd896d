"""LINE against its official SDK: signatures, and what its parser reads."""

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from linebot.v3.models.events import UnknownEvent
from linebot.v3.webhook import SignatureValidator, WebhookParser

from adapters.line.adapter import signature
from adapters.line.outbound import calls_for
from router.channel.capture import Taken
from router.channel.contract import Outbound, Received, Request
from router.domain.content import Text
from tests.adapters.case_files import NOW, cases, deliveries, played
from tests.adapters.vectors import vector

VECTOR = vector("line-message")
SECRET = VECTOR["inputs"]["channel_secret"]
EVERY = [
    (request, taken, case.path.stem)
    for case in cases("line")
    for (_, request), (_, taken) in zip(deliveries(case), played(case), strict=True)
]
DELIVERED = [pytest.param(request, taken, id=name) for request, taken, name in EVERY]
READ = [
    pytest.param(request, taken, id=name)
    for request, taken, name in EVERY
    if taken.verified and not taken.error
]
#: What the SDK's own models refuse: a place without numbers, a kind of message that is too new.
UNREADABLE = ("latitude", "hologram", "teleported")


def test_the_recorded_signature_is_ours() -> None:
    body = VECTOR["inputs"]["body"].encode()
    assert signature(SECRET, body) == VECTOR["outputs"]["x_line_signature"]


@given(
    secret=st.text(string.hexdigits, min_size=1),
    body=st.text(st.characters(exclude_categories=["Cs"])),
)
def test_what_we_sign_the_sdk_accepts(secret: str, body: str) -> None:
    assert SignatureValidator(secret).validate(body, signature(secret, body.encode()))


@pytest.mark.parametrize(("delivered", "taken"), DELIVERED)
def test_the_sdk_accepts_and_refuses_the_same_deliveries(delivered: Request, taken: Taken) -> None:
    header = delivered.headers.get("x-line-signature", "").encode("ascii", "replace").decode()
    accepted = SignatureValidator(SECRET).validate(delivered.body.decode(), header)
    assert accepted == taken.verified


@pytest.mark.parametrize(("delivered", "taken"), READ)
def test_the_sdk_reads_the_same_events(delivered: Request, taken: Taken) -> None:
    header = delivered.headers["x-line-signature"]
    theirs = WebhookParser(SECRET).parse(delivered.body.decode(), header)
    assert len(theirs) == len(taken.decoded.events)
    for their, ours in zip(theirs, taken.decoded.events, strict=True):
        if isinstance(their, UnknownEvent):
            assert any(word in delivered.body.decode() for word in UNREADABLE)
        elif isinstance(ours, Received):
            named = their.message.id if their.type == "message" else their.webhook_event_id
            assert ours.external_id == named
            assert ours.reply_handle == (their.reply_token or "")
            assert ours.standby == (their.mode.value == "standby")
            assert round(ours.at.timestamp() * 1000) == their.timestamp


@given(text=st.text(min_size=1, max_size=50), times=st.integers(1, 2000))
def test_a_long_answer_is_said_whole_in_parts_that_line_takes(text: str, times: int) -> None:
    message = Outbound(id="m1", recipient="U1", content=Text(text=text * times), at=NOW)
    calls = calls_for(message, api_base="https://api.line.me")
    parts = [part["text"] for call in calls for part in json.loads(call.body)["messages"]]
    assert "".join(parts) == (text * times).encode("utf-8", "replace").decode()
    assert all(len(part.encode("utf-16-le")) <= 5000 * 2 for part in parts)
    keys = [dict(call.headers)["x-line-retry-key"] for call in calls]
    assert len(set(keys)) == len(keys), "each push has a retry key of its own"
    assert calls == calls_for(message, api_base="https://api.line.me"), "and keeps it"
