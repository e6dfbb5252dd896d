"""X against tweepy and oauthlib: how our calls are signed, and what they look like."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
import tweepy  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from oauthlib.oauth1 import Client  # type: ignore[import-untyped]
from requests.adapters import BaseAdapter

from adapters.x.adapter import X
from adapters.x.outbound import weight
from adapters.x.proof import signature
from adapters.x.settings import MAX_POST, Settings
from router.channel.contract import Audience, HttpCall, Moment, Outbound
from router.domain.content import Text
from tests.adapters.vectors import vector

SETTINGS = Settings(
    consumer_secret="xConsumerSecret_made_up_0001",
    consumer_key="xConsumerKeyDemo",
    access_token="7100420088-tokenDemo",
    access_token_secret="xTokenSecretDemo",
)
ADAPTER = X(SETTINGS)
NOW = datetime(2025, 10, 9, 9, tzinfo=UTC)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


class Caught(BaseAdapter):
    """The end of the line: keeps the request and says that it was taken."""

    def __init__(self) -> None:
        super().__init__()
        self.request = requests.PreparedRequest()

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        self.request = request
        answer = requests.Response()
        answer.status_code = 201
        answer._content = b'{"data":{"id":"1","dm_event_id":"1"}}'  # noqa: SLF001  as BaseAdapter must
        answer.request = request
        return answer

    def close(self) -> None:
        """Close nothing."""


@pytest.fixture(name="theirs")
def their_client() -> tuple[tweepy.Client, Caught]:
    client = tweepy.Client(
        consumer_key=SETTINGS.consumer_key,
        consumer_secret=SETTINGS.consumer_secret,
        access_token=SETTINGS.access_token,
        access_token_secret=SETTINGS.access_token_secret,
    )
    caught = Caught()
    client.session.mount("https://", caught)
    return client, caught


def a_message(text: str, **more: Any) -> Outbound:
    return Outbound(id="m-1", recipient="3001969357", content=Text(text=text), at=NOW, **more)


def test_a_private_message_is_the_one_that_tweepy_sends(
    theirs: tuple[tweepy.Client, Caught],
) -> None:
    client, caught = theirs
    client.create_direct_message(participant_id="3001969357", text="您好 😀")
    (call,) = ADAPTER.encode(a_message("您好 😀"))
    assert told(call) == asked(caught.request)


def test_a_public_answer_is_the_one_that_tweepy_sends(theirs: tuple[tweepy.Client, Caught]) -> None:
    client, caught = theirs
    client.create_tweet(text="sorry!", in_reply_to_tweet_id="1976200000000000001")
    (call,) = ADAPTER.encode(
        a_message("sorry!", audience=Audience.PUBLIC, reply_handle="1976200000000000001")
    )
    assert told(call) == asked(caught.request)


def told(call: HttpCall) -> tuple[str, str, Any]:
    return call.method, path_of(call.url), json.loads(call.body)


def asked(request: requests.PreparedRequest) -> tuple[str | None, str, Any]:
    return request.method, path_of(request.url or ""), json.loads(bytes_of(request.body))


def bytes_of(body: object) -> bytes:
    assert isinstance(body, str | bytes)
    return body.encode() if isinstance(body, str) else body


def path_of(url: str) -> str:
    """Return the path: the host is known by its older and its newer name."""
    return url.removeprefix("https://api.twitter.com").removeprefix("https://api.x.com")


@given(
    method=st.sampled_from(("GET", "POST")),
    query=st.lists(st.tuples(WORDS, WORDS), max_size=4),
    entropy=st.binary(min_size=16, max_size=16),
    seconds=st.integers(1_000_000_000, 2_000_000_000),
)
def test_a_call_is_signed_as_oauthlib_signs_it(
    method: str, query: list[tuple[str, str]], entropy: bytes, seconds: int
) -> None:
    url = "https://api.x.com/2/tweets" + (f"?{urlencode(query)}" if query else "")
    call = HttpCall(method=method, url=url, headers=(("content-type", "application/json"),))
    moment = Moment(now=datetime.fromtimestamp(seconds, UTC), entropy=entropy)
    client = Client(
        SETTINGS.consumer_key,
        SETTINGS.consumer_secret,
        SETTINGS.access_token,
        SETTINGS.access_token_secret,
        nonce=entropy.hex(),
        timestamp=str(seconds),
    )
    _, headers, _ = client.sign(url, http_method=method)
    ours = dict(ADAPTER.sign(call, token=None, moment=moment).headers)
    assert fields(ours["authorization"]) == fields(headers["Authorization"])


def fields(header: str) -> set[str]:
    assert header.startswith("OAuth ")
    return set(header.removeprefix("OAuth ").split(", "))


def test_our_keys_go_to_x_and_nowhere_else() -> None:
    call = HttpCall(method="GET", url="https://api.x.com.evil.example/2/tweets")
    assert ADAPTER.sign(call, token=None, moment=Moment(now=NOW, entropy=b"0" * 16)) == call


def test_the_recorded_signatures_are_ours() -> None:
    check, event = vector("x-crc"), vector("x-event")
    answer = {"response_token": signature(SETTINGS.consumer_secret, b"NGM0ZTJkZTAtZGVtbw")}
    assert json.dumps(answer) == json.dumps(json.loads(check["outputs"]["response_body"]))
    ours = signature(event["inputs"]["consumer_secret"], event["inputs"]["body"].encode())
    assert ours == event["outputs"]["x_twitter_webhooks_signature"]


@given(WORDS)
def test_a_public_answer_is_cut_to_what_x_counts_and_loses_nothing(text: str) -> None:
    calls = ADAPTER.encode(a_message(text, audience=Audience.PUBLIC, reply_handle="1"))
    parts = [json.loads(call.body)["text"] for call in calls]
    assert "".join(parts) == text
    assert all(weight(part) <= MAX_POST for part in parts)


@pytest.mark.parametrize(
    ("text", "counted"),
    [("hello", 5), ("您好", 4), ("café", 4), ("see https://a.cn now", 4 + 23 + 4), ("😀", 2)],
)
def test_a_post_is_counted_as_the_page_counts(text: str, counted: int) -> None:
    assert weight(text) == counted
