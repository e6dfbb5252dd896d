"""What an account of Taobao needs to know, and what the platform can carry."""

import msgspec

from router.channel.contract import Capabilities

# 千牛, the chat with buyers, has no public API to send with; its history can be read afterwards.
CAPABILITIES = Capabilities(replies=False)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One application and the shop that it serves.

    ``session`` is the seller's token, without which nothing is pulled. ``group_name`` is the
    application's group of messages. ``nick`` is the shop's main account: its chat history is read
    if it is given. With ``socket`` the news is heard over the message socket as it comes, and not
    pulled. ``api_base`` is where calls go, ``socket_base`` where the message socket is.
    """

    app_key: str
    app_secret: str
    session: str = ""
    group_name: str = "default"
    nick: str = ""
    socket: bool = False
    api_base: str = "https://eco.taobao.com/router/rest"
    socket_base: str = "ws://mc.api.taobao.com/"

    def __post_init__(self) -> None:
        if not (self.app_key and self.app_secret):
            raise ValueError("app_key and app_secret must not be empty")
        if self.nick and not self.session:
            raise ValueError("to read the chat history of nick, session is needed beside it")
        if not self.api_base.startswith(("https://", "http://")):
            raise ValueError("api_base must be an address that starts with https://")
        if not self.socket_base.startswith(("ws://", "wss://")):
            raise ValueError("socket_base must be an address that starts with ws:// or wss://")
