"""What an account of Pinduoduo needs to know, and what the platform can carry."""

import msgspec

from router.channel.contract import Capabilities

# There is no public API for the chat with buyers; only news of orders comes in.
CAPABILITIES = Capabilities(replies=False)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One application of an open-platform account.

    With ``socket`` we open the platform's message socket ourselves; without it a relay posts its
    frames. ``mall_id``, if given, is the shop whose news is taken. ``socket_base`` is where the
    platform's message socket is.
    """

    client_id: str
    client_secret: str
    mall_id: str = ""
    socket: bool = False
    socket_base: str = "wss://message-api.pinduoduo.com"

    def __post_init__(self) -> None:
        if not (self.client_id and self.client_secret):
            raise ValueError("client_id and client_secret must not be empty")
        if not self.socket_base.startswith(("wss://", "ws://")) or self.socket_base.endswith("/"):
            raise ValueError("socket_base must start with wss:// and end without /")
