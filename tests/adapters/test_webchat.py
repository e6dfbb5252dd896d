"""Web chat against PyJWT, the standard library's HMAC and hostile frames."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from adapters.webchat.adapter import WebChat
from adapters.webchat.settings import Settings
from router.channel.connection import CloseCode, Connects, Visitor
from router.channel.contract import (
    Accepted,
    Identified,
    Ignored,
    Malformed,
    Moment,
    Outbound,
    Presence,
    Recalled,
    Receipt,
    Received,
    Reply,
    Request,
    Speaker,
    Trusted,
    Unverified,
)
from router.domain.content import Media, MediaKind, Text
from router.domain.identity import ClaimKind

SECRET = "pam-webchat-identity-secret-0001-32b"
ISSUED = 1760001700
NOW = datetime.fromtimestamp(ISSUED + 60, UTC)
CLAIMS = {
    "iss": "pam-tenant-t1",
    "sub": "crm-10086",
    "aud": "pam-webchat",
    "iat": ISSUED,
    "exp": ISSUED + 3600,
    "name": "王小明",
    "phone": "+8613800138000",
}
# The printed vector of this protocol; made and accepted by PyJWT.
TOKEN = (
    "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIiwidHlwIjoiSldUIn0.eyJpc3MiOiJwYW0tdGVuYW50LXQxIiwic3ViIjoi"
    "Y3JtLTEwMDg2IiwiYXVkIjoicGFtLXdlYmNoYXQiLCJpYXQiOjE3NjAwMDE3MDAsImV4cCI6MTc2MDAwNTMwMCwibmFt"
    "ZSI6Ilx1NzM4Ylx1NWMwZlx1NjYwZSIsInBob25lIjoiKzg2MTM4MDAxMzgwMDAiLCJqdGkiOiJ3LTAwMDEifQ.5B-UI"
    "jmM0HRzWTVcoNSjVOZpDw7MIby6avZB74PG4z0"
)
HASH = "2dbae7da1129c0d55d833b36da9344b363f0d27f021be32cdb0a6be084f01c69"


def an_adapter(**settings: Any) -> WebChat:
    return WebChat(msgspec.convert({"secret": SECRET, **settings}, Settings))


def a_frame(
    frame: Mapping[str, Any] | bytes, headers: Mapping[str, str] | None = None, now: datetime = NOW
) -> Request:
    body = frame if isinstance(frame, bytes) else json.dumps(frame).encode()
    return Request(
        method="FRAME",
        url="wss://shop.example.com/ws/v1?site=k",
        headers=headers or {},
        body=body,
        moment=Moment(now=now, entropy=bytes(16)),
        query=(("site", "k"),),
    )


def a_hello(**identity: Any) -> dict[str, Any]:
    return {"v": 1, "op": "hello", "id": "c-1", "identity": identity, "locale": "zh-CN"}


def a_token(key: Any = SECRET, algorithm: str = "HS256", kid: str = "", **changes: Any) -> str:
    claims = {key: value for key, value in (CLAIMS | changes).items() if value is not None}
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid} if kid else None)


def signed_in(adapter: WebChat) -> Visitor:
    trusted = adapter.verify(a_frame(a_hello(mode="jwt", token=TOKEN)))
    assert isinstance(trusted.proof, Visitor)
    return trusted.proof


def decoded(adapter: WebChat, frame: Mapping[str, Any], visitor: Visitor) -> tuple[Any, ...]:
    return adapter.decode(adapter.frame(visitor, a_frame(frame))).events


def test_the_printed_token_proves_the_member_and_the_phone() -> None:
    adapter = an_adapter()
    trusted = adapter.verify(a_frame(a_hello(mode="jwt", token=TOKEN)))
    identified, online = adapter.decode(trusted).events
    assert isinstance(identified, Identified)
    assert isinstance(online, Presence)
    assert {(c.kind, c.value) for c in identified.claims if c.verified} == {
        (ClaimKind.MEMBER, "crm-10086"),
        (ClaimKind.PHONE, "+8613800138000"),
        (ClaimKind.NAME, "王小明"),
    }
    assert (identified.sender, online.what) == ("crm-10086", "online")


def test_the_printed_hash_proves_the_member_and_not_the_name() -> None:
    adapter = an_adapter()
    hello = a_hello(mode="hmac", identifier="crm-10086", hash=HASH, name="王小明")
    visitor = adapter.verify(a_frame(hello)).proof
    assert [(c.kind, c.verified) for c in visitor.claims] == [
        (ClaimKind.MEMBER, True),
        (ClaimKind.NAME, False),
    ]


@pytest.mark.parametrize(
    "token",
    [
        a_token(exp=ISSUED - 10),
        a_token(exp=None),
        a_token(iat=None),
        a_token(iss=None),
        a_token(sub=None),
        a_token(aud=None),
        a_token(aud="another"),
        a_token(iat=ISSUED, exp=ISSUED + 86401),
        a_token(iat=ISSUED + 1000, exp=ISSUED + 2000),
        a_token(nbf=ISSUED + 1000),
        a_token(exp="1760005300"),
        a_token(sub="visitor:someone"),
        a_token(sub=""),
        a_token(key="another-secret-of-thirty-two-bytes!!"),
        a_token(key="", algorithm="none"),
        a_token(algorithm="HS512", key=SECRET * 2),
        TOKEN[:-2] + "AA",
        "",
        "a.b",
        "é.é.é",
        "[" * 30000,
    ],
)
def test_a_token_that_fails_is_refused_and_never_becomes_a_stranger(token: str) -> None:
    hello = a_frame(a_hello(mode="jwt", token=token), {"x-visitor": "v1"})
    with pytest.raises(Unverified):
        an_adapter().verify(hello)


def test_the_issuer_is_held_to_where_one_is_set() -> None:
    hello = a_frame(a_hello(mode="jwt", token=TOKEN))
    assert an_adapter(issuer="pam-tenant-t1").verify(hello).proof.verified
    with pytest.raises(Unverified):
        an_adapter(issuer="pam-tenant-t2").verify(hello)


def test_a_token_is_good_for_sixty_seconds_after_its_end() -> None:
    end = datetime.fromtimestamp(ISSUED + 3600, UTC)
    hello = a_hello(mode="jwt", token=TOKEN)
    an_adapter().verify(a_frame(hello, now=end + timedelta(seconds=59)))
    with pytest.raises(Unverified):
        an_adapter().verify(a_frame(hello, now=end + timedelta(seconds=60)))


def test_keys_rotate_by_their_id() -> None:
    new = "the-second-secret-of-this-shop-32-bytes"
    adapter = an_adapter(secret="", secrets={"k1": SECRET, "k2": new})
    for key, kid in ((SECRET, "k1"), (new, "k2")):
        assert adapter.verify(a_frame(a_hello(mode="jwt", token=a_token(key=key, kid=kid)))).proof
    for key, kid in ((SECRET, "k2"), (new, "k9"), (SECRET, "")):
        with pytest.raises(Unverified):
            adapter.verify(a_frame(a_hello(mode="jwt", token=a_token(key=key, kid=kid))))


def test_a_public_key_is_never_taken_for_a_shared_secret() -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    adapter = an_adapter(algorithm="RS256", secret=public.decode())
    good = a_token(key=private, algorithm="RS256")
    assert adapter.verify(a_frame(a_hello(mode="jwt", token=good))).proof.verified
    head, body, _ = a_token().split(".")
    mac = hmac.new(public, f"{head}.{body}".encode(), hashlib.sha256).digest()
    forged = f"{head}.{body}.{jwt.utils.base64url_encode(mac).decode()}"
    with pytest.raises(Unverified):
        adapter.verify(a_frame(a_hello(mode="jwt", token=forged)))


def test_a_short_secret_is_a_configuration_error() -> None:
    with pytest.raises(msgspec.ValidationError, match="32 bytes"):
        an_adapter(secret="too short")


def test_a_mode_that_is_not_allowed_is_refused() -> None:
    adapter = an_adapter(modes=["jwt"])
    with pytest.raises(Unverified):
        adapter.verify(a_frame(a_hello(mode="anonymous"), {"x-visitor": "v1"}))


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://shop.example.com", True),
        ("https://www.sprucehome.example", True),
        ("https://evil.example", False),
        ("null", False),
        ("https://shop.example.com.evil.example", False),
    ],
)
def test_only_listed_pages_may_embed_the_widget(origin: str, allowed: bool) -> None:  # noqa: FBT001
    adapter = an_adapter(origins=["https://www.sprucehome.example"])
    request = a_frame(a_hello(mode="jwt", token=TOKEN), {"origin": origin})
    if allowed:
        assert adapter.verify(request).proof.verified
    else:
        with pytest.raises(Unverified):
            adapter.verify(request)


def test_a_visitor_who_signs_in_on_an_open_socket_keeps_the_conversation() -> None:
    adapter = an_adapter()
    stranger = adapter.verify(a_frame(a_hello(mode="anonymous"), {"x-visitor": "v1"})).proof
    later = adapter.frame(stranger, a_frame(a_hello(mode="jwt", token=TOKEN)))
    identified, _ = adapter.decode(later).events
    assert isinstance(identified, Identified)
    assert (identified.sender, later.proof.verified) == ("visitor:v1", True)
    assert ClaimKind.MEMBER in {claim.kind for claim in identified.claims}


def test_nobody_takes_over_the_socket_of_a_signed_member() -> None:
    adapter = an_adapter()
    member = signed_in(adapter)
    other = a_hello(mode="jwt", token=a_token(sub="crm-2"))
    for hello in (other, a_hello(mode="anonymous")):
        with pytest.raises(Unverified):
            adapter.frame(member, a_frame(hello, {"x-visitor": "v1"}))


def test_who_signed_in_amid_a_chat_finds_it_again_after_the_line_broke() -> None:
    adapter = an_adapter()
    stranger = adapter.verify(a_frame(a_hello(mode="anonymous"), {"x-visitor": "v1"})).proof
    before = adapter.frame(stranger, a_frame(a_hello(mode="jwt", token=TOKEN))).proof
    hello = a_hello(mode="jwt", token=TOKEN, as_visitor=True)
    after = adapter.verify(a_frame(hello, {"x-visitor": "v1"})).proof
    assert (after.external_id, after.claims) == (before.external_id, before.claims)


def test_a_new_token_of_the_same_member_keeps_the_socket_and_of_another_does_not() -> None:
    adapter = an_adapter()
    hello = a_hello(mode="jwt", token=TOKEN, as_visitor=True)
    member = adapter.verify(a_frame(hello, {"x-visitor": "v1"})).proof
    renewed = adapter.frame(member, a_frame(a_hello(mode="jwt", token=a_token(jti="2")))).proof
    assert renewed.external_id == member.external_id
    other = a_hello(mode="jwt", token=a_token(sub="crm-2"), as_visitor=True)
    with pytest.raises(Unverified):
        adapter.frame(member, a_frame(other, {"x-visitor": "v1"}))


def test_the_same_message_sent_twice_has_one_id_and_two_people_never_share_one() -> None:
    adapter = an_adapter()
    member = signed_in(adapter)
    frame = {"op": "send", "client_msg_id": "m1", "type": "text", "text": "你好 👋"}
    (first,) = decoded(adapter, frame, member)
    (again,) = decoded(adapter, frame | {"id": "other"}, member)
    (other,) = decoded(adapter, frame, replace(member, external_id="crm-2"))
    assert isinstance(first, Received)
    assert first.content == Text(text="你好 👋")
    assert first.external_id == again.external_id != other.external_id


def test_a_recall_names_the_message_it_takes_back() -> None:
    adapter = an_adapter()
    member = signed_in(adapter)
    (sent,) = decoded(adapter, {"op": "send", "client_msg_id": "m1", "text": "x"}, member)
    (recalled,) = decoded(adapter, {"op": "recall", "client_msg_id": "m1"}, member)
    assert isinstance(recalled, Recalled)
    assert recalled.target == sent.external_id


def test_a_receipt_covers_the_message_that_was_seen_and_none_after_it() -> None:
    adapter = an_adapter()
    said = NOW - timedelta(seconds=5, microseconds=321)
    outbound = Outbound(id="m2", recipient="crm-10086", content=Text(text="您好"), at=said, seq=3)
    (push,) = adapter.encode(outbound)
    ts = json.loads(push.payload)["ts"]
    (seen,) = decoded(adapter, {"op": "read", "seq": 3, "ts": ts}, signed_in(adapter))
    assert isinstance(seen, Receipt)
    assert said <= seen.at < said + timedelta(milliseconds=1)


def test_a_long_answer_arrives_in_parts_that_join_to_the_whole() -> None:
    adapter = an_adapter()
    text = "一句话。" * 5000
    outbound = Outbound(id="m2", recipient="c", content=Text(text=text), at=NOW, seq=3)
    frames = [json.loads(push.payload) for push in adapter.encode(outbound)]
    assert "".join(frame["text"] for frame in frames) == text
    assert len({frame["message_id"] for frame in frames}) == len(frames)
    assert all(len(push.payload) <= 65536 for push in adapter.encode(outbound))


def test_a_frame_that_waits_for_the_next_resume_counts_as_sent() -> None:
    adapter = an_adapter()
    (push,) = adapter.encode(Outbound(id="m2", recipient="c", content=Text(text="hi"), at=NOW))
    assert adapter.interpret(push, Reply(status=202, body=b"")) == Accepted(external_id="m2")


def test_a_picture_goes_out_with_its_link() -> None:
    adapter = an_adapter()
    link = "https://x.example/a.png"
    picture = Media(kind=MediaKind.IMAGE, link=link, caption="看", mime="image/png")
    (push,) = adapter.encode(
        Outbound(id="m", recipient="c", content=picture, at=NOW, by=Speaker.BOT)
    )
    frame = json.loads(push.payload)
    assert (frame["type"], frame["text"]) == ("image", "看")
    assert frame["attachment"]["link"] == "https://x.example/a.png"
    assert frame["from"]["role"] == "bot"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"op":"send","text":"\xff"}', CloseCode.BAD_TEXT),
        (b'{"op":"send","text":"\\ud83d"}', CloseCode.BAD_TEXT),
        (b'{"op":"send","text":"\\udc4b\\ud83d"}', CloseCode.BAD_TEXT),
        (b'{"op":"send","text":"\\ud83d\\udc4b"}', None),
        (b'{"op":"send","text":"\\\\ud83d"}', None),
        (b"[" * 70000, CloseCode.TOO_BIG),
        (b"[" * 60000, None),
        (b"{", None),
    ],
)
def test_frames_that_end_the_connection(body: bytes, code: CloseCode | None) -> None:
    assert an_adapter().fault(body) == code


@pytest.mark.parametrize(
    "frame",
    [
        {"op": "send", "text": "no id"},
        {"op": "send", "client_msg_id": "a:b", "text": "x"},
        {"op": "send", "client_msg_id": "m1", "type": "text", "text": ""},
        {"op": "send", "client_msg_id": "m1", "type": "image"},
        {"op": "read", "seq": -1},
        {"op": "rate", "score": 6},
        {"op": "recall"},
        {"op": "upload_request", "name": "a.png", "size": 0},
        {"op": 7, "id": "c-9"},
    ],
)
def test_a_frame_that_cannot_be_read_is_answered_with_an_error(frame: dict[str, Any]) -> None:
    adapter = an_adapter()
    with pytest.raises(Malformed) as refused:
        adapter.decode(adapter.frame(signed_in(adapter), a_frame(frame)))
    assert refused.value.answer is not None
    assert json.loads(refused.value.answer.body)["op"] == "error"


def test_an_unknown_op_is_counted_and_answered() -> None:
    adapter = an_adapter()
    found = adapter.decode(adapter.frame(signed_in(adapter), a_frame({"op": "dance", "id": "c-4"})))
    assert found.events == (Ignored(kind="dance"),)
    answer = json.loads(found.response.body)
    assert (answer["code"], answer["re"]) == ("unknown_op", "c-4")


def test_the_head_tells_the_socket_what_to_answer() -> None:
    adapter = an_adapter()
    member = signed_in(adapter)
    resume = a_hello(mode="jwt", token=TOKEN) | {
        "resume": {"conversation_id": "conv-1", "last_seq": 41}
    }
    assert isinstance(adapter, Connects)
    head = adapter.head(adapter.frame(member, a_frame(resume)))
    assert (head.op, head.id, head.conversation, head.last_seq) == ("hello", "c-1", "conv-1", 41)
    wish = {
        "op": "upload_request",
        "id": "c-5",
        "name": "椅子.jpg",
        "size": 9,
        "mime": "image/jpeg",
    }
    head = adapter.head(adapter.frame(member, a_frame(wish)))
    assert (head.name, head.size, head.mime) == ("椅子.jpg", 9, "image/jpeg")


@given(
    st.binary(max_size=300)
    | st.text(max_size=200).map(lambda text: json.dumps({"op": text}).encode())
)
def test_no_frame_breaks_anything(body: bytes) -> None:
    adapter = an_adapter()
    visitor = Visitor(external_id="c", verified=False)
    request = a_frame(body, {"x-visitor": "v1"})
    for prove in (adapter.verify, lambda frame: adapter.frame(visitor, frame)):
        try:
            trusted: Trusted = prove(request)
            adapter.head(trusted)
            adapter.decode(trusted)
        except (Unverified, Malformed):
            continue
