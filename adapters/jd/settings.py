"""What an account of JD needs to know, and what the platform can carry."""

import msgspec

from router.channel.contract import Capabilities

# 咚咚, the chat with buyers, has no public API to send with; its history can be read afterwards.
CAPABILITIES = Capabilities(replies=False)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One application and the shop that it serves.

    ``access_token`` is the shop's, without which nothing is pulled. ``order_states`` are the states
    whose orders are asked for (unverified names). ``waiter``, if given, is the one colleague whose
    chats are read, ``chats`` whether they are read at all. ``api_base`` is where calls go.
    """

    app_key: str
    app_secret: str
    access_token: str = ""
    order_states: str = (
        "WAIT_SELLER_STOCK_OUT,WAIT_GOODS_RECEIVE_CONFIRM,FINISHED_L,TRADE_CANCELED,LOCKED"
    )
    waiter: str = ""
    chats: bool = True
    api_base: str = "https://api.jd.com/routerjson"

    def __post_init__(self) -> None:
        if not (self.app_key and self.app_secret):
            raise ValueError("app_key and app_secret must not be empty")
        if not self.api_base.startswith(("https://", "http://")):
            raise ValueError("api_base must be an address that starts with https://")
