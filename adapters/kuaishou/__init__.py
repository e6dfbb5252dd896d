"""Kuaishou (快手): the comments of live rooms, which can be read and not answered."""

from adapters.kuaishou.adapter import Kuaishou
from adapters.kuaishou.settings import CAPABILITIES, Settings
from router.channel.contract import Channel, Family

CHANNEL = Channel(
    name="kuaishou",
    title={"en": "Kuaishou", "zh": "快手"},
    family=Family.SOCIAL,
    transport="webhook",
    capabilities=CAPABILITIES,
    settings=Settings,
    build=Kuaishou,
    secrets=frozenset({"app_secret"}),
)
