"""What an account fed by the shop's own gateway needs to know, and what the gateway can carry."""

import base64
import binascii

import msgspec

from router.channel.contract import Audience, Capabilities

PREFIX = "whsec_"
# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
# ("between 24 bytes and 64 bytes", read 2025-10)
_SHORTEST_KEY, _LONGEST_KEY = 24, 64

# The limits are ours: the gateway splits further where its own channel wants that.
CAPABILITIES = Capabilities(
    replies=True,
    max_text=10_000,
    media_out=frozenset({"image", "voice", "video", "file"}),
    media_in=frozenset({"image", "voice", "video", "file"}),
    recalls_in=True,
    receipts=True,
    public=True,
    public_answers=(Audience.PUBLIC, Audience.PRIVATE),
    idempotent_sends=True,
)


def key_of(secret: str) -> bytes:
    """Return the key that a secret such as ``whsec_…`` stands for; ValueError unless it is one."""
    text = secret.removeprefix(PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("expected a secret as whsec_ and Base64") from error
    if not _SHORTEST_KEY <= len(key) <= _LONGEST_KEY:
        raise ValueError("expected a secret as whsec_ and the Base64 of 24 to 64 random bytes")
    return key


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One gateway of the shop.

    ``secret`` signs both ways; ``previous_secret`` is still accepted while the gateway changes to a
    new one, ``reply_secret`` signs our replies if they have a secret of their own. ``reply_url`` is
    where replies go; without it the account only listens. ``region`` (ISO 3166-1) is where a
    phone number without a country code is taken to be.
    """

    secret: str
    previous_secret: str = ""
    reply_url: str = ""
    reply_secret: str = ""
    region: str = "CN"

    def __post_init__(self) -> None:
        for name in ("secret", "previous_secret", "reply_secret"):
            given = getattr(self, name)
            if given or name == "secret":
                try:
                    key_of(given)
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from error
        if self.reply_url and not self.reply_url.startswith(("https://", "http://")):
            raise ValueError("reply_url must be an address that starts with https://")

    @property
    def keys(self) -> tuple[bytes, ...]:
        """Return the keys that a delivery may be signed with."""
        given = (self.secret, self.previous_secret)
        return tuple(key_of(secret) for secret in given if secret)

    @property
    def reply_key(self) -> bytes:
        """Return the key that our replies are signed with."""
        return key_of(self.reply_secret or self.secret)
