"""Weak evidence that two contacts are one person: weighed, proposed, decided by a colleague."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from router.domain.identity import ClaimKind
from router.domain.ids import ContactId

#: From this strength on two contacts are made one at once; from that one on it is proposed.
LINK_AT = 0.9
PROPOSE_AT = 0.4

#: What it is worth that both say the same. An order number and a phone that both name is as good
#: as proof; a number alone may be a friend's, a name alone is worth nothing.
_WORTH: Mapping[frozenset[ClaimKind], float] = {
    frozenset({ClaimKind.ORDER, ClaimKind.PHONE}): 0.95,
    frozenset({ClaimKind.ORDER, ClaimKind.EMAIL}): 0.95,
    frozenset({ClaimKind.ORDER, ClaimKind.NAME}): 0.9,
    frozenset({ClaimKind.PHONE, ClaimKind.NAME}): 0.8,
    frozenset({ClaimKind.EMAIL, ClaimKind.NAME}): 0.8,
    frozenset({ClaimKind.PHONE}): 0.6,
    frozenset({ClaimKind.EMAIL}): 0.6,
    frozenset({ClaimKind.ORDER}): 0.5,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Two contacts are probably the same person. ``evidence`` names the kinds of claims that agree.

    ``state`` is open, accepted or rejected; a rejected one is not proposed again.
    """

    id: str
    one: ContactId
    other: ContactId
    evidence: str
    strength: float
    at: datetime
    state: str = "open"
    decided_by: str = ""
    decided_at: datetime | None = None


def strength(agreed: frozenset[ClaimKind]) -> float:
    """Return how strongly claims of these kinds, the same on both sides, speak for one person."""
    return max((worth for kinds, worth in _WORTH.items() if kinds <= agreed), default=0.0)
