"""Who rang, as every phone system's adapter says it."""

from adapters._common.phone import e164
from router.domain.identity import Claim, ClaimKind

#: Before a call's id: the customer's id on the account, until the number is known.
CALL = "call:"


def caller_claims(raw: str, region: str, *, trusted: bool) -> tuple[Claim, ...]:
    """Return what a number of the network proves; nothing if it is hidden or no number."""
    number = e164(raw, region) if raw else ""
    if not number:
        return ()
    return (Claim(kind=ClaimKind.PHONE, value=number, verified=trusted, source="caller_id"),)
