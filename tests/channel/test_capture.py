"""A captured delivery is shown as the adapter takes it; a bad capture says what to mend."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from router.channel.capture import decode_capture
from router.channel.captured import BadCapture, read_request
from router.channel.contract import Moment
from router.channel.registry import channels
from tests.adapters.vectors import vector

SAFE = vector("wechat-safe-mode")
WEIBO = vector("weibo-signature")
WEIBO_QUERY = {
    "signature": WEIBO["outputs"]["signature"],
    "timestamp": WEIBO["inputs"]["timestamp"],
    "nonce": WEIBO["inputs"]["nonce"],
}
HELLO = json.dumps(
    {
        "type": "text",
        "receiver_id": 1902538057,
        "sender_id": 2489518277,
        "created_at": "Thu Oct 09 16:53:20 +0800 2025",
        "text": "到货就是坏的",
        "data": {},
    }
)


def shown(channel: str, **capture: Any) -> dict[str, Any]:
    given = {"now": "2025-10-09T17:00:00+08:00", **capture}
    read: dict[str, Any] = json.loads(
        decode_capture(channels()[channel], json.dumps(given).encode())
    )
    return read


def weibo(*steps: Any, config: Any = None, **more: Any) -> dict[str, Any]:
    return shown("weibo", config=config or WEIBO["inputs"], steps=list(steps), **more)


def a_push(**changes: Any) -> dict[str, Any]:
    request = {"method": "POST", "path": "/hooks/weibo", "query": WEIBO_QUERY, "body": HELLO}
    return {"request": {**request, **changes}}


def test_the_inputs_of_a_vector_are_a_configuration() -> None:
    query = {
        "timestamp": SAFE["inputs"]["timestamp"],
        "nonce": SAFE["inputs"]["nonce"],
        "encrypt_type": "aes",
        "msg_signature": SAFE["outputs"]["msg_signature"],
    }
    body = f"<xml><Encrypt>{SAFE['outputs']['encrypt']}</Encrypt></xml>"
    request = {"method": "POST", "path": "/", "query": query, "body": body}
    read = shown("wechat", config=SAFE["inputs"], steps=[{"request": request}])
    step = read["steps"][0]
    assert (step["verified"], step["error"], step["handshake"]) == (True, None, False)
    assert step["answer"]["body"] == "success"
    assert step["events"][0]["content"] == {"kind": "text", "text": "你好，订单到哪了？😀"}
    assert step["events"][0]["at"] == "2025-10-09T08:53:20Z"
    assert step["events"][0]["audience"] == "private"
    assert read["ignored_config"] == ["timestamp", "nonce", "random16", "plaintext"]
    assert read["assumed_config"] == ["app_secret"]


def test_a_handshake_shows_its_answer() -> None:
    told = vector("wechat-handshake")
    query = {**told["inputs"], "signature": told["outputs"]["signature"]}
    request = {"method": "get", "path": "/", "query": query}
    step = shown("wechat", config=told["inputs"], steps=[{"request": request}])["steps"][0]
    assert step["handshake"]
    assert step["answer"]["body"] == told["outputs"]["response_body"]


def test_a_refusal_is_shown_with_its_reason() -> None:
    step = weibo(a_push(query={**WEIBO_QUERY, "nonce": "1"}))["steps"][0]
    assert (step["verified"], step["answer"]["status"], step["events"]) == (False, 401, [])
    assert step["error"] == "Unverified: signature does not match"


def test_a_body_that_cannot_be_read_is_shown_with_its_reason() -> None:
    step = weibo(a_push(body="{"))["steps"][0]
    assert (step["verified"], step["answer"]["status"]) == (True, 200)
    assert step["error"].startswith("Malformed: the body is not JSON")


def test_steps_are_shown_in_order_and_a_replay_has_the_same_ids() -> None:
    read = weibo(a_push(), a_push(), a_push(body=HELLO.replace("2489518277", "7")))
    first, again, other = (step["events"][0]["external_id"] for step in read["steps"])
    assert first == again != other


@pytest.mark.parametrize(
    "where",
    [
        {"query": [[name, value] for name, value in WEIBO_QUERY.items()]},
        {"query": {"wrong": "1"}, "raw_query": "&".join("=".join(p) for p in WEIBO_QUERY.items())},
        {"query": None, "path": "/?" + "&".join("=".join(p) for p in WEIBO_QUERY.items())},
        {"path": "https://shop.example/hooks/weibo"},
    ],
)
def test_a_query_may_be_given_in_several_ways(where: dict[str, Any]) -> None:
    assert weibo(a_push(**where))["steps"][0]["verified"]


def test_bytes_may_be_given_in_base64() -> None:
    step = weibo(a_push(body=None, body_b64="eyJ0eXBlIjog/w=="))["steps"][0]
    assert step["error"].startswith("Malformed")


def test_an_answer_of_the_platform_is_interpreted() -> None:
    answer = {"status": 403, "body": '{"error":"expired_token","error_code":21327}'}
    send = {"recipient": "2489518277", "content": {"kind": "text", "text": "您好"}}
    told, bare = weibo({"response": answer, "send": send}, {"response": answer})["steps"]
    assert told["outcome"] == bare["outcome"]
    assert told["outcome"] == {
        "type": "Refused",
        "reason": "credentials",
        "why": "expired_token",
        "code": "21327",
    }
    assert "receiver_id=2489518277" in told["calls"][0]["body"]


def test_no_credential_stands_in_what_is_shown() -> None:
    config = {**WEIBO["inputs"], "access_token": "hidden-token"}
    send = {"content": {"kind": "text", "text": "您好"}}
    read = weibo(a_push(), {"send": send}, config=config)
    assert "hidden-token" not in str(read)
    assert WEIBO["inputs"]["app_secret"] not in str(read)


@pytest.mark.parametrize(
    ("capture", "said"),
    [
        (b"not json", "capture: expected JSON"),
        (b"[]", "capture: expected an object, got list"),
        (b'{"now": 1, "steps": []}', "steps: expected a list with at least one step"),
        (b'{"steps": [{}]}', "now: give a time such as"),
        (b'{"now": "2025-10-09T08:00:00", "steps": [{}]}', "now: give a time such as"),
        (b'{"now": "yesterday", "steps": [{}]}', "now: .*give a time such as"),
        (b'{"now": 1, "steps": [{}]}', r"steps\[0\]: holds nothing to do, expected one of request"),
        (b'{"now": 1, "config": [], "steps": [{}]}', "config: expected an object"),
        (b'{"now": 1, "config": {"app_secret": 5}, "steps": [{}]}', "config.app_secret: expected"),
        (b'{"now": 1, "steps": [{"request": "GET /"}]}', r"steps\[0\].request: expected an object"),
        (
            b'{"now": 1, "steps": [{"request": {"body": {}}}]}',
            "request.body: expected the raw body",
        ),
        (b'{"now": 1, "steps": [{"request": {"body_b64": "%"}}]}', "request.body_b64: expected"),
        (
            b'{"now": 1, "steps": [{"request": {"body": "", "body_b64": ""}}]}',
            "give body or body_b64, not both",
        ),
        (b'{"now": 1, "steps": [{"request": {"query": "a=b"}}]}', "request.query: expected an obj"),
        (b'{"now": 1, "steps": [{"request": {"query": ["ab"]}}]}', "expected pairs of name and"),
        (b'{"now": 1, "steps": [{"request": {"path": 7}}]}', "request.path: expected a path"),
        (b'{"now": 1, "steps": [{"response": {"status": "200"}}]}', "response.status: expected a"),
        (b'{"now": 1, "steps": [{"send": {"content": {"kind": "song"}}}]}', "there is no 'song'"),
        (b'{"now": 1, "steps": [{"send": {"content": {"kind": "text"}}}]}', "field `text`"),
        (b'{"now": 1, "steps": [{"pull_response": {}}]}', "this channel pulls nothing"),
    ],
)
def test_a_bad_capture_names_the_field_and_the_fix(capture: bytes, said: str) -> None:
    with pytest.raises(BadCapture, match=said):
        decode_capture(channels()["weibo"], capture)


def test_a_time_may_be_seconds_since_1970() -> None:
    assert weibo(a_push(), now=1760000000)["steps"][0]["verified"]
    assert weibo(a_push(), now="1760000000.5")["steps"][0]["verified"]


@pytest.mark.parametrize(
    ("base", "path", "url"),
    [
        ("https://shop.example", "/hooks/a?x=1", "https://shop.example/hooks/a?x=1"),
        ("https://shop.example/", "hooks/a", "https://shop.example/hooks/a"),
        ("https://shop.example/hooks/a", "/hooks/a", "https://shop.example/hooks/a"),
        ("https://shop.example/hooks", "/hooks/a", "https://shop.example/hooks/a"),
        ("https://shop.example", "https://other.example/a?x=%2B", "https://other.example/a?x=%2B"),
    ],
)
def test_the_address_is_the_public_one_with_the_query_as_it_came(
    base: str, path: str, url: str
) -> None:
    moment = Moment(now=datetime(2025, 10, 9, tzinfo=UTC), entropy=b"0" * 16)
    request = read_request({"path": path}, moment, base=base, where="request")
    assert request.url == url
    assert request.query in ((), (("x", "1"),), (("x", "+"),))


def test_header_names_lose_their_case_and_doubled_ones_are_joined() -> None:
    moment = Moment(now=datetime(2025, 10, 9, tzinfo=UTC), entropy=b"0" * 16)
    given = {"headers": [["X-One", "1"], ["x-one", "2"], ["Other", "3"]]}
    request = read_request(given, moment, where="request")
    assert request.headers == {"x-one": "1, 2", "other": "3"}
