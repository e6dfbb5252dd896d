"""Feishu and Lark (飞书): a bot of a self-built app, events of version 2."""

from adapters.feishu.adapter import Feishu
from adapters.feishu.settings import CAPABILITIES, Settings
from router.channel.contract import Channel, Family

CHANNEL = Channel(
    name="feishu",
    title={"en": "Feishu / Lark", "zh": "飞书"},
    family=Family.IM,
    transport="webhook",
    capabilities=CAPABILITIES,
    settings=Settings,
    build=Feishu,
    secrets=frozenset({"encrypt_key", "verification_token", "app_secret"}),
)
