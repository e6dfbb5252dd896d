"""The generic webhook: a shop's own gateway feeds us and is answered, by Standard Webhooks."""

from adapters.standard.adapter import Standard
from adapters.standard.settings import CAPABILITIES, Settings
from router.channel.contract import Channel, Family

CHANNEL = Channel(
    name="standard",
    title={"en": "Shop gateway (Standard Webhooks)", "zh": "自有网关（Standard Webhooks）"},
    family=Family.SHOP,
    transport="webhook",
    capabilities=CAPABILITIES,
    settings=Settings,
    build=Standard,
    secrets=frozenset({"secret", "previous_secret", "reply_secret"}),
    aliases=frozenset({"standard_webhooks", "generic"}),
)
