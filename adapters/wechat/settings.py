"""What an account on WeChat needs to know, and what the platform can carry."""

from datetime import timedelta
from typing import Literal, TypeAlias

import msgspec

from adapters._common.wecrypt import Envelope, key_from
from router.channel.contract import Capabilities, Window

Kind: TypeAlias = Literal["official", "mini_program"]

# https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Service_Center_messages.html
# Windows by the rules of 2023-06. The 2048 bytes are unverified: errcode 45002 names no number.
CAPABILITIES = Capabilities(
    replies=True,
    max_text=2048,
    text_unit="bytes",
    media_out=frozenset({"image", "voice", "video"}),
    media_in=frozenset({"image", "voice", "video"}),
    windows=(
        Window(kind="message", lasts=timedelta(hours=48), sends=5),
        Window(kind="click", lasts=timedelta(minutes=1), sends=3),
        Window(kind="follow", lasts=timedelta(minutes=1), sends=3),
        Window(kind="scan", lasts=timedelta(minutes=1), sends=3),
        Window(kind="enter", lasts=timedelta(minutes=1), sends=2),  # mini programs
    ),
    receipts=True,
)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One official account, or the customer service of one mini program (``kind``).

    Without ``mode`` an account with an ``encoding_aes_key`` is in safe mode and any other in plain
    mode. ``raw_id`` (``gh_…``), if given, is whom a push must be addressed to. ``api_base`` is
    where calls go.
    """

    token: str
    appid: str
    app_secret: str
    kind: Kind = "official"
    encoding_aes_key: str = ""
    mode: Literal["plain", "compatible", "safe"] | None = None
    raw_id: str = ""
    api_base: str = "https://api.weixin.qq.com"

    def __post_init__(self) -> None:
        if not (self.token and self.appid and self.app_secret):
            raise ValueError("token, appid and app_secret must not be empty")
        if self.encoding_aes_key:
            key_from(self.encoding_aes_key)
        elif self.mode in ("compatible", "safe"):
            raise ValueError(f"mode {self.mode} needs an encoding_aes_key")
        if not self.api_base.startswith(("https://", "http://")):
            raise ValueError("api_base must be an address that starts with https://")

    @property
    def is_encrypted(self) -> bool:
        """Return whether a push without a ciphertext is a downgrade."""
        if self.mode is None:
            return bool(self.encoding_aes_key)
        return self.mode != "plain"

    @property
    def envelope(self) -> Envelope:
        """Return what opens and seals this account's messages; needs the ``encoding_aes_key``."""
        return Envelope(key=key_from(self.encoding_aes_key), receiver=self.appid)
