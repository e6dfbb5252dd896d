"""What an operator sets for one Twilio account."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from adapters._common.twilio import Keys


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Twilio account (or subaccount).

    ``shared_key_secret`` is for callbacks signed with a SharedKey. ``public_url`` is the scheme and
    host that Twilio calls, as it is entered there; without it the router's own public address
    counts. ``api_key_sid`` and ``api_key_secret`` sign our calls in place of the auth token.
    ``customer_track`` is the customer's side of a live transcription, ``agent_channel`` the agent's
    channel of a recording whose participants have no role (0: not known). ``partial_results`` shows
    words that are still being recognised, if Twilio is asked for them.
    """

    auth_token: str
    account_sid: str = ""
    shared_key_secret: str = ""
    public_url: str = ""
    api_key_sid: str = ""
    api_key_secret: str = ""
    customer_track: Literal["inbound_track", "outbound_track"] = "inbound_track"
    agent_channel: Annotated[int, Meta(ge=0, le=16)] = 0
    partial_results: bool = False
    trust_caller_id: bool = True
    region: Annotated[str, Meta(pattern="^[A-Z]{2}$")] = "CN"
    api_base: str = "https://api.twilio.com"
    intelligence_base: str = "https://intelligence.twilio.com"

    def __post_init__(self) -> None:
        """Refuse an empty secret, with which anybody can sign."""
        if not self.auth_token:
            raise ValueError("auth_token must not be empty")

    @property
    def keys(self) -> Keys:
        """Return what proves a callback."""
        return Keys(
            auth_token=self.auth_token,
            shared_key_secret=self.shared_key_secret,
            public_url=self.public_url,
        )
