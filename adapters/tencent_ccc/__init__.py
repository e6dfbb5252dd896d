"""Tencent Cloud contact centre (云联络中心, TCCC): call records by push, words by pull."""

from adapters.tencent_ccc.adapter import TencentCcc
from adapters.tencent_ccc.settings import Settings
from router.channel.contract import Capabilities, Channel, Family

CHANNEL = Channel(
    name="tencent_ccc",
    title={"en": "Tencent Cloud contact centre", "zh": "腾讯云联络中心"},
    family=Family.VOICE,
    transport="webhook",
    capabilities=Capabilities(replies=False, voice=True),
    settings=Settings,
    build=TencentCcc,
    secrets=frozenset({"password", "secret_key"}),
    needs_secret_path=True,  # the body is not signed
)
