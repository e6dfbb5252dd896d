"""What a number of the WhatsApp Cloud API needs to know, and what the platform can carry."""

from datetime import timedelta

import msgspec

from adapters._common.meta import API_BASE, API_VERSION, complaint
from router.channel.contract import Capabilities, Window

# https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
# The text limit, the limits of menus and the rate are unverified.
CAPABILITIES = Capabilities(
    replies=True,
    max_text=4096,
    text_unit="characters",
    media_out=frozenset({"image", "voice", "video", "file"}),
    media_in=frozenset({"image", "voice", "video", "file"}),
    windows=(Window(kind="message", lasts=timedelta(hours=24)),),
    sends_per_second=80,
    recalls_in=True,
    receipts=True,
)
MAX_CAPTION = 1024


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One business phone number.

    ``app_secret`` signs deliveries, ``verify_token`` is ours for the check of the address,
    ``access_token`` is a system user's. ``phone_number_id`` is whom a delivery must be for and
    whom calls are from.
    """

    app_secret: str
    verify_token: str
    phone_number_id: str
    access_token: str
    api_base: str = API_BASE
    api_version: str = API_VERSION

    def __post_init__(self) -> None:
        wrong = complaint(
            secrets={
                "app_secret": self.app_secret,
                "verify_token": self.verify_token,
                "phone_number_id": self.phone_number_id,
                "access_token": self.access_token,
            },
            api_base=self.api_base,
            api_version=self.api_version,
        )
        if wrong:
            raise ValueError(wrong)

    @property
    def root(self) -> str:
        """Return where calls go, with the version."""
        return f"{self.api_base}/{self.api_version}"
