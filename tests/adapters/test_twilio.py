"""Twilio against its own RequestValidator, and calls as they are heard."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from adapters.twilio.adapter import Twilio
from adapters.twilio.settings import Settings
from router.channel.captured import read_query
from router.channel.contract import (
    Bell,
    CallEnded,
    Deferred,
    Event,
    Identified,
    Ignored,
    LooksUpProfile,
    Malformed,
    Moment,
    Pulled,
    Pulls,
    Reason,
    Received,
    Refused,
    Reply,
    Request,
    Speaker,
    Turn,
    Unverified,
)

TOKEN = "12345678901234567890123456789abc"
URL = "https://pam.example.com/hooks/twilio/voice?tenant=t1"
CALL = "CA0123456789abcdef0123456789abcdef"
TRANSCRIPT = "GT0123456789abcdef0123456789abcdef"
NOW = datetime(2025, 10, 9, 9, 0, 30, tzinfo=UTC)
CONTENT = {
    "LanguageCode": "zh-CN",
    "TranscriptionSid": "GT0123456789abcdef0123456789abcd01",
    "TranscriptionEvent": "transcription-content",
    "CallSid": CALL,
    "TranscriptionData": '{"transcript":"我要投诉","confidence":0.97}',
    "Timestamp": "2025-10-09T09:00:05.123456Z",
    "Track": "inbound_track",
    "Final": "true",
    "SequenceId": "3",
}
STATUS = {
    "CallSid": CALL,
    "From": "+8613800138000",
    "To": "+15005550006",
    "CallStatus": "completed",
    "Direction": "inbound",
    "Timestamp": "Thu, 09 Oct 2025 09:00:20 +0000",
}
SENTENCES = {
    "sentences": [
        {
            "media_channel": 1,
            "sentence_index": 0,
            "start_time": "0.50",
            "end_time": "2.10",
            "transcript": "Hello, Spruce Home.",
            "sid": "GX0123456789abcdef0123456789abcde0",
            "confidence": "0.98",
            "words": None,
        },
        {
            "media_channel": 2,
            "sentence_index": 1,
            "start_time": "2.40",
            "end_time": "4.90",
            "transcript": "I want to return my sofa.",
            "sid": "GX0123456789abcdef0123456789abcde1",
            "confidence": "0.95",
            "words": None,
        },
    ],
    "meta": {"key": "sentences", "page": 0, "page_size": 50, "next_page_url": None},
}


def an_adapter(**settings: Any) -> Twilio:
    return Twilio(
        msgspec.convert({"auth_token": TOKEN, "account_sid": "AC1", **settings}, Settings)
    )


def a_request(
    body: bytes, url: str = URL, headers: Mapping[str, str] | None = None, method: str = "POST"
) -> Request:
    return Request(
        method=method,
        url=url,
        headers=headers or {},
        body=body,
        moment=Moment(now=NOW, entropy=bytes(16)),
        query=read_query(url.partition("?")[2]),
    )


def signed(
    fields: Sequence[tuple[str, str]], url: str = URL, signed_url: str = "", secret: str = TOKEN
) -> Request:
    multi: MultiDict[str] = MultiDict(fields)
    signature = RequestValidator(secret).compute_signature(signed_url or url, multi)
    return a_request(urlencode(fields).encode(), url, {"x-twilio-signature": signature})


def said(fields: Mapping[str, str], **settings: Any) -> tuple[Event, ...]:
    adapter = an_adapter(**settings)
    return adapter.decode(adapter.verify(signed(list(fields.items())))).events


def a_json_request(body: bytes, url: str = "https://pam.example.com/hooks/twilio/vi") -> Request:
    url = f"{url}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = RequestValidator(TOKEN).compute_signature(url, {})
    return a_request(body, url, {"x-twilio-signature": signature})


def a_reply(body: object, status: int = 200) -> Reply:
    return Reply(status=status, body=json.dumps(body).encode())


# ----- who sent it -------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8"), min_size=1, max_size=8),
            st.text(st.characters(codec="utf-8"), max_size=20),
        ),
        max_size=8,
    )
)
def test_what_the_official_sdk_signs_is_proven(fields: list[tuple[str, str]]) -> None:
    an_adapter().verify(signed(fields))


def test_the_printed_vectors_hold() -> None:
    repeated = [("MediaUrl", "b"), ("MediaUrl", "a"), ("A", "1"), ("MediaUrl", "a")]
    an_adapter().verify(
        a_request(
            urlencode(repeated).encode(),
            "https://pam.example.com/x",
            {"x-twilio-signature": "eAf1dR1amE7i/D/IDsbImS7Er4o="},
        )
    )
    body = (
        b'{"account_sid":"ACfedcba9876543210fedcba9876543210","service_sid":'
        b'"GA0123456789abcdef0123456789abcdef","transcript_sid":"GT0123456789abcdef0123456789abcdef"'
        b',"customer_key":"CA0123456789abcdef0123456789abcdef","event_type":'
        b'"voice_intelligence_transcript_available"}'
    )
    digest = "794e6f47668df9c93d9c41a1225870dc006165f4feb255fdb92f5cd618e2b96f"
    adapter = an_adapter()
    trusted = adapter.verify(
        a_request(
            body,
            f"https://pam.example.com/hooks/twilio/vi?bodySHA256={digest}",
            {"x-twilio-signature": "Nc/Ze5+A9P6rZzZuh/1/pTyH0nA="},
        )
    )
    assert adapter.decode(trusted).events == (Bell(cursor_key=f"transcript:{TRANSCRIPT}"),)


def test_a_shared_key_signs_with_sha_256() -> None:
    fields = list(STATUS.items())
    secret = "shared-key-secret"
    signature = RequestValidator(secret).compute_signature(URL, dict(fields), "HMAC_SHA256")
    headers = {
        "x-twilio-signature": signature,
        "x-twilio-webhooks-signature-settings": "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256",
    }
    request = a_request(urlencode(fields).encode(), URL, headers)
    an_adapter(shared_key_secret=secret).verify(request)
    for settings in ({}, {"shared_key_secret": "another"}):
        with pytest.raises(Unverified):
            an_adapter(**settings).verify(request)


@pytest.mark.parametrize("port", ["", ":443"])
def test_the_default_port_may_stand_in_the_signed_address_or_not(port: str) -> None:
    with_port = URL.replace("example.com", f"example.com{port}")
    an_adapter().verify(signed([("A", "1")], URL, signed_url=with_port))
    an_adapter().verify(signed([("A", "1")], with_port, signed_url=URL))


def test_the_configured_address_counts_and_not_the_one_behind_the_proxy() -> None:
    inner = "http://10.0.0.7:8080/hooks/twilio/voice?tenant=t1"
    request = signed([("A", "1")], inner, signed_url=URL)
    an_adapter(public_url="https://pam.example.com/").verify(request)
    with pytest.raises(Unverified):
        an_adapter().verify(request)


@pytest.mark.parametrize(
    "header",
    ["", "é", "====", "AAAA", "x" * 10000, "\udcff"],
)
def test_a_wrong_signature_is_refused_and_breaks_nothing(header: str) -> None:
    with pytest.raises(Unverified):
        an_adapter().verify(a_request(b"A=1", URL, {"x-twilio-signature": header}))


def test_a_changed_body_is_refused() -> None:
    good = a_json_request(b'{"event_type":"x"}')
    forms = signed(list(STATUS.items()))
    for request in (good, forms):
        changed = a_request(request.body + b" ", request.url, request.headers)
        with pytest.raises(Unverified):
            an_adapter().verify(changed)


def test_a_get_callback_is_signed_by_its_address() -> None:
    url = f"https://pam.example.com/hooks/twilio/voice?{urlencode(STATUS)}"
    signature = RequestValidator(TOKEN).compute_signature(url, {})
    adapter = an_adapter()
    trusted = adapter.verify(a_request(b"", url, {"x-twilio-signature": signature}, method="GET"))
    assert any(isinstance(event, CallEnded) for event in adapter.decode(trusted).events)


# ----- what was heard ----------------------------------------------------------------------------


def test_a_final_segment_of_the_callers_track_is_the_customers_turn() -> None:
    (turn,) = said(CONTENT)
    assert isinstance(turn, Turn)
    assert (turn.text, turn.by, turn.final, turn.language) == (
        "我要投诉",
        Speaker.CONTACT,
        True,
        "zh-CN",
    )
    assert (turn.call, turn.sender) == (CALL, f"call:{CALL}")
    assert turn.at == datetime(2025, 10, 9, 9, 0, 5, 123456, UTC)


def test_the_other_track_is_the_agent() -> None:
    (turn,) = said(CONTENT | {"Track": "outbound_track"})
    assert isinstance(turn, Turn)
    assert turn.by is Speaker.AGENT
    (turn,) = said(CONTENT | {"Track": "outbound_track"}, customer_track="outbound_track")
    assert isinstance(turn, Turn)
    assert turn.by is Speaker.CONTACT


def test_words_still_being_recognised_grow_in_one_line_and_never_replace_a_final_turn() -> None:
    def heard(text: str, sequence: str, final: str) -> list[Turn]:
        data = {"TranscriptionData": json.dumps({"transcript": text}), "SequenceId": sequence}
        events = said(CONTENT | data | {"Final": final}, partial_results=True)
        return [event for event in events if isinstance(event, Turn)]

    (first,), (second,) = heard("我", "2", "false"), heard("我要", "3", "false")
    final, emptied = heard("我要投诉", "4", "true")
    (following,) = heard("还有", "5", "false")
    running = {first.external_id, second.external_id, emptied.external_id, following.external_id}
    assert len(running) == 1
    assert final.external_id not in running
    assert [turn.final for turn in (first, second, final, emptied)] == [False, False, True, False]
    assert emptied.text == ""


def test_partial_words_are_counted_where_they_are_not_wanted() -> None:
    assert said(CONTENT | {"Final": "false"}) == (Ignored(kind="transcription-content partial"),)


def test_words_in_a_shape_that_we_do_not_know_are_kept() -> None:
    (turn,) = said(CONTENT | {"TranscriptionData": "我要投诉"})
    assert isinstance(turn, Turn)
    assert turn.text == "我要投诉"


def test_the_end_of_a_call_brings_the_number_that_rang() -> None:
    known, ended = said(STATUS)
    assert isinstance(known, Identified)
    assert isinstance(ended, CallEnded)
    assert [(c.value, c.verified) for c in known.claims] == [("+8613800138000", True)]
    assert (ended.missed, ended.at) == (False, datetime(2025, 10, 9, 9, 0, 20, tzinfo=UTC))


def test_we_rang_the_customer_on_an_outbound_call() -> None:
    known, _ = said(STATUS | {"Direction": "outbound-api", "To": "+14155550123"})
    assert isinstance(known, Identified)
    assert known.claims[0].value == "+14155550123"


@pytest.mark.parametrize("state", ["busy", "no-answer", "canceled", "failed"])
def test_a_call_that_nobody_answered_is_missed(state: str) -> None:
    ended = said(STATUS | {"CallStatus": state})[-1]
    assert isinstance(ended, CallEnded)
    assert ended.missed


@pytest.mark.parametrize("number", ["anonymous", "", "client:zoe", "+266696687", "+86282452253"])
def test_a_hidden_number_proves_nothing(number: str) -> None:
    events = said(STATUS | {"From": number})
    (ended,) = events
    assert isinstance(ended, CallEnded)
    assert ended.claims == ()


def test_our_own_leg_of_a_call_says_nothing_about_the_customer() -> None:
    assert said(STATUS | {"ParentCallSid": CALL}) == (Ignored(kind="child leg"),)


def test_a_text_message_at_the_wrong_door_keeps_its_words() -> None:
    (event,) = said({"MessageSid": "SM1", "From": "+14155550123", "Body": "I want to complain"})
    assert isinstance(event, Received)


# ----- after the call ----------------------------------------------------------------------------


def test_a_transcript_is_pulled_in_two_steps_with_what_each_page_needs() -> None:
    adapter = an_adapter()
    assert isinstance(adapter, Pulls)
    rung = Bell(cursor_key=f"transcript:{TRANSCRIPT}")
    assert adapter.pull_call(rung, cursor="").url.endswith(f"/v2/Transcripts/{TRANSCRIPT}")
    transcript = {
        "sid": TRANSCRIPT,
        "status": "completed",
        "customer_key": None,
        "language_code": "en-US",
        "media_start_time": "2025-10-09T09:00:00Z",
        "channel": {
            "media_properties": {"source_sid": "RE1", "reference_sids": {"call_sid": CALL}},
            "participants": [
                {"channel_participant": 1, "role": "Agent", "full_name": "Zoe"},
                {
                    "channel_participant": 2,
                    "role": "Customer",
                    "media_participant_id": "+14155550123",
                },
            ],
        },
    }
    first = adapter.read_pull(rung, a_reply(transcript))
    assert isinstance(first, Pulled)
    known, bell = first.events
    assert isinstance(known, Identified)
    assert known.claims[0].value == "+14155550123"
    assert isinstance(bell, Bell)
    assert "/Sentences?PageSize=" in adapter.pull_call(bell, cursor="").url
    second = adapter.read_pull(bell, a_reply(SENTENCES))
    assert isinstance(second, Pulled)
    agent, customer, ended = second.events
    assert isinstance(agent, Turn)
    assert isinstance(customer, Turn)
    assert isinstance(ended, CallEnded)
    assert (agent.by, customer.by) == (Speaker.AGENT, Speaker.CONTACT)
    assert (customer.call, customer.offset) == (CALL, timedelta(seconds=2.4))
    assert customer.at == datetime(2025, 10, 9, 9, 0, 2, 400000, UTC)


def test_a_following_page_is_asked_of_our_own_address_only() -> None:
    adapter = an_adapter()
    bell = Bell(cursor_key=f"sentences:{TRANSCRIPT}")
    elsewhere = "https://evil.example/v2/x?PageSize=50&Page=1&PageToken=PA1&To=me"
    page = SENTENCES | {"meta": {"next_page_url": elsewhere}}
    found = adapter.read_pull(bell, a_reply(page))
    assert isinstance(found, Pulled)
    assert found.more
    assert not any(isinstance(event, CallEnded) for event in found.events)
    call = adapter.pull_call(bell, cursor=found.cursor)
    assert call.url == (
        f"https://intelligence.twilio.com/v2/Transcripts/{TRANSCRIPT}/Sentences"
        "?PageSize=50&Page=1&PageToken=PA1"
    )


def test_channels_are_not_guessed() -> None:
    bell = Bell(cursor_key=f"sentences:{TRANSCRIPT}")

    def speakers(**settings: Any) -> list[Speaker]:
        found = an_adapter(**settings).read_pull(bell, a_reply(SENTENCES))
        assert isinstance(found, Pulled)
        return [event.by for event in found.events if isinstance(event, Turn)]

    assert speakers() == [Speaker.UNKNOWN, Speaker.UNKNOWN]
    assert speakers(agent_channel=2) == [Speaker.CONTACT, Speaker.AGENT]


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, {"sid": TRANSCRIPT, "status": "in-progress"}, Deferred),
        (404, {}, Deferred),
        (429, {}, Deferred),
        (503, {}, Deferred),
        (401, {}, Refused),
        (200, {"sid": TRANSCRIPT, "status": "failed"}, Pulled),
    ],
)
def test_a_pull_that_brings_nothing_says_why(
    status: int, body: dict[str, str], outcome: type[object]
) -> None:
    rung = Bell(cursor_key=f"transcript:{TRANSCRIPT}")
    assert isinstance(an_adapter().read_pull(rung, a_reply(body, status)), outcome)


def test_the_number_of_a_call_can_be_looked_up() -> None:
    adapter = an_adapter()
    assert isinstance(adapter, LooksUpProfile)
    call = adapter.profile_call(f"call:{CALL}")
    assert call is not None
    assert call.url == f"https://api.twilio.com/2010-04-01/Accounts/AC1/Calls/{CALL}.json"
    assert dict(call.headers) == {}
    moment = Moment(now=NOW, entropy=bytes(16))
    header = dict(adapter.sign(call, token=None, moment=moment).headers)["authorization"]
    assert header == "Basic QUMxOjEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5YWJj"
    reply = a_reply(
        {"direction": "inbound", "from": "+14155550123", "to": "+1", "caller_name": None}
    )
    found = adapter.read_profile(f"call:{CALL}", reply, now=NOW)
    assert isinstance(found, Identified)
    assert found.claims[0].value == "+14155550123"
    assert adapter.profile_call("call:../../x") is None


def test_a_call_that_twilio_does_not_know_is_not_asked_for_again() -> None:
    found = an_adapter().read_profile(f"call:{CALL}", a_reply({}, 404), now=NOW)
    assert isinstance(found, Refused)
    assert found.reason is Reason.RECIPIENT


@given(
    st.dictionaries(
        st.sampled_from(sorted(CONTENT | STATUS)) | st.text(max_size=10), st.text(max_size=40)
    )
)
def test_no_callback_breaks_anything(fields: dict[str, str]) -> None:
    clean = [(k.encode("utf-8", "replace").decode(), v) for k, v in fields.items()]
    adapter = an_adapter(partial_results=True)
    body = urlencode([(k, v.encode("utf-8", "replace")) for k, v in clean]).encode()
    pairs = read_query(body.decode())
    signature = RequestValidator(TOKEN).compute_signature(URL, MultiDict(pairs))
    adapter.decode(adapter.verify(a_request(body, URL, {"x-twilio-signature": signature})))


@given(st.binary(max_size=100))
def test_no_json_breaks_anything(body: bytes) -> None:
    adapter = an_adapter()
    try:
        adapter.decode(adapter.verify(a_json_request(b"{" + body)))
    except Malformed as refused:
        told = str(refused)
    else:
        told = "read"
    assert told
