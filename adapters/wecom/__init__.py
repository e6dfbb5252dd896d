"""WeCom customer service (微信客服): a callback that rings, and messages that are pulled."""

from adapters.wecom.adapter import WeCom
from adapters.wecom.settings import CAPABILITIES, Settings
from router.channel.contract import Channel, Family

CHANNEL = Channel(
    name="wecom",
    title={"en": "WeCom customer service", "zh": "微信客服"},
    family=Family.IM,
    transport="webhook",
    capabilities=CAPABILITIES,
    settings=Settings,
    build=WeCom,
    secrets=frozenset({"token", "secret", "encoding_aes_key"}),
)
