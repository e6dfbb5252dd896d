"""What an account of X needs to know, and what the platform can carry."""

import msgspec

from router.channel.contract import Audience, Capabilities

#: A post, in weighted characters; https://docs.x.com/resources/fundamentals/counting-characters
MAX_POST = 280
# A direct message holds 10 000 characters. There is no window: whoever can be written to at all can
# be written to always, within the limit of 1000 messages a day and person.
CAPABILITIES = Capabilities(
    replies=True,
    max_text=10_000,
    media_in=frozenset({"image", "video"}),
    recalls_in=True,
    receipts=True,
    public=True,
    public_answers=(Audience.PUBLIC, Audience.PRIVATE),
)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account, and the app that it has authorised.

    ``consumer_secret`` proves deliveries. ``consumer_key``, ``access_token`` and
    ``access_token_secret`` are needed to answer. ``user_id``, if given, is whose deliveries are
    taken. ``api_base`` is where calls go, ``media_base`` where pictures in direct messages are.
    """

    consumer_secret: str
    consumer_key: str = ""
    access_token: str = ""
    access_token_secret: str = ""
    user_id: str = ""
    api_base: str = "https://api.x.com"
    media_base: str = "https://ton.twitter.com"

    def __post_init__(self) -> None:
        if not self.consumer_secret:
            raise ValueError("consumer_secret must not be empty")
        given = (self.consumer_key, self.access_token, self.access_token_secret)
        if any(given) and not all(given):
            raise ValueError(
                "to answer, consumer_key, access_token and access_token_secret are all needed"
            )
        for base in (self.api_base, self.media_base):
            if not base.startswith(("https://", "http://")) or base.endswith("/"):
                raise ValueError(
                    "api_base and media_base must start with https:// and end without /"
                )

    @property
    def can_answer(self) -> bool:
        """Return whether the account can send anything."""
        return bool(self.access_token)
