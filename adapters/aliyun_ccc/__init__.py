"""Alibaba Cloud call centre (云呼叫中心, CCC 2.0): a bell for each call, then what was said."""

from adapters.aliyun_ccc.adapter import AliyunCcc
from adapters.aliyun_ccc.settings import Settings
from router.channel.contract import Capabilities, Channel, Family

CHANNEL = Channel(
    name="aliyun_ccc",
    title={"en": "Alibaba Cloud call centre", "zh": "阿里云云呼叫中心"},
    family=Family.VOICE,
    transport="webhook",
    capabilities=Capabilities(replies=False, voice=True),
    settings=Settings,
    build=AliyunCcc,
    secrets=frozenset({"access_key_secret"}),
    needs_secret_path=True,  # no signature of the webhook is known
)
