"""Alibaba Cloud SMS: what customers text back, and receipts. Answers need an approved template."""

from adapters.sms_aliyun.adapter import AliyunSms
from adapters.sms_aliyun.settings import Settings
from router.channel.contract import Capabilities, Channel, Family

CHANNEL = Channel(
    name="sms_aliyun",
    title={"en": "Alibaba Cloud SMS", "zh": "阿里云短信"},
    family=Family.SMS,
    transport="webhook",
    # Only templates can be sent, so an agent cannot type an answer.
    capabilities=Capabilities(replies=False, receipts=True),
    settings=Settings,
    build=AliyunSms,
    needs_secret_path=True,  # nothing is signed
)
