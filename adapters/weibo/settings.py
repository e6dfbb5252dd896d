"""What an account of Weibo fans service needs to know, and what the platform can carry."""

from datetime import timedelta

import msgspec

from router.channel.contract import Audience, Capabilities, Window

_TWO_DAYS = timedelta(hours=48)

# The platform's wiki (https://open.weibo.com/wiki/Receive_General_Message, 2014 to 2016):
# a text must be shorter than 300 Chinese characters, within 48 hours, without a count.
CAPABILITIES = Capabilities(
    replies=True,
    max_text=299,
    text_unit="characters",
    media_in=frozenset({"image", "voice"}),
    windows=(
        Window(kind="message", lasts=_TWO_DAYS),
        Window(kind="follow", lasts=_TWO_DAYS),
        Window(kind="click", lasts=_TWO_DAYS),
        Window(kind="scan", lasts=_TWO_DAYS),
        Window(kind="mention", lasts=_TWO_DAYS, sends=1),
    ),
    public=True,
    public_answers=(Audience.PRIVATE,),
)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Weibo account.

    ``receiver_id`` (our own uid), if given, is whom a push must be addressed to. ``api_base`` is
    where replies go, ``media_base`` where pictures and recordings come from.
    """

    app_secret: str
    access_token: str
    receiver_id: str = ""
    api_base: str = "https://m.api.weibo.com"
    media_base: str = "https://upload.api.weibo.com"

    def __post_init__(self) -> None:
        if not (self.app_secret and self.access_token):
            raise ValueError("app_secret and access_token must not be empty")
        for base in (self.api_base, self.media_base):
            if not base.startswith(("https://", "http://")):
                raise ValueError(
                    "api_base and media_base must be addresses that start with https://"
                )
