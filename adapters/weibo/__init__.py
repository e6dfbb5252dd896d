"""Weibo fans service (微博粉丝服务): messages to and from a Weibo account."""

from adapters.weibo.adapter import Weibo
from adapters.weibo.settings import CAPABILITIES, Settings
from router.channel.contract import Channel, Family

CHANNEL = Channel(
    name="weibo",
    title={"en": "Weibo fans service", "zh": "微博粉丝服务"},
    family=Family.SOCIAL,
    transport="webhook",
    capabilities=CAPABILITIES,
    settings=Settings,
    build=Weibo,
    secrets=frozenset({"app_secret", "access_token"}),
    needs_secret_path=True,  # the body is never signed
)
