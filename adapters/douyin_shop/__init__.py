"""Douyin Shop (抖店): news of orders and refunds, pushed and signed."""

from adapters.douyin_shop.adapter import DouyinShop
from adapters.douyin_shop.settings import CAPABILITIES, Settings
from router.channel.contract import Channel, Family

CHANNEL = Channel(
    name="douyin_shop",
    title={"en": "Douyin Shop", "zh": "抖店"},
    family=Family.SHOP,
    transport="webhook",
    capabilities=CAPABILITIES,
    settings=Settings,
    build=DouyinShop,
    secrets=frozenset({"app_secret"}),
    aliases=frozenset({"doudian"}),
)
