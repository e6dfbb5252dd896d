"""What an operator sets for the text messages of one Twilio account, and what they can carry."""

from typing import Annotated

from msgspec import Meta, Struct

from adapters._common.twilio import Keys
from router.channel.contract import Capabilities

# https://www.twilio.com/docs/messaging/api/message-resource: a body has at most 1600 characters
# (unverified). How fast we may send depends on the kind of number; Twilio queues what is too fast.
CAPABILITIES = Capabilities(
    replies=True,
    max_text=1600,
    media_out=frozenset({"image"}),
    media_in=frozenset({"image", "voice", "video", "file"}),
    receipts=True,
)


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The messages of one Twilio account (or subaccount).

    ``shared_key_secret`` is for callbacks signed with a SharedKey. ``public_url`` is the scheme and
    host that Twilio calls, as it is entered there; without it the router's own public address
    counts. ``api_key_sid`` and ``api_key_secret`` sign our calls in place of the auth token.
    Answers leave from ``messaging_service_sid`` if that is set, else from the number that was
    written to, else from ``from_number``. ``status_callback`` is the whole address that receipts
    come to. ``trust_caller_id`` says whether the sender's number proves who wrote.
    """

    auth_token: str
    account_sid: str
    shared_key_secret: str = ""
    public_url: str = ""
    api_key_sid: str = ""
    api_key_secret: str = ""
    from_number: str = ""
    messaging_service_sid: str = ""
    status_callback: str = ""
    trust_caller_id: bool = True
    region: Annotated[str, Meta(pattern="^[A-Z]{2}$")] = "CN"
    api_base: str = "https://api.twilio.com"

    def __post_init__(self) -> None:
        """Refuse an empty secret, with which anybody can sign."""
        if not (self.auth_token and self.account_sid):
            raise ValueError("auth_token and account_sid must not be empty")
        if self.status_callback and not self.status_callback.startswith("https://"):
            raise ValueError("status_callback must be a whole address that starts with https://")

    @property
    def keys(self) -> Keys:
        """Return what proves a callback."""
        return Keys(
            auth_token=self.auth_token,
            shared_key_secret=self.shared_key_secret,
            public_url=self.public_url,
        )
