"""What an account of WeCom customer service needs to know, and what the platform can carry."""

from datetime import timedelta

import msgspec

from adapters._common.wecrypt import Envelope, key_from
from router.channel.contract import Capabilities, Window

# https://developer.work.weixin.qq.com/document/path/94677 (send_msg: 2048 bytes, 5 in 48 hours)
CAPABILITIES = Capabilities(
    replies=True,
    max_text=2048,
    text_unit="bytes",
    media_out=frozenset({"image", "voice", "video", "file"}),
    media_in=frozenset({"image", "voice", "video", "file"}),
    windows=(Window(kind="message", lasts=timedelta(hours=48), sends=5),),
    recalls_in=True,
    receipts=True,
)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The customer service of one company.

    ``secret`` is the one of 微信客服, for the access token. ``open_kfid`` is the service account
    that most customers write to; others are heard too, each as a thread of its own. ``receiver_id``
    is whom callbacks are sealed for, if that is not ``corpid``. ``api_base`` is where calls go.
    """

    token: str
    encoding_aes_key: str
    corpid: str
    secret: str
    open_kfid: str = ""
    receiver_id: str = ""
    api_base: str = "https://qyapi.weixin.qq.com"

    def __post_init__(self) -> None:
        if not (self.token and self.corpid and self.secret):
            raise ValueError("token, corpid and secret must not be empty")
        key_from(self.encoding_aes_key)
        if not self.api_base.startswith(("https://", "http://")):
            raise ValueError("api_base must be an address that starts with https://")

    @property
    def envelope(self) -> Envelope:
        """Return what opens this company's callbacks."""
        key = key_from(self.encoding_aes_key)
        return Envelope(key=key, receiver=self.receiver_id or self.corpid)
