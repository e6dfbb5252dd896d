"""Telegram: messages to and from a bot, and to a business account that a bot answers for."""

from adapters.telegram.adapter import Telegram
from adapters.telegram.settings import CAPABILITIES, Settings
from router.channel.contract import Channel, Family

CHANNEL = Channel(
    name="telegram",
    title={"en": "Telegram", "zh": "Telegram"},
    family=Family.IM,
    transport="webhook",
    capabilities=CAPABILITIES,
    settings=Settings,
    build=Telegram,
    secrets=frozenset({"bot_token", "secret_token"}),
)
