"""What a Facebook page needs to know, and what the platform can carry."""

from dataclasses import replace
from datetime import timedelta

import msgspec

from adapters._common.meta import API_BASE, API_VERSION, complaint
from router.channel.contract import Audience, Capabilities, Window

# https://developers.facebook.com/docs/messenger-platform/policy/policy-overview
# The text limit and the seven days for a comment are unverified.
CAPABILITIES = Capabilities(
    replies=True,
    max_text=2000,
    text_unit="characters",
    media_out=frozenset({"image", "voice", "video", "file"}),
    media_in=frozenset({"image", "voice", "video", "file"}),
    windows=(
        Window(kind="message", lasts=timedelta(hours=24)),
        Window(kind="comment", lasts=timedelta(days=7), audience=Audience.PUBLIC),
        Window(kind="comment", lasts=timedelta(days=7), sends=1, audience=Audience.PRIVATE),
    ),
    recalls_in=True,
    receipts=True,
    public=True,
    public_answers=(Audience.PUBLIC, Audience.PRIVATE),
)


_LONG = timedelta(days=7)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One page.

    ``app_secret`` signs deliveries, ``verify_token`` is ours for the check of the address,
    ``access_token`` is the page's. ``page_id``, if given, is whom a delivery must be for.
    With ``human_agent``, for which Meta has granted the permission, what a person writes may go out
    for seven days after the customer's last words; the bot still has 24 hours.
    """

    app_secret: str
    verify_token: str
    access_token: str
    page_id: str = ""
    api_base: str = API_BASE
    api_version: str = API_VERSION
    human_agent: bool = False

    def __post_init__(self) -> None:
        wrong = complaint(
            secrets={
                "app_secret": self.app_secret,
                "verify_token": self.verify_token,
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


def able(settings: Settings) -> Capabilities:
    """Return what this account can: who may write as a person has seven days (unverified)."""
    if not settings.human_agent:
        return CAPABILITIES
    longer = tuple(
        replace(window, lasts=_LONG) if window.kind == "message" else window
        for window in CAPABILITIES.windows
    )
    return replace(CAPABILITIES, windows=longer)
