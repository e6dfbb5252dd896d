"""What a Telegram bot needs to know, and what the platform can carry."""

import msgspec

from router.channel.contract import Audience, Capabilities

# https://core.telegram.org/bots/api#sendmessage and https://core.telegram.org/bots/faq (rates).
# The text limit is counted in UTF-16 units, which is never less than what Telegram counts.
CAPABILITIES = Capabilities(
    replies=True,
    max_text=4096,
    text_unit="characters",
    media_out=frozenset({"image", "voice", "video", "file"}),
    media_in=frozenset({"image", "voice", "video", "file"}),
    sends_per_second=30,
    recalls_in=True,
    public=True,
    public_answers=(Audience.PUBLIC, Audience.PRIVATE),
)
#: The longest words under a picture, a recording, a film or a file.
MAX_CAPTION = 1024
#: The most bytes that a button gives back.
MAX_PAYLOAD = 64


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One bot.

    ``secret_token`` is what ``setWebhook`` was given and every delivery carries in a header.
    ``api_base`` is where calls go, without the token.
    """

    bot_token: str
    secret_token: str
    api_base: str = "https://api.telegram.org"

    def __post_init__(self) -> None:
        if not (self.bot_token and self.secret_token):
            raise ValueError("bot_token and secret_token must not be empty")
        if not self.api_base.startswith(("https://", "http://")) or self.api_base.endswith("/"):
            raise ValueError("api_base must be an address that starts with https://, without a /")
