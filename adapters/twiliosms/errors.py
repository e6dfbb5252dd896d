"""Twilio's error numbers for messages, as reasons; the same for an answer and for a receipt.

https://www.twilio.com/docs/api/errors. Only 63016 was read in its pages; the other numbers are from
memory (unverified). An unknown one is shown as it is.
"""

from types import MappingProxyType

from router.channel.contract import Reason

BUSY = frozenset({"20429", "30001", "14107"})
REASONS = MappingProxyType(
    {
        Reason.CREDENTIALS: frozenset({"20003"}),
        Reason.WINDOW: frozenset({"63016"}),
        Reason.RECIPIENT: frozenset(
            {"21610", "21211", "21614", "21408", "30003", "30004", "30005", "30006"}
        ),
        Reason.CONTENT: frozenset({"21617", "21620", "30007", "30019"}),
        Reason.ACCOUNT: frozenset({"21606", "21660", "30002", "30034"}),
    }
)


def reason_of(code: str) -> Reason:
    """Return what an error number means for the message that met it."""
    return next((reason for reason, codes in REASONS.items() if code in codes), Reason.UNKNOWN)
