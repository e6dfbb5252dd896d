"""What an account of Douyin needs to know, and what the platform can carry."""

from datetime import timedelta

import msgspec

from router.channel.contract import Capabilities, Window

# The window (24 hours, six answers to a message) is told by its users and unverified, as is the
# length of a text. A comment in a live room opens none, because it cannot be answered.
CAPABILITIES = Capabilities(
    replies=True,
    max_text=500,
    media_in=frozenset({"image", "video"}),
    windows=(Window(kind="message", lasts=timedelta(hours=24), sends=6),),
    recalls_in=True,
    receipts=True,
    public=True,
    public_answers=(),
)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One enterprise account, its live rooms, or both.

    ``client_secret`` proves private messages (of a mini program it is the webhook's own secret),
    ``secret`` proves the data pushes of live rooms. ``open_id`` is our own, and ``refresh_token``
    what the account's owner granted; both are needed to answer. ``client_key``, if given, is whom
    an event must be for.
    """

    client_secret: str = ""
    secret: str = ""
    client_key: str = ""
    open_id: str = ""
    refresh_token: str = ""
    api_base: str = "https://open.douyin.com"

    def __post_init__(self) -> None:
        if not (self.client_secret or self.secret):
            raise ValueError(
                "give client_secret for private messages, secret for live rooms, or both"
            )
        if self.refresh_token and not (self.client_key and self.open_id):
            raise ValueError("to answer, refresh_token needs client_key and open_id beside it")
        if not self.api_base.startswith(("https://", "http://")):
            raise ValueError("api_base must be an address that starts with https://")
