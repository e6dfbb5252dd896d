"""WeCom customer service against the package weworkapi, and pulled pages of any shape."""

import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weworkapi.WXBizMsgCrypt3 import WXBizMsgCrypt  # type: ignore[import-untyped]

from adapters.wecom.adapter import WeCom
from adapters.wecom.settings import Settings
from router.channel.contract import (
    Bell,
    Malformed,
    Moment,
    Pulled,
    Received,
    Reply,
    Request,
    Unverified,
)
from tests.adapters.vectors import vector

GIVEN = vector("wecom-kf-callback")["inputs"]
ORACLE = WXBizMsgCrypt(GIVEN["token"], GIVEN["encoding_aes_key"], GIVEN["corpid"])
ADAPTER = WeCom(
    Settings(
        token=GIVEN["token"],
        encoding_aes_key=GIVEN["encoding_aes_key"],
        corpid=GIVEN["corpid"],
        secret="kf-secret",
    )
)
BELL = Bell(cursor_key="wk1", hint="1760000100 ENCtoken")
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
PARTS = (("MsgSignature", "msg_signature"), ("TimeStamp", "timestamp"), ("Nonce", "nonce"))


def pushed(xml: str, **changed: str) -> Request:
    """Return the request that carries what the oracle has sealed, its query changed."""
    found = {name: re.search(rf"<{tag}>(?:<!\[CDATA\[)?(\w+)", xml) for tag, name in PARTS}
    query = {name: match[1] for name, match in found.items() if match} | changed
    return Request(
        method="POST",
        url=f"https://shop.example/hooks/wecom/kf?{urlencode(query)}",
        headers={},
        body=xml.encode(),
        moment=Moment(now=datetime(2025, 10, 9, 9, tzinfo=UTC), entropy=b"0123456789abcdef"),
        query=tuple(query.items()),
    )


@given(WORDS)
def test_what_weworkapi_seals_we_open(words: str) -> None:
    code, xml = ORACLE.EncryptMsg(words, "nonce1", "1760000100")
    assert code == 0
    assert ADAPTER.verify(pushed(xml)).body == words.encode()


@given(st.from_regex(r"[0-9a-f]{40}", fullmatch=True))
def test_a_signature_that_weworkapi_refuses_we_refuse(signature: str) -> None:
    _, xml = ORACLE.EncryptMsg("words", "nonce1", "1760000100")
    code, _ = ORACLE.DecryptMsg(xml, signature, "1760000100", "nonce1")
    assert code == -40001
    with pytest.raises(Unverified, match="does not match"):
        ADAPTER.verify(pushed(xml, msg_signature=signature))


def test_the_check_of_the_address_is_answered_as_weworkapi_answers_it() -> None:
    told = vector("wecom-kf-url-verify")
    given, signature = told["inputs"], told["outputs"]["msg_signature"]
    code, answer = ORACLE.VerifyURL(
        signature, given["timestamp"], given["nonce"], given["echostr_encrypted"]
    )
    query = {
        "msg_signature": signature,
        "timestamp": given["timestamp"],
        "nonce": given["nonce"],
        "echostr": given["echostr_encrypted"],
    }
    request = Request(
        method="GET",
        url="https://shop.example/hooks/wecom/kf",
        headers={},
        body=b"",
        moment=Moment(now=datetime(2025, 10, 9, 9, tzinfo=UTC), entropy=b"0123456789abcdef"),
        query=tuple(query.items()),
    )
    shaken = ADAPTER.handshake(ADAPTER.verify(request))
    assert code == 0
    assert shaken is not None
    assert shaken.body == answer == told["outputs"]["response_body"].encode()


# ----- pages -------------------------------------------------------------------------------------


KEYS = st.sampled_from(
    (
        *("msgid", "open_kfid", "external_userid", "send_time", "origin", "msgtype", "event"),
        *("text", "image", "content", "media_id", "event_type", "recall_msgid", "fail_msgid"),
        *("location", "latitude", "longitude", "link", "title"),
    )
)
VALUES = st.one_of(
    st.sampled_from(
        ("text", "image", "event", "location", "user_recall_msg", "msg_send_fail", "3", "4", "9")
    ),
    *(
        st.text(max_size=10),
        st.integers(),
        st.none(),
        st.booleans(),
        st.floats(allow_nan=False, allow_infinity=False),
    ),
)
ITEMS = st.recursive(
    VALUES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=8)),
    max_leaves=12,
)


def page(items: Any) -> Reply:
    told = {"errcode": 0, "next_cursor": "c2", "has_more": 0, "msg_list": items}
    return Reply(status=200, body=json.dumps(told).encode())


@given(ITEMS)
def test_a_page_may_hold_anything(items: Any) -> None:
    pulled = ADAPTER.read_pull(BELL, page(items))
    assert isinstance(pulled, Pulled)
    assert len(pulled.events) == (len(items) if isinstance(items, list) else 0)


@given(st.lists(st.integers(1_600_000_000, 1_900_000_000), max_size=8))
def test_a_page_is_told_in_the_order_of_its_times(times: list[int]) -> None:
    items = [
        {
            "msgid": f"m{n}",
            "external_userid": "wm1",
            "send_time": at,
            "origin": 3,
            "msgtype": "text",
        }
        for n, at in enumerate(times)
    ]
    pulled = ADAPTER.read_pull(BELL, page(items))
    assert isinstance(pulled, Pulled)
    told = [event.at for event in pulled.events if isinstance(event, Received)]
    assert told == sorted(told)
    assert len(told) == len(times)


def test_a_page_without_times_stays_unread_if_no_bell_told_one() -> None:
    items = [{"msgid": "m1", "external_userid": "wm1", "origin": 3, "msgtype": "text"}]
    with pytest.raises(Malformed, match="send_time"):
        ADAPTER.read_pull(Bell(cursor_key="wk1"), page(items))


def test_more_without_a_cursor_stays_unread() -> None:
    told = {"errcode": 0, "has_more": 1, "msg_list": []}
    with pytest.raises(Malformed, match="next_cursor"):
        ADAPTER.read_pull(BELL, Reply(status=200, body=json.dumps(told).encode()))


@pytest.mark.parametrize(
    "wrong", [{"token": ""}, {"encoding_aes_key": "short"}, {"api_base": "qyapi.weixin.qq.com"}]
)
def test_wrong_settings_say_what_is_wrong(wrong: dict[str, str]) -> None:
    good = {
        "token": "t",
        "encoding_aes_key": GIVEN["encoding_aes_key"],
        "corpid": "ww1",
        "secret": "s",
    }
    with pytest.raises(ValueError, match=r"must not be empty|expected an EncodingAESKey|https"):
        Settings(**{**good, **wrong})
