"""WhatsApp Cloud API: messages to and from one business phone number."""

from adapters.whatsapp.adapter import WhatsApp
from adapters.whatsapp.settings import CAPABILITIES, Settings
from router.channel.contract import Channel, Family

CHANNEL = Channel(
    name="whatsapp",
    title={"en": "WhatsApp", "zh": "WhatsApp"},
    family=Family.IM,
    transport="webhook",
    capabilities=CAPABILITIES,
    settings=Settings,
    build=WhatsApp,
    secrets=frozenset({"app_secret", "verify_token", "access_token"}),
)
