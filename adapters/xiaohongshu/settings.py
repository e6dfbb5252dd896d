"""What an account of Xiaohongshu needs to know, and what the platform can carry."""

import msgspec

from adapters._common.wecrypt import Envelope, key_from
from router.channel.contract import Capabilities

# 私信通, the private messages, is open to contracted vendors only.
CAPABILITIES = Capabilities(replies=False)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A shop's application, a mini program, or both.

    ``token`` proves the pushes of a mini program, ``encoding_aes_key`` opens them and ``app_id`` is
    whom they are sealed for. ``check_sign`` wants the shop's pushes signed with ``app_secret``; how
    they are is not certain, so that it is off unless it was tried. ``seller_id``, if given, is the
    shop whose news is taken.
    """

    token: str = ""
    encoding_aes_key: str = ""
    app_id: str = ""
    app_key: str = ""
    app_secret: str = ""
    check_sign: bool = False
    seller_id: str = ""

    def __post_init__(self) -> None:
        if self.encoding_aes_key:
            key_from(self.encoding_aes_key)
            if not self.token:
                raise ValueError("encoding_aes_key needs token beside it")
        if self.check_sign and not (self.app_key and self.app_secret):
            raise ValueError("check_sign needs app_key and app_secret")

    @property
    def envelope(self) -> Envelope | None:
        """Return what opens a mini program's pushes, if the account has one."""
        if not self.encoding_aes_key:
            return None
        return Envelope(key=key_from(self.encoding_aes_key), receiver=self.app_id)
