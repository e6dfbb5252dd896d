"""Instagram: direct messages to a professional account, and comments on its media."""

from adapters.instagram.adapter import Instagram
from adapters.instagram.settings import CAPABILITIES, Settings, able
from router.channel.contract import Channel, Family

CHANNEL = Channel(
    name="instagram",
    title={"en": "Instagram", "zh": "Instagram"},
    family=Family.SOCIAL,
    transport="webhook",
    capabilities=CAPABILITIES,
    able=able,
    settings=Settings,
    build=Instagram,
    secrets=frozenset({"app_secret", "verify_token", "access_token"}),
)
