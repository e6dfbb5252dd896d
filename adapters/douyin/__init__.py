"""Douyin (抖音): private messages of an enterprise account, and the comments of its live rooms."""

from adapters.douyin.adapter import Douyin
from adapters.douyin.settings import CAPABILITIES, Settings
from router.channel.contract import Channel, Family

CHANNEL = Channel(
    name="douyin",
    title={"en": "Douyin", "zh": "抖音"},
    family=Family.SOCIAL,
    transport="webhook",
    capabilities=CAPABILITIES,
    settings=Settings,
    build=Douyin,
    secrets=frozenset({"client_secret", "secret", "refresh_token"}),
)
