"""Fields of phone systems' records against the official packages' models of the same."""

import gzip
import json
from pathlib import Path
from typing import Any

import botocore
import msgspec
from alibabacloud_ccc20200701.models import GetConversationDetailResponseBody
from PureCloudPlatformClientV2.models.transcription_topic_transcription_message import (
    TranscriptionTopicTranscriptionMessage,
)
from tencentcloud.ccc.v20200210.models import DescribeTelRecordAsrResponse, TelCdrInfo

from router.channel.contract import Bell, Pulled, Reply, Turn
from router.channel.registry import channels
from tests.adapters.case_files import Case, cases


def stories(name: str) -> tuple[Case, ...]:
    return tuple(cases(name))


def bodies(name: str) -> list[Any]:
    """Return every delivery of a channel's stories that is an object."""
    told = [step["request"].get("body", "") for case in stories(name) for step in _given(case)]
    found = [json.loads(body) for body in told if body.startswith("{")]
    return [each for each in found if isinstance(each, dict)]


def _given(case: Case) -> list[Any]:
    return [step for step in case.steps() if "request" in step]


def replies(name: str) -> list[Any]:
    told = [each["reply"]["body"] for case in stories(name) for each in case.exchanges()]
    return [json.loads(body) for body in told if body.startswith("{")]


def test_alibabas_model_reads_the_same_words() -> None:
    for reply in (each for each in replies("aliyun_ccc") if each.get("Phrases")):
        theirs = GetConversationDetailResponseBody().from_map(reply)
        settings = {"instance_id": "i", "access_key_id": "k", "access_key_secret": "s"}
        ours = pulled("aliyun_ccc", settings, Bell(cursor_key="words:c"), reply)
        said = [phrase.words for phrase in theirs.phrases]
        assert not ours or [turn.text for turn in ours] == said
        assert not ours or [turn.offset.total_seconds() * 1000 for turn in ours] == [
            phrase.begin for phrase in theirs.phrases
        ]


def pulled(name: str, settings: dict[str, Any], bell: Bell, reply: Any) -> list[Turn]:
    channel = channels()[name]
    adapter = channel.build(msgspec.convert(settings, channel.settings))
    found = adapter.read_pull(bell, Reply(status=200, body=json.dumps(reply).encode()))
    events = found.events if isinstance(found, Pulled) else ()
    return [event for event in events if isinstance(event, Turn)]


def test_tencents_models_know_every_field_that_we_read() -> None:
    known = set(TelCdrInfo().__dict__)
    for name in (
        *("SessionId", "Caller", "Callee", "Direction", "AcceptTimestamp", "StartTimestamp"),
        *("EndedTimestamp", "Duration", "Time", "PostIVRKeyPressedEx", "EndStatusString"),
    ):
        assert f"_{name}" in known, name
    for reply in (each for each in replies("tencent_ccc") if "AsrDataList" in each["Response"]):
        theirs = DescribeTelRecordAsrResponse()
        theirs._deserialize({"RequestId": "x", **reply["Response"]})  # noqa: SLF001
        ours = pulled("tencent_ccc", {}, Bell(cursor_key="words:s"), reply)
        assert {turn.text for turn in ours} == {row.Message for row in theirs.AsrDataList}


def test_genesys_model_names_the_same_fields() -> None:
    names = set(TranscriptionTopicTranscriptionMessage().attribute_map.values())
    read = {
        *("conversationId", "communicationId", "organizationId", "eventTime", "transcripts"),
        *("transcriptionStartTimeMs", "sessionStartTimeMs", "status"),
    }
    assert read <= names
    for body in (each for each in bodies("genesys") if "eventBody" in each):
        assert set(body["eventBody"]) <= names


def test_amazons_model_names_the_same_fields_of_a_turn() -> None:
    folder = Path(botocore.__file__).parent / "data/connect-contact-lens"
    (packed,) = folder.glob("*/service-2.json.gz")
    shapes = json.loads(gzip.decompress(packed.read_bytes()))["shapes"]
    transcript = set(shapes["Transcript"]["members"])
    assert {"Id", "ParticipantRole", "Content", "BeginOffsetMillis"} <= transcript
    for body in (each for each in bodies("connect") if "Segments" in each):
        for segment in body["Segments"]:
            assert set(segment.get("Transcript", {})) <= transcript | {"LanguageCode"}
