"""Twilio text messages: SMS and MMS, and what else Twilio carries as messages."""

from adapters.twiliosms.adapter import TwilioSms
from adapters.twiliosms.settings import CAPABILITIES, Settings
from router.channel.contract import Channel, Family

CHANNEL = Channel(
    name="twiliosms",
    title={"en": "Twilio SMS", "zh": "Twilio 短信"},
    family=Family.SMS,
    transport="webhook",
    capabilities=CAPABILITIES,
    settings=Settings,
    build=TwilioSms,
    aliases=frozenset({"sms_twilio"}),
    secrets=frozenset({"auth_token", "shared_key_secret", "api_key_secret"}),
)
