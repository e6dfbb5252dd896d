"""Transcripts of phone calls, uploaded as WebVTT, SubRip or JSON."""

from adapters.transcript.adapter import Transcript
from adapters.transcript.settings import Settings
from router.channel.contract import Capabilities, Channel, Family

CHANNEL = Channel(
    name="transcript",
    title={"en": "Phone transcript", "zh": "电话录音转写"},
    family=Family.VOICE,
    transport="upload",
    capabilities=Capabilities(replies=False, voice=True),
    settings=Settings,
    build=Transcript,
    aliases=frozenset({"transcript_upload", "vtt", "srt"}),
    secrets=frozenset({"api_key"}),
)
