"""What an account of Douyin Shop needs to know, and what the platform can carry."""

import msgspec

from router.channel.contract import Capabilities

# 飞鸽, the chat with buyers, has no public API; only news of orders comes in.
CAPABILITIES = Capabilities(replies=False)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One application. ``shop_id``, if given, is the shop whose news is taken."""

    app_key: str
    app_secret: str
    shop_id: str = ""

    def __post_init__(self) -> None:
        if not (self.app_key and self.app_secret):
            raise ValueError("app_key and app_secret must not be empty")
