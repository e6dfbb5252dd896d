"""WeChat Official Account (微信公众号), and the customer service of mini programs (小程序客服)."""

from adapters.wechat.adapter import WeChat
from adapters.wechat.settings import CAPABILITIES, Settings
from router.channel.contract import Channel, Family

CHANNEL = Channel(
    name="wechat",
    title={"en": "WeChat Official Account or Mini Program", "zh": "微信公众号、小程序"},
    family=Family.IM,
    transport="webhook",
    capabilities=CAPABILITIES,
    settings=Settings,
    build=WeChat,
    secrets=frozenset({"token", "app_secret", "encoding_aes_key"}),
    needs_secret_path=True,  # in plain mode the body is not signed
)
