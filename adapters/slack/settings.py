"""What a Slack app needs to know, and what the platform can carry."""

import msgspec

from router.channel.contract import Audience, Capabilities

# https://docs.slack.dev/reference/methods/chat.postMessage (4000 characters are recommended; the
# text is cut off at 40 000, unverified) and https://docs.slack.dev/apis/web-api/rate-limits.
CAPABILITIES = Capabilities(
    replies=True,
    max_text=4000,
    text_unit="characters",
    media_out=frozenset({"image"}),
    media_in=frozenset({"image", "voice", "video", "file"}),
    sends_per_second=5,  # a workspace; one a second in a channel is what Slack itself enforces
    recalls_in=True,
    public=True,
    public_answers=(Audience.PUBLIC, Audience.PRIVATE),
)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One app in one workspace.

    ``team_id``, if given, is whose deliveries are taken. ``api_base`` is where calls go,
    ``files_base`` the only place that files are fetched from with our token.
    """

    signing_secret: str
    bot_token: str
    team_id: str = ""
    api_base: str = "https://slack.com/api"
    files_base: str = "https://files.slack.com"

    def __post_init__(self) -> None:
        if not (self.signing_secret and self.bot_token):
            raise ValueError("signing_secret and bot_token must not be empty")
        for base in (self.api_base, self.files_base):
            if not base.startswith(("https://", "http://")) or base.endswith("/"):
                raise ValueError(
                    "api_base and files_base must start with https:// and end without /"
                )
