"""What an account of Kuaishou needs to know, and what the platform can carry."""

import msgspec

from router.channel.contract import Capabilities

# Private messages have no public API; a comment in a live room cannot be answered.
CAPABILITIES = Capabilities(replies=False, public=True)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One application. ``app_id``, if given, is whom an event must be for."""

    app_secret: str
    app_id: str = ""

    def __post_init__(self) -> None:
        if not self.app_secret:
            raise ValueError("app_secret must not be empty")
