"""What an operator sets for one app, and what its messages can carry."""

from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from router.channel.contract import Capabilities

Level = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]

# The app shows a message_id once, however often it comes: sending twice says it once.
CAPABILITIES = Capabilities(
    replies=True,
    max_text=20_000,
    media_out=frozenset({"image", "voice", "video", "file"}),
    media_in=frozenset({"image", "voice", "video", "file"}),
    recalls_in=True,
    receipts=True,
    idempotent_sends=True,
)


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One app (``tenant``) on one broker.

    ``broker_url`` is ``mqtt://`` or ``mqtts://`` host and port; ``username`` and ``password`` are
    ours there. Topics begin with ``root``/``tenant``. ``require_username`` refuses a publish to
    which the broker has not added the user property ``username``. ``trust_user`` says that a user
    is the shop's member of the same id, because the broker checks who logs in.
    """

    tenant: Level = "main"
    broker_url: str = "mqtt://127.0.0.1:1883"
    username: str = ""
    password: str = ""
    root: Level = "pam"
    require_username: bool = False
    trust_user: bool = True

    def __post_init__(self) -> None:
        """Refuse an address that is no broker's."""
        parts = urlsplit(self.broker_url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.username:
            raise ValueError("broker_url must be such as mqtts://broker.shop.example:8883")

    @property
    def users(self) -> str:
        """Return what the topics of all users begin with."""
        return f"{self.root}/{self.tenant}/u"
