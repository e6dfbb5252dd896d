"""LINE Messaging API: messages to and from a LINE Official Account."""

from adapters.line.adapter import Line
from adapters.line.settings import CAPABILITIES, Settings
from router.channel.contract import Channel, Family

CHANNEL = Channel(
    name="line",
    title={"en": "LINE", "zh": "LINE"},
    family=Family.IM,
    transport="webhook",
    capabilities=CAPABILITIES,
    settings=Settings,
    build=Line,
    secrets=frozenset({"channel_secret", "access_token"}),
)
