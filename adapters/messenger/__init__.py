"""Facebook Messenger: messages to a page, and comments and posts on it."""

from adapters.messenger.adapter import Messenger
from adapters.messenger.settings import CAPABILITIES, Settings, able
from router.channel.contract import Channel, Family

CHANNEL = Channel(
    name="messenger",
    title={"en": "Facebook Messenger", "zh": "Facebook Messenger"},
    family=Family.SOCIAL,
    transport="webhook",
    capabilities=CAPABILITIES,
    able=able,
    settings=Settings,
    build=Messenger,
    secrets=frozenset({"app_secret", "verify_token", "access_token"}),
)
