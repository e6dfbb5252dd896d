"""Transcripts against webvtt-py and srt, and files as people really send them."""

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import srt as srt_oracle  # type: ignore[import-untyped]
import webvtt
from hypothesis import given
from hypothesis import strategies as st

from adapters.transcript import srt, vtt
from adapters.transcript.adapter import Transcript
from adapters.transcript.settings import Settings
from router.channel.contract import (
    CallEnded,
    Decoded,
    Malformed,
    Moment,
    Request,
    Speaker,
    Turn,
    Unverified,
)
from router.domain.identity import ClaimKind

NOW = datetime(2025, 10, 9, 10, 0, tzinfo=UTC)
CALL = {
    "call_id": "call-1",
    "started_at": "2025-10-09T17:00:00+08:00",
    "direction": "inbound",
    "caller": "138 0013 8000",
    "participants": [{"id": "a", "role": "agent", "name": "小王"}, {"id": "c", "role": "customer"}],
    "turns": [
        {"id": "2", "participant": "c", "begin_ms": 2400, "end_ms": 4900, "text": "我要投诉"},
        {"id": "1", "participant": "a", "begin_ms": 500, "end_ms": 2100, "text": "您好"},
    ],
    "complete": True,
}
VTT = """WEBVTT - a call

STYLE
::cue { color: red }

NOTE call-id: c-77

NOTE
a comment --
of two lines

1
00:00:00.500 --> 00:00:02.100 align:start position:0%
<v Agent>Hello, <b>Spruce Home</b>.</v>

intro-2
00:02.400 --> 00:04.900
<v.loud Customer>I want to return my sofa &amp; chair
it is 5 &lt; 6 <00:03.000>now</v>

1:00:05.000 --> 1:00:06.000
我要投诉
你们的椅子
"""
SRT = """1
00:00:00,500 --> 00:00:02,100
Agent: {\\an8}Hello, <i>Spruce Home</i>.

2
00:00:02,400 --> 00:00:04,900
Customer: I want to return my sofa

it is broken

00:00:06.000 --> 00:00:07.000
[客户] 我要投诉
"""


def an_adapter(**settings: Any) -> Transcript:
    return Transcript(msgspec.convert({"api_key": "k-1", **settings}, Settings))


def a_request(
    body: bytes, mime: str, query: Mapping[str, str] | None = None, key: str = "k-1"
) -> Request:
    return Request(
        method="POST",
        url="https://shop.example.com/v1/transcripts",
        headers={"authorization": f"Bearer {key}", "content-type": mime},
        body=body,
        moment=Moment(now=NOW, entropy=bytes(16)),
        query=tuple((query or {}).items()),
    )


def uploaded(
    body: bytes | str | Mapping[str, Any], mime: str = "application/json", **query: str
) -> Decoded:
    adapter = an_adapter()
    if isinstance(body, Mapping):
        body = json.dumps(body).encode()
    raw = body.encode() if isinstance(body, str) else body
    return adapter.decode(adapter.verify(a_request(raw, mime, query)))


def turns(found: Decoded) -> list[Turn]:
    return [event for event in found.events if isinstance(event, Turn)]


def a_form(*parts: tuple[str, bytes]) -> bytes:
    lines = b"".join(
        b"--b\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" + data + b"\r\n"
        for head, data in parts
    )
    return lines + b"--b--\r\n"


def test_webvtt_reads_as_an_independent_parser_reads_it() -> None:
    ours = vtt.parse(VTT).cues
    theirs = webvtt.from_buffer(io.StringIO(VTT)).captions
    assert [cue.begin // 1000 for cue in ours] == [int(cue.start_in_seconds) for cue in theirs]
    assert [cue.voice or None for cue in ours] == [cue.voice for cue in theirs]
    assert ours[0].text == theirs[0].text
    assert ours[0].id == theirs[0].identifier == "1"


def test_webvtt_keeps_words_and_loses_markup() -> None:
    first, second, third = vtt.parse(VTT).cues
    assert first.text == "Hello, Spruce Home."
    assert second.text == "I want to return my sofa & chair it is 5 < 6 now"
    assert third.text == "我要投诉你们的椅子"
    assert (third.begin, third.voice) == (3605000, "")


def test_the_comment_in_a_file_names_its_call() -> None:
    assert vtt.parse(VTT).call_id == "c-77"
    assert turns(uploaded(VTT, "text/vtt"))[0].call == "c-77"


def test_srt_reads_as_an_independent_parser_reads_it() -> None:
    ours = srt.parse(SRT.split("\n00:00:06", maxsplit=1)[0]).cues
    theirs = list(srt_oracle.parse(SRT.split("\n00:00:06", maxsplit=1)[0]))
    assert [timedelta(milliseconds=cue.begin) for cue in ours] == [cue.start for cue in theirs]
    assert [timedelta(milliseconds=cue.end) for cue in ours] == [cue.end for cue in theirs]
    assert ours[1].text == " ".join(theirs[1].content.split())


def test_srt_speakers_lead_their_lines_and_blank_lines_cut_nothing_off() -> None:
    found = turns(uploaded(SRT, "application/x-subrip"))
    assert [(turn.by, turn.text) for turn in found] == [
        (Speaker.AGENT, "Hello, Spruce Home."),
        (Speaker.CONTACT, "I want to return my sofa it is broken"),
        (Speaker.CONTACT, "我要投诉"),
    ]


def test_line_ends_and_a_byte_order_mark_change_nothing() -> None:
    assert vtt.parse("\ufeff" + VTT.replace("\n", "\r\n")) == vtt.parse(VTT)
    assert srt.parse(SRT.replace("\n", "\r")).cues == srt.parse("\ufeff" + SRT).cues


def test_several_voices_in_one_cue_are_several_turns() -> None:
    text = "WEBVTT\n\nq1\n00:01.000 --> 00:02.000\n<v 客服>您好</v><v 客户>我要投诉"
    assert [(c.voice, c.text, c.id) for c in vtt.parse(text).cues] == [
        ("客服", "您好", "q1"),
        ("客户", "我要投诉", "q1/2"),
    ]


def test_a_cue_without_a_readable_time_keeps_its_words() -> None:
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\na\n\nsoon --> later\n我要投诉\n"
    found = vtt.parse(text)
    assert [cue.text for cue in found.cues] == ["a", "我要投诉"]
    assert found.cues[1].begin == 2000
    assert found.warnings


def test_what_is_no_speaker_stays_in_the_text() -> None:
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\n投诉：椅子断了\n\n00:03.000 --> 00:04.000\nAt 10:30"
    assert [turn.text for turn in turns(uploaded(text, "text/vtt"))] == [
        "投诉：椅子断了",
        "At 10:30",
    ]


def test_unlisted_speakers_are_taken_where_every_line_names_one() -> None:
    times = ("00:00:01,000 --> 00:00:02,000", "00:00:03,000 --> 00:00:04,000")
    text = f"1\n{times[0]}\nZoe: hi\n\n2\n{times[1]}\n王小明：你好"
    found = turns(uploaded(text, "text/srt"))
    assert [(turn.by, turn.speaker_name, turn.text) for turn in found] == [
        (Speaker.UNKNOWN, "Zoe", "hi"),
        (Speaker.UNKNOWN, "王小明", "你好"),
    ]


def test_numbered_cues_of_two_files_of_one_call_never_replace_each_other() -> None:
    one = uploaded("WEBVTT\n\n1\n00:01.000 --> 00:02.000\n我要投诉", "text/vtt", call_id="c")
    two = uploaded("WEBVTT\n\n1\n00:09.000 --> 00:10.000\n再见", "text/vtt", call_id="c")
    assert {turn.external_id for turn in turns(one)}.isdisjoint(
        turn.external_id for turn in turns(two)
    )


def test_the_same_file_again_has_the_same_ids() -> None:
    def ids(found: Decoded) -> list[str]:
        return [turn.external_id for turn in turns(found)]

    assert ids(uploaded(SRT, "text/srt")) == ids(uploaded(SRT, "text/srt"))


def test_a_call_in_json_becomes_turns_in_time_order_of_the_calling_customer() -> None:
    found = uploaded(CALL)
    first, second = turns(found)
    assert (first.text, first.by, first.speaker_name) == ("您好", Speaker.AGENT, "小王")
    assert second.at == datetime(2025, 10, 9, 9, 0, 2, 400000, UTC)
    assert second.sender == "+8613800138000"
    assert [(c.kind, c.value, c.verified, c.source) for c in second.claims] == [
        (ClaimKind.PHONE, "+8613800138000", True, "caller_id")
    ]
    assert isinstance(found.events[-1], CallEnded)
    assert json.loads(found.response.body) == {"call_id": "call-1", "turns": 2, "warnings": []}


def test_we_called_the_customer_on_an_outbound_call() -> None:
    found = uploaded(CALL | {"direction": "outbound", "callee": "+14155550123"})
    assert turns(found)[0].sender == "+14155550123"


@pytest.mark.parametrize("caller", ["", "anonymous", "95", "+86282452253"])
def test_a_hidden_number_leaves_the_call_on_its_own(caller: str) -> None:
    first = turns(uploaded(CALL | {"caller": caller}))[0]
    assert (first.sender, first.claims) == ("call:call-1", ())


def test_a_caller_id_that_is_not_trusted_is_only_shown() -> None:
    adapter = an_adapter(trust_caller_id=False)
    request = a_request(json.dumps(CALL).encode(), "application/json")
    (claim,) = turns(adapter.decode(adapter.verify(request)))[0].claims
    assert not claim.verified


def test_a_turn_that_ends_before_it_begins_is_kept_with_a_warning() -> None:
    backwards = {"participant": "c", "begin_ms": 900, "end_ms": 100, "text": "喂"}
    answer = json.loads(uploaded(CALL | {"turns": [backwards]}).response.body)
    assert (answer["turns"], len(answer["warnings"])) == (1, 1)


def test_more_turns_do_not_end_a_call() -> None:
    found = uploaded(CALL | {"complete": False})
    assert not any(isinstance(event, CallEnded) for event in found.events)


def test_no_two_turns_share_an_id_by_a_colon() -> None:
    turn = {"participant": "c", "begin_ms": 0, "text": "x"}
    one = uploaded(CALL | {"call_id": "a", "turns": [turn | {"id": "b:c"}]})
    two = uploaded(CALL | {"call_id": "a:b", "turns": [turn | {"id": "c"}]})
    ended = uploaded(CALL | {"call_id": "a", "turns": [turn | {"id": "ended"}]})
    ids = [event.external_id for each in (one, two, ended) for event in turns(each)]
    ends = [event.external_id for event in ended.events if isinstance(event, CallEnded)]
    assert len({*ids, *ends}) == 4


def test_a_form_brings_a_file_and_its_meta() -> None:
    meta = {"call_id": "c-9", "caller": "+8613800138000", "started_at": "2025-10-09T09:00:00Z"}
    form = a_form(
        ('name="meta"', json.dumps(meta).encode()),
        ('name="file"; filename="通话.vtt"', VTT.replace("\n", "\r\n").encode()),
    )
    found = uploaded(form, "multipart/form-data; boundary=b")
    assert [turn.call for turn in turns(found)] == ["c-9"] * 3
    assert turns(found)[1].text.endswith("it is 5 < 6 now")


def test_a_declared_charset_is_followed() -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\n客户：我要投诉".encode("gb18030")
    (turn,) = turns(uploaded(text, "text/srt; charset=gb18030"))
    assert (turn.by, turn.text) == (Speaker.CONTACT, "我要投诉")
    with pytest.raises(Malformed):
        uploaded(text, "text/srt")


def test_broken_halves_of_emoji_cost_nobody_the_rest() -> None:
    turn = '{"participant":"c","begin_ms":0,"text":"\\ud83d投诉\\u0000"}'
    found = uploaded('{"call_id":"c","turns":[' + turn + "]}")
    assert turns(found)[0].text == "\ufffd投诉\ufffd"


@pytest.mark.parametrize(
    ("body", "mime", "status", "field"),
    [
        (b"{", "application/json", 400, "file"),
        (b"[" * 100000, "application/json", 400, "file"),
        (b'{"turns":[]}', "application/json", 400, "call_id"),
        (b'{"call_id":"c","turns":[]}', "application/json", 400, "file"),
        (b'{"call_id":"c","started_at":"9 Oct"}', "application/json", 400, "started_at"),
        (
            b'{"call_id":"c","started_at":"2025-10-09T09:00:00"}',
            "application/json",
            400,
            "started_at",
        ),
        (b'{"call_id":"c","schema":"x/2"}', "application/json", 400, "schema"),
        (
            b'{"call_id":"c","turns":[{"participant":"a","begin_ms":-1,"text":""}]}',
            "application/json",
            400,
            "turns[0].begin_ms",
        ),
        (b"hello", "text/vtt", 400, "file"),
        (b"hello", "text/plain", 415, "file"),
        (b"\xff\xfe", "text/vtt", 400, "file"),
        (b"WEBVTT", "text/vtt; charset=rot13", 415, "charset"),
        (b"x" * (10 * 1024 * 1024 + 1), "text/vtt", 413, "file"),
        (b"x", "multipart/form-data", 400, "body"),
        (a_form(('name="meta"', b"{}")), "multipart/form-data; boundary=b", 400, "file"),
        (a_form(('name="file"', b"WEBVTT"))[:-6], "multipart/form-data; boundary=b", 400, "body"),
        (b"x", "multipart/form-data; boundary=\u00e9", 415, "content-type"),
    ],
)
def test_an_upload_that_cannot_be_read_is_told_which_field_to_mend(
    body: bytes, mime: str, status: int, field: str
) -> None:
    with pytest.raises(Malformed) as refused:
        uploaded(body, mime)
    assert refused.value.answer is not None
    answer = json.loads(refused.value.answer.body)
    assert (refused.value.answer.status, answer["field"]) == (status, field)
    assert answer["fix"]


@pytest.mark.parametrize("key", ["", "k-2", "k-1x", "é", "\udcff"])
def test_only_the_api_key_opens_the_door(key: str) -> None:
    with pytest.raises(Unverified):
        an_adapter().verify(a_request(b"{}", "application/json", key=key))


def test_an_empty_api_key_is_a_configuration_error() -> None:
    with pytest.raises(msgspec.ValidationError):
        an_adapter(api_key="")


@given(
    st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"WEBVTT\n\n{text}".encode()),
    st.sampled_from(["application/json", "text/vtt", "text/srt", "multipart/form-data; boundary=b"])
    | st.text(max_size=40),
)
def test_no_upload_breaks_anything(body: bytes, mime: str) -> None:
    adapter = an_adapter()
    request = a_request(body, "text/vtt")
    request = replace(request, headers={**request.headers, "content-type": mime})
    try:
        status = adapter.decode(adapter.verify(request)).response.status
    except Malformed as refused:
        status = refused.answer.status if refused.answer else 0
    assert status in {200, 400, 413, 415}
