"""Slack: messages to and from an app in one workspace, in private, in channels and in threads."""

from adapters.slack.adapter import Slack
from adapters.slack.settings import CAPABILITIES, Settings
from router.channel.contract import Channel, Family

CHANNEL = Channel(
    name="slack",
    title={"en": "Slack", "zh": "Slack"},
    family=Family.IM,
    transport="webhook",
    capabilities=CAPABILITIES,
    settings=Settings,
    build=Slack,
    secrets=frozenset({"signing_secret", "bot_token"}),
)
