"""What a LINE Official Account needs to know, and what the platform can carry."""

import msgspec

from router.channel.contract import Audience, Capabilities

# https://developers.line.biz/en/reference/messaging-api/ (text length counted in UTF-16 units,
# unverified). Pushes carry a retry key, so the same call sent twice says it once.
CAPABILITIES = Capabilities(
    replies=True,
    max_text=5000,
    text_unit="characters",
    media_out=frozenset({"image"}),
    media_in=frozenset({"image", "voice", "video", "file"}),
    recalls_in=True,
    idempotent_sends=True,
    public=True,
    public_answers=(Audience.PUBLIC, Audience.PRIVATE),
)
#: The most messages in one push.
MOST_MESSAGES = 5


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One official account.

    ``destination`` (the account's own user id, ``U…``), if given, is whom a delivery must be for.
    ``api_base`` is where calls go, ``data_base`` where pictures and recordings come from.
    """

    channel_secret: str
    access_token: str
    destination: str = ""
    api_base: str = "https://api.line.me"
    data_base: str = "https://api-data.line.me"

    def __post_init__(self) -> None:
        if not (self.channel_secret and self.access_token):
            raise ValueError("channel_secret and access_token must not be empty")
        for base in (self.api_base, self.data_base):
            if not base.startswith(("https://", "http://")) or base.endswith("/"):
                raise ValueError(
                    "api_base and data_base must be addresses that start with https://, without a /"
                )
