"""JD (京东): orders and the history of 咚咚 chats, both by pull."""

from adapters.jd.adapter import JD
from adapters.jd.settings import CAPABILITIES, Settings
from router.channel.contract import Channel, Family

CHANNEL = Channel(
    name="jd",
    title={"en": "JD", "zh": "京东"},
    family=Family.SHOP,
    transport="pull",
    capabilities=CAPABILITIES,
    settings=Settings,
    build=JD,
    secrets=frozenset({"app_secret", "access_token"}),
    aliases=frozenset({"jingdong"}),
    needs_secret_path=True,
)
