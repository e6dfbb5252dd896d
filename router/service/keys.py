"""Ids from outside, made short enough for the index of every database.

A platform's ids are short, but nothing says so, and PostgreSQL takes no index entry beyond 2,704
bytes. A longer id is replaced by its hash, the same wherever it comes again, so that whatever
it holds is kept and the platform is not asked to deliver it for ever.
"""

from dataclasses import replace
from hashlib import sha256
from typing import Any, TypeVar

from router.channel.contract import Event
from router.domain.identity import Claim

E = TypeVar("E", bound=Event)

#: Bytes of an id; three of them stand in one index entry.
LONGEST = 800
_SHORT = LONGEST // 4  # characters, none of which takes more than four bytes
_IDS = ("external_id", "target", "sender", "thread", "call", "cursor_key", "order")


def fitted(event: E) -> E:
    """Return ``event`` with every id and every claim short enough to be looked up."""
    given: Any = event
    changed: dict[str, Any] = {
        name: short
        for name in _IDS
        if (held := getattr(given, name, "")) and (short := fitted_id(held)) != held
    }
    claims = tuple(fitted_claim(each) for each in getattr(given, "claims", ()))
    if claims != getattr(given, "claims", ()):
        changed["claims"] = claims
    return replace(given, **changed) if changed else event


def fitted_claim(claim: Claim) -> Claim:
    """Return ``claim`` with a value short enough to be looked up."""
    return replace(claim, value=fitted_id(claim.value))


def fitted_id(given: str) -> str:
    """Return ``given``, or what stands for it if it is too long."""
    if len(given) <= _SHORT:
        return given
    raw = given.encode("utf-8", "replace")
    if len(raw) <= LONGEST:
        return given
    return f"{given[:80]}…{sha256(raw).hexdigest()}"
