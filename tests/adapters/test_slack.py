"""Slack against its official SDK: signatures and their time, and its writing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.signature import Clock, SignatureVerifier

from adapters.slack.adapter import Slack, signature
from adapters.slack.markup import escaped, plain
from adapters.slack.settings import Settings
from router.channel.capture import Taken
from router.channel.captured import read_time
from router.channel.contract import Moment, Request, Unverified
from tests.adapters.case_files import ENTROPY, cases, deliveries, played
from tests.adapters.vectors import vector

EVENT, FORM = vector("slack-event"), vector("slack-interactivity-form")
SECRET = EVENT["inputs"]["signing_secret"]
DELIVERED = [
    pytest.param(request, taken, id=case.path.stem)
    for case in cases("slack")
    for (_, request), (_, taken) in zip(deliveries(case), played(case), strict=True)
]
WORDS = st.text(st.characters(exclude_categories=["Cs"]))


class At(Clock):
    """The SDK's clock, standing still."""

    def __init__(self, now: float) -> None:
        self._now = now

    def now(self) -> float:
        return self._now


@pytest.mark.parametrize("told", [EVENT, FORM], ids=["event", "form"])
def test_the_recorded_signatures_are_ours(told: dict[str, dict[str, str]]) -> None:
    made = told["inputs"]
    ours = signature(made["signing_secret"], made["timestamp"], made["body"].encode())
    assert ours == told["outputs"]["signature"]


@given(body=WORDS, timestamp=st.integers(0, 9_999_999_999))
def test_the_sdk_signs_the_same(body: str, timestamp: int) -> None:
    theirs = SignatureVerifier(SECRET).generate_signature(timestamp=str(timestamp), body=body)
    assert signature(SECRET, str(timestamp), body.encode()) == theirs


@pytest.mark.parametrize(("delivered", "taken"), DELIVERED)
def test_the_sdk_accepts_and_refuses_the_same_deliveries(delivered: Request, taken: Taken) -> None:
    timestamp = delivered.headers.get("x-slack-request-timestamp", "")
    given_signature = delivered.headers.get("x-slack-signature", "")
    verifier = SignatureVerifier(SECRET, At(delivered.moment.now.timestamp()))
    try:
        accepted = verifier.is_valid(delivered.body, timestamp, given_signature)
    except (ValueError, TypeError):  # a time that is no number, a signature that is not ASCII
        accepted = False
    assert accepted == taken.verified


@pytest.mark.parametrize("at", [*EVENT["outputs"]["valid_at_now"], 1759999999.5, 1760000600.5])
def test_the_window_is_as_wide_as_the_sdks(at: float) -> None:
    made = EVENT["inputs"]
    request = a_request(made["body"], made["timestamp"], at)
    theirs = SignatureVerifier(SECRET, At(at)).is_valid(
        made["body"], made["timestamp"], EVENT["outputs"]["signature"]
    )
    assert verified(request) == theirs


@pytest.mark.parametrize("at", EVENT["outputs"]["invalid_at_now"])
def test_what_was_signed_too_long_ago_or_ahead_is_refused(at: int) -> None:
    made = EVENT["inputs"]
    assert not verified(a_request(made["body"], made["timestamp"], at))


@given(WORDS)
def test_what_we_escape_slack_shows_as_it_was(words: str) -> None:
    assert plain(escaped(words)) == words
    assert not {"<", ">"} & set(escaped(words))


def a_request(body: str, timestamp: str, at: float) -> Request:
    return Request(
        method="POST",
        url="https://shop.example/hooks/slack",
        headers={
            "x-slack-request-timestamp": timestamp,
            "x-slack-signature": EVENT["outputs"]["signature"],
        },
        body=body.encode(),
        moment=Moment(now=read_time(at, "at"), entropy=ENTROPY),
    )


def verified(request: Request) -> bool:
    adapter = Slack(Settings(signing_secret=SECRET, bot_token="xoxb-test-token"))
    try:
        adapter.verify(request)
    except Unverified:
        return False
    return True
