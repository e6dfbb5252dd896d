"""Taobao and Tmall (淘宝、天猫): news of orders and refunds, and the chat history by pull."""

from adapters.taobao.adapter import Taobao
from adapters.taobao.settings import CAPABILITIES, Settings
from router.channel.contract import Channel, Family

CHANNEL = Channel(
    name="taobao",
    title={"en": "Taobao / Tmall", "zh": "淘宝 / 天猫"},
    family=Family.SHOP,
    transport="pull",
    capabilities=CAPABILITIES,
    settings=Settings,
    build=Taobao,
    secrets=frozenset({"app_secret", "session"}),
    aliases=frozenset({"tmall"}),
    needs_secret_path=True,
)
