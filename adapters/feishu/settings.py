"""What an account of Feishu needs to know, and what the platform can carry."""

import msgspec

from router.channel.contract import Capabilities

# https://open.feishu.cn/document/server-docs/im-v1/message/create: a text of 150 KB, de-duplicated
# by uuid for an hour, 5 messages a second to one person or group. Sizes and rates are unverified;
# parts of 20 KB are well inside, and an answer that is longer than that is rare.
CAPABILITIES = Capabilities(
    replies=True,
    max_text=20_000,
    text_unit="bytes",
    media_out=frozenset({"image", "voice", "video", "file"}),
    media_in=frozenset({"image", "voice", "video", "file"}),
    sends_per_second=5.0,
    recalls_in=True,
    receipts=True,
    idempotent_sends=True,
)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One self-built app.

    With an ``encrypt_key`` every event must be encrypted and signed. ``api_base`` is where calls
    go: https://open.feishu.cn, or https://open.larksuite.com for Lark.
    """

    verification_token: str
    app_id: str
    app_secret: str
    encrypt_key: str = ""
    api_base: str = "https://open.feishu.cn"

    def __post_init__(self) -> None:
        if not (self.verification_token and self.app_id and self.app_secret):
            raise ValueError("verification_token, app_id and app_secret must not be empty")
        if not self.api_base.startswith(("https://", "http://")):
            raise ValueError("api_base must be an address that starts with https://")
