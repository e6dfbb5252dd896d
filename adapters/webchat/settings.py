"""What an operator sets for one web-chat account."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

#: RFC 7518 §3.2: an HS256 key has at least 256 bits.
_KEY_BYTES = 32


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One site key.

    ``secret`` signs tokens without a known ``kid``, ``secrets`` holds one for each ``kid``; with
    RS256 both are public keys in PEM. ``identifier_secret`` is for the HMAC mode; without it
    ``secret`` is taken. ``origins`` are the pages that may embed the widget besides the router's
    own; ``*`` is every page. ``region`` is where a phone number without country code belongs.
    """

    site: str = ""
    modes: frozenset[Literal["jwt", "hmac", "anonymous"]] = frozenset({"jwt", "hmac", "anonymous"})
    algorithm: Literal["HS256", "RS256"] = "HS256"
    secret: str = ""
    secrets: dict[str, str] = {}
    identifier_secret: str = ""
    issuer: str = ""
    origins: tuple[str, ...] = ()
    region: Annotated[str, Meta(pattern="^[A-Z]{2}$")] = "CN"

    def __post_init__(self) -> None:
        """Refuse a key that is too short to sign with."""
        if self.algorithm != "HS256":
            return
        for name, key in (("secret", self.secret), *self.secrets.items()):
            if (key or name != "secret") and len(key.encode()) < _KEY_BYTES:
                raise ValueError(f"{name} must have at least {_KEY_BYTES} bytes for HS256")
