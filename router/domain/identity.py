"""How platforms know a person, and what is claimed about that person."""

from dataclasses import dataclass
from enum import StrEnum

from router.domain.ids import AccountName, ChannelName


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """How one account of one channel knows one person."""

    channel: ChannelName
    account: AccountName
    external_id: str


class ClaimKind(StrEnum):
    """What a claim is about."""

    PHONE = "phone"  # E.164
    EMAIL = "email"  # lower case
    MEMBER = "member"  # the shop's own id of the person
    UNION = "union"  # an id that all accounts of one platform owner share
    ORDER = "order"
    NAME = "name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Something said about who a person is.

    ``verified`` claims were proven by the platform or signed by the shop, and join identities at
    once; others are only shown. ``source`` says who vouches: ``caller_id``, ``signed_identity``,
    ``platform``, ``customer``, ``agent``.
    """

    kind: ClaimKind
    value: str
    verified: bool
    source: str


#: Kinds of claims that, when verified, mean the same person wherever they appear.
JOINING = frozenset({ClaimKind.PHONE, ClaimKind.EMAIL, ClaimKind.MEMBER, ClaimKind.UNION})


def joins(claim: Claim) -> bool:
    """Return whether ``claim`` alone proves that two identities are one person."""
    return claim.verified and claim.kind in JOINING
