"""X (Twitter): direct messages, and posts that mention or answer the account."""

from adapters.x.adapter import X
from adapters.x.settings import CAPABILITIES, Settings
from router.channel.contract import Channel, Family

CHANNEL = Channel(
    name="x",
    title={"en": "X", "zh": "X（推特）"},
    family=Family.SOCIAL,
    transport="webhook",
    capabilities=CAPABILITIES,
    settings=Settings,
    build=X,
    secrets=frozenset({"consumer_secret", "access_token", "access_token_secret"}),
    aliases=frozenset({"twitter"}),
)
