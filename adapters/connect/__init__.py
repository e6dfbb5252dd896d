"""Amazon Connect Contact Lens: calls as they are transcribed, and their analysis afterwards."""

from adapters.connect.adapter import Connect
from adapters.connect.settings import Settings
from router.channel.contract import Capabilities, Channel, Family

CHANNEL = Channel(
    name="connect",
    title={"en": "Amazon Connect calls", "zh": "Amazon Connect 电话"},
    family=Family.VOICE,
    transport="webhook",
    capabilities=Capabilities(replies=False, voice=True),
    settings=Settings,
    build=Connect,
    aliases=frozenset({"amazon_connect"}),
    secrets=frozenset({"api_key", "aws_secret_access_key"}),
    needs_secret_path=True,  # the platform signs nothing
)
