"""Twilio: phone calls as they are transcribed, and their transcripts afterwards."""

from adapters.twilio.adapter import Twilio
from adapters.twilio.settings import Settings
from router.channel.contract import Capabilities, Channel, Family

CHANNEL = Channel(
    name="twilio",
    title={"en": "Twilio calls", "zh": "Twilio 电话"},
    family=Family.VOICE,
    transport="webhook",
    capabilities=Capabilities(replies=False, voice=True),
    settings=Settings,
    build=Twilio,
    aliases=frozenset({"twilio_voice"}),
    secrets=frozenset({"auth_token", "shared_key_secret", "api_key_secret"}),
)
