"""Pinduoduo (拼多多): news of orders and refunds over the platform's message socket."""

from adapters.pinduoduo.adapter import Pinduoduo
from adapters.pinduoduo.settings import CAPABILITIES, Settings
from router.channel.contract import Channel, Family

CHANNEL = Channel(
    name="pinduoduo",
    title={"en": "Pinduoduo", "zh": "拼多多"},
    family=Family.SHOP,
    transport="webhook",
    capabilities=CAPABILITIES,
    settings=Settings,
    build=Pinduoduo,
    secrets=frozenset({"client_secret"}),
    needs_secret_path=True,
)
