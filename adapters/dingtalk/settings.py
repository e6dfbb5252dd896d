"""What an account of DingTalk needs to know, and what the platform can carry."""

import msgspec

from adapters._common.wecrypt import Envelope, key_from
from router.channel.contract import Capabilities

# https://open.dingtalk.com/document/orgapp/robot-message-types-and-data-format
# The length of a text is unverified; 2000 characters are well inside what is sent every day.
CAPABILITIES = Capabilities(
    replies=True,
    max_text=2000,
    media_out=frozenset({"image", "file"}),
    media_in=frozenset({"image", "voice", "video", "file"}),
)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One robot of one app.

    ``app_key`` and ``app_secret`` are the app's Client ID and Client Secret. ``robot_code`` is the
    app's key unless given. With ``stream`` we open a stream ourselves, where DingTalk cannot reach
    us; without, it calls the webhook. ``token``, ``aes_key`` and ``receiver_id`` are for encrypted
    event pushes and may be left out where there are none. ``api_base`` and ``oapi_base`` are where
    calls go, by the new and the old interface.
    """

    app_secret: str
    app_key: str
    robot_code: str = ""
    stream: bool = False
    token: str = ""
    aes_key: str = ""
    receiver_id: str = ""
    api_base: str = "https://api.dingtalk.com"
    oapi_base: str = "https://oapi.dingtalk.com"

    def __post_init__(self) -> None:
        if not (self.app_secret and self.app_key):
            raise ValueError("app_secret and app_key must not be empty")
        if self.aes_key:
            key_from(self.aes_key)
        if bool(self.token) != bool(self.aes_key):
            raise ValueError("token and aes_key belong together: give both or neither")
        for base in (self.api_base, self.oapi_base):
            if not base.startswith(("https://", "http://")):
                raise ValueError(
                    "api_base and oapi_base must be addresses that start with https://"
                )

    @property
    def robot(self) -> str:
        """Return the robot's code, which for most apps is the app's key."""
        return self.robot_code or self.app_key

    @property
    def envelope(self) -> Envelope:
        """Return what opens and seals event pushes; needs the ``aes_key``."""
        return Envelope(key=key_from(self.aes_key), receiver=self.receiver_id or self.app_key)
