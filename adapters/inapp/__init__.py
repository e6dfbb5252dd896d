"""Messages in the shop's own app, over MQTT: our own topics, a broker that proves who speaks."""

from adapters.inapp.adapter import InApp
from adapters.inapp.settings import CAPABILITIES, Settings
from router.channel.contract import Channel, Family

CHANNEL = Channel(
    name="inapp",
    title={"en": "In-app messages", "zh": "App 内消息"},
    family=Family.IM,
    transport="mqtt",
    capabilities=CAPABILITIES,
    settings=Settings,
    build=InApp,
    aliases=frozenset({"mqtt_inapp", "mqtt"}),
    secrets=frozenset({"password"}),
)
