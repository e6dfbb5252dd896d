"""Whatever a platform answers to a call, an adapter says what it means and nothing escapes."""

import json
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.channel.contract import (
    Elsewhere,
    FetchesMedia,
    GrantsToken,
    HttpCall,
    Identified,
    LooksUpProfile,
    Outcome,
    Reply,
    Token,
    UploadsMedia,
)
from tests.adapters.case_files import cases

NOW = datetime(2025, 10, 9, 9, tzinfo=UTC)
CALL = HttpCall(method="POST", url="https://platform.example/send")
NAMES = ("dingtalk", "douyin", "feishu", "wechat", "wecom")
ADAPTERS = {name: next(iter(cases(name))).adapter() for name in NAMES}
KEYS = st.sampled_from(
    (
        *("errcode", "errmsg", "code", "msg", "data", "extra", "error_code", "err_no", "media_id"),
        *("access_token", "expires_in", "expire", "tenant_access_token", "accessToken", "expireIn"),
        *("customer_list", "external_userid", "unionid", "user", "name", "mobile", "openid", "url"),
        *("invalidStaffIdList", "flowControlledStaffIdList", "downloadUrl", "video_url", "msgid"),
    )
)
LEAVES = st.one_of(
    st.sampled_from((0, -1, 40001, 95018, 99991663, 10**30, "0", "https://p.example/a", "c1")),
    *(st.text(max_size=8), st.none(), st.booleans(), st.floats()),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=10,
)
REPLIES = st.builds(
    Reply,
    status=st.sampled_from((200, 201, 204, 302, 400, 401, 403, 404, 408, 429, 500, 503)),
    body=st.one_of(st.binary(max_size=40), VALUES.map(lambda value: json.dumps(value).encode())),
    headers=st.dictionaries(st.sampled_from(("retry-after", "Date")), st.text(max_size=12)),
)


@pytest.mark.parametrize("name", NAMES)
@given(reply=REPLIES)
def test_every_answer_means_something(name: str, reply: Reply) -> None:
    adapter: Any = ADAPTERS[name]
    outcomes = get_args(Outcome)
    assert isinstance(adapter.interpret(CALL, reply), outcomes)
    if isinstance(adapter, GrantsToken):
        found = adapter.read_token(reply, now=NOW)
        assert isinstance(found, (Token, *outcomes))
        assert not isinstance(found, Token) or found.expires_at >= NOW
    if isinstance(adapter, UploadsMedia):
        uploaded = adapter.read_upload(reply)
        assert isinstance(uploaded, outcomes) or uploaded
    if isinstance(adapter, FetchesMedia):
        assert isinstance(adapter.read_fetch(reply), (Elsewhere, *outcomes))
    if isinstance(adapter, LooksUpProfile):
        looked_up = adapter.read_profile("c1", reply, now=NOW)
        assert isinstance(looked_up, (Identified, *outcomes))
