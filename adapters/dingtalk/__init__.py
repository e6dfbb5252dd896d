"""DingTalk (钉钉): a robot by HTTP callback or stream, and encrypted event pushes."""

from adapters.dingtalk.adapter import DingTalk
from adapters.dingtalk.settings import CAPABILITIES, Settings
from router.channel.contract import Channel, Family

CHANNEL = Channel(
    name="dingtalk",
    title={"en": "DingTalk", "zh": "钉钉"},
    family=Family.IM,
    transport="webhook",
    capabilities=CAPABILITIES,
    settings=Settings,
    build=DingTalk,
    secrets=frozenset({"app_secret", "token", "aes_key"}),
    needs_secret_path=True,  # the body of a robot's callback is not signed
)
