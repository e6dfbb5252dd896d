"""DingTalk against the packages dingtalk-stream (official) and dingtalk-sdk."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from dingtalk.core.exceptions import (  # type: ignore[import-untyped]
    InvalidCorpIdOrSuiteKeyException,
    InvalidSignatureException,
)
from dingtalk.crypto import DingTalkCrypto  # type: ignore[import-untyped]
from dingtalk_stream import (  # type: ignore[import-untyped]
    AckMessage,
    CallbackMessage,
    ChatbotMessage,
)
from dingtalk_stream.frames import Headers  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from adapters.dingtalk.adapter import DingTalk
from adapters.dingtalk.proof import Way, robot_sign
from adapters.dingtalk.settings import Settings
from router.channel.contract import Moment, Outbound, Received, Request, Token, Unverified
from router.domain.content import Text
from tests.adapters.vectors import vector

PUSH = vector("dingtalk-event-push-encrypted")["inputs"]
ROBOT = vector("dingtalk-robot-callback")
SETTINGS = Settings(
    app_secret=ROBOT["inputs"]["app_secret"],
    app_key="dingappkey0123456789",
    token=PUSH["token"],
    aes_key=PUSH["aes_key"],
    receiver_id=PUSH["receiver_id"],
)
ADAPTER = DingTalk(SETTINGS)
ORACLE = DingTalkCrypto(PUSH["token"], PUSH["aes_key"], PUSH["receiver_id"])
NOW = datetime(2025, 10, 9, 9, tzinfo=UTC)
ENTROPY = b"0123456789abcdef"
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def request(
    body: Any, *, headers: dict[str, str] | None = None, query: dict[str, str] | None = None
) -> Request:
    return Request(
        method="POST",
        url=f"https://shop.example/hooks/dingtalk?{urlencode(query or {})}",
        headers=headers or {},
        body=json.dumps(body).encode(),
        moment=Moment(now=NOW, entropy=ENTROPY),
        query=tuple((query or {}).items()),
    )


def pushed(words: str, oracle: Any = ORACLE, name: str = "msg_signature") -> Request:
    made = oracle.encrypt_message(words, nonce="nonce1", timestamp="1760000000123")
    query = {name: made["msg_signature"], "timestamp": made["timeStamp"], "nonce": made["nonce"]}
    return request({"encrypt": made["encrypt"]}, query=query)


def test_the_recorded_sign_of_a_robot_is_ours() -> None:
    sign = robot_sign(ROBOT["inputs"]["timestamp_ms"], SETTINGS.app_secret)
    assert sign == ROBOT["outputs"]["sign"]


# ----- encrypted pushes --------------------------------------------------------------------------


@given(WORDS)
def test_what_the_sdk_seals_we_open(words: str) -> None:
    trusted = ADAPTER.verify(pushed(words))
    assert (trusted.body, trusted.proof) == (words.encode(), Way.PUSH)


def test_our_answer_to_a_push_is_a_success_that_the_sdk_opens() -> None:
    trusted = ADAPTER.verify(pushed('{"EventType":"user_add_org"}'))
    answer = json.loads(ADAPTER.decode(trusted).response.body)
    opened = ORACLE.decrypt_message(
        answer, answer["msg_signature"], answer["timeStamp"], answer["nonce"]
    )
    assert opened == "success"
    with pytest.raises(InvalidSignatureException):
        ORACLE.decrypt_message(answer, "0" * 40, answer["timeStamp"], answer["nonce"])


def test_the_recorded_answer_is_what_a_success_looks_like() -> None:
    told = vector("dingtalk-event-push-answer")["outputs"]["response_json"]
    trusted = ADAPTER.verify(pushed('{"EventType":"check_url"}'))
    shaken = ADAPTER.handshake(trusted)
    assert shaken is not None
    ours = json.loads(shaken.body)
    assert set(ours) == set(told)
    sealed = SETTINGS.envelope.seal(
        b"success", entropy=vector("dingtalk-event-push-answer")["inputs"]["random16"].encode()
    )
    assert sealed == told["encrypt"]


def test_a_push_for_another_receiver_is_refused_by_us_and_by_the_sdk() -> None:
    other = DingTalkCrypto(PUSH["token"], PUSH["aes_key"], "dingother")
    delivery = pushed("{}", other)
    with pytest.raises(Unverified, match="another receiver"):
        ADAPTER.verify(delivery)
    query, body = dict(delivery.query), json.loads(delivery.body)
    with pytest.raises(InvalidCorpIdOrSuiteKeyException):
        ORACLE.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])


# ----- messages and frames -----------------------------------------------------------------------


def message(words: str) -> dict[str, Any]:
    return {
        "conversationId": "cid1",
        "conversationType": "1",
        "msgId": "m1",
        "senderNick": "王小明",
        "senderStaffId": "manager4220",
        "senderId": "$:LWCP_v1:$S",
        "createAt": 1760000000123,
        "robotCode": "robot1",
        "sessionWebhook": "https://oapi.dingtalk.com/robot/sendBySession?session=s",
        "sessionWebhookExpiredTime": 1760005400123,
        "msgtype": "text",
        "text": {"content": words},
    }


@given(WORDS)
def test_we_hear_what_the_official_package_hears(words: str) -> None:
    body = message(words)
    theirs = ChatbotMessage.from_dict(body)
    stamp = ROBOT["inputs"]["timestamp_ms"]
    headers = {"timestamp": stamp, "sign": robot_sign(stamp, SETTINGS.app_secret)}
    (ours,) = ADAPTER.decode(ADAPTER.verify(request(body, headers=headers))).events
    assert isinstance(ours, Received)
    assert ours.external_id == theirs.message_id
    assert ours.sender == theirs.sender_staff_id
    assert isinstance(ours.content, Text)
    assert ours.content.text == theirs.text.content.replace("\0", "\ufffd").strip()
    assert ours.at == datetime.fromtimestamp(theirs.create_at / 1000, UTC)


def test_our_acknowledgement_is_the_official_packages() -> None:
    frame = {
        "specVersion": "1.0",
        "type": "CALLBACK",
        "headers": {
            "messageId": "sm_1",
            "topic": "/v1.0/im/bot/messages/get",
            "time": "1760000000123",
        },
        "data": json.dumps(message("hi")),
    }
    heard = CallbackMessage.from_dict(frame)
    theirs = AckMessage()
    theirs.headers.message_id = heard.headers.message_id
    theirs.headers.content_type = Headers.CONTENT_TYPE_APPLICATION_JSON
    theirs.message = "OK"
    theirs.data = {"response": "OK"}
    arrived = Request(
        method="FRAME",
        url="wss://wss-open-connection.dingtalk.com/connect?ticket=t",
        headers={},
        body=json.dumps(frame).encode(),
        moment=Moment(now=NOW, entropy=ENTROPY),
    )
    ours = ADAPTER.decode(ADAPTER.verify(arrived))
    assert json.loads(ours.response.body) == theirs.to_dict()


@given(st.text(), st.sampled_from(["https://shop.example/h", "http://x/", "ws://x/", ""]))
def test_a_frame_is_trusted_only_on_a_stream_that_we_opened(body: str, url: str) -> None:
    moment = Moment(now=NOW, entropy=ENTROPY)
    data = body.encode("utf-8", "replace")
    with pytest.raises(Unverified):
        ADAPTER.verify(Request(method="FRAME", url=url, headers={}, body=data, moment=moment))


def test_the_stream_is_asked_for_and_its_address_is_taken() -> None:
    asked = json.loads(ADAPTER.dial_call().body)
    assert {each["topic"] for each in asked["subscriptions"]} == {
        "/v1.0/im/bot/messages/get",
        "/v1.0/card/instances/callback",
        "*",
    }
    assert asked["clientSecret"] == SETTINGS.app_secret


# ----- sessions ----------------------------------------------------------------------------------


@given(st.integers(-7200, 7200))
def test_an_answer_never_goes_to_a_session_that_has_died(seconds: int) -> None:
    until = NOW + timedelta(seconds=seconds)
    handle = {
        "webhook": "https://oapi.dingtalk.com/robot/sendBySession?session=s",
        "until": str(int(until.timestamp() * 1000)),
    }
    said = Outbound(
        id="m1",
        recipient="manager4220",
        content=Text(text="您好"),
        at=NOW,
        reply_handle=json.dumps(handle),
    )
    (call,) = ADAPTER.encode(said)
    token = Token(value="secret-token", expires_at=NOW + timedelta(hours=1))
    signed = ADAPTER.sign(call, token=token, moment=Moment(now=NOW, entropy=ENTROPY))
    alive = "sendBySession" in signed.url
    assert alive == (seconds > 60)
    assert alive != (("x-acs-dingtalk-access-token", "secret-token") in signed.headers)


@pytest.mark.parametrize(
    "wrong", [{"app_secret": ""}, {"token": "only"}, {"aes_key": "short"}, {"api_base": "api"}]
)
def test_wrong_settings_say_what_is_wrong(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"empty|both or neither|EncodingAESKey|https"):
        Settings(**{"app_secret": "s", "app_key": "k", **wrong})


def test_a_nonce_tells_nothing_of_the_randomness_that_seals() -> None:
    trusted = ADAPTER.verify(pushed('{"EventType":"check_url"}'))
    shaken = ADAPTER.handshake(trusted)
    assert shaken is not None
    nonce = json.loads(shaken.body)["nonce"]
    assert nonce == hashlib.sha256(ENTROPY).hexdigest()[:16]
