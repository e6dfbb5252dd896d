"""Xiaohongshu (小红书): news of a shop's orders, and the message push of a mini program."""

from adapters.xiaohongshu.adapter import Xiaohongshu
from adapters.xiaohongshu.settings import CAPABILITIES, Settings
from router.channel.contract import Channel, Family

CHANNEL = Channel(
    name="xiaohongshu",
    title={"en": "Xiaohongshu (RED)", "zh": "小红书"},
    family=Family.SHOP,
    transport="webhook",
    capabilities=CAPABILITIES,
    settings=Settings,
    build=Xiaohongshu,
    secrets=frozenset({"token", "encoding_aes_key", "app_secret"}),
    needs_secret_path=True,
)
