"""Short proofs that an address or a reference was given out by us, and for what."""

import hmac
from hashlib import sha256
from typing import Final

_LENGTH: Final = 32


def proof(key: bytes, purpose: str, *parts: str) -> str:
    """Return a proof over ``parts``, good for ``purpose`` alone."""
    said = "\x00".join((purpose, *(f"{len(part)}:{part}" for part in parts)))
    return hmac.new(key, said.encode("utf-8", "replace"), sha256).hexdigest()[:_LENGTH]


def proves(key: bytes, given: str, purpose: str, *parts: str) -> bool:
    """Say whether ``given`` is the proof over ``parts``, in constant time."""
    expected = proof(key, purpose, *parts)
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
