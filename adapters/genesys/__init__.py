"""Genesys Cloud: calls as they are transcribed."""

from adapters.genesys.adapter import Genesys
from adapters.genesys.settings import Settings
from router.channel.contract import Capabilities, Channel, Family

CHANNEL = Channel(
    name="genesys",
    title={"en": "Genesys Cloud calls", "zh": "Genesys Cloud 电话"},
    family=Family.VOICE,
    transport="webhook",
    capabilities=Capabilities(replies=False, voice=True),
    settings=Settings,
    build=Genesys,
    secrets=frozenset({"api_key", "client_secret"}),
    needs_secret_path=True,  # the platform signs nothing
)
