"""WhatsApp against pywa: what its parser reads, and what its errors mean."""

import json

import pytest
from pywa import WhatsApp as Pywa
from pywa import errors, types
from pywa.types import MessageStatusType

from adapters._common.meta import Failure
from adapters.whatsapp.outbound import TABLE
from router.channel.capture import Taken
from router.channel.contract import (
    Deferred,
    Outcome,
    Reason,
    Receipt,
    ReceiptState,
    Received,
    Refused,
    Request,
    TokenExpired,
)
from tests.adapters.case_files import cases, deliveries, played

STORIES = ("text", "bsuid_only", "image", "voice", "document", "location", "order", "reaction")
CLIENT = Pywa(
    phone_id="318264590771203", token="x", server=None, verify_token="v", validate_updates=False
)


def delivered(*stories: str) -> list[tuple[Request, Taken]]:
    return [
        (request, taken)
        for case in cases("whatsapp")
        if case.path.stem in stories
        for (_, request), (_, taken) in zip(deliveries(case), played(case), strict=True)
    ]


@pytest.mark.parametrize("story", STORIES)
def test_pywa_reads_the_same_messages(story: str) -> None:
    for request, taken in delivered(story):
        for ours in taken.decoded.events:
            if not isinstance(ours, Received):
                continue
            theirs = types.Message.from_update(CLIENT, json.loads(request.body))
            assert ours.external_id == theirs.id
            assert ours.sender == theirs.from_user.bsuid
            assert ours.sender_name == theirs.from_user.name
            assert ours.at == theirs.timestamp
            claimed = {claim.value for claim in ours.claims}
            assert claimed == ({f"+{theirs.from_user.wa_id}"} if theirs.from_user.wa_id else set())


def test_pywa_reads_the_same_receipts() -> None:
    states = {
        MessageStatusType.SENT: ReceiptState.SENT,
        MessageStatusType.DELIVERED: ReceiptState.DELIVERED,
        MessageStatusType.READ: ReceiptState.READ,
        MessageStatusType.PLAYED: ReceiptState.READ,
    }
    seen = set()
    for request, taken in delivered("receipt"):
        for ours in taken.decoded.events:
            if isinstance(ours, Receipt) and ours.state is not ReceiptState.REFUSED:
                theirs = types.MessageStatus.from_update(CLIENT, json.loads(request.body))
                assert (ours.target, ours.at) == (theirs.id, theirs.timestamp)
                assert ours.state == states[theirs.status]
                seen.add(theirs.status)
    assert seen == set(states)


def family(code: int) -> type[errors.WhatsAppError]:
    """Return the class that pywa gives to an error number."""
    told = {"code": code, "message": "x"}
    return type(errors.WhatsAppError.from_dict(error=told))


@pytest.mark.parametrize("code", [4, 80007, 130429, 131048, 131056, 131064, 133016])
def test_what_pywa_calls_throttling_is_tried_later(code: int) -> None:
    assert issubclass(family(code), errors.ThrottlingError)
    assert isinstance(meaning(code), Deferred)


@pytest.mark.parametrize("code", [368, 130497, 131031])
def test_what_pywa_calls_a_breach_of_trust_is_the_accounts(code: int) -> None:
    assert issubclass(family(code), errors.IntegrityError)
    assert reason(code) is Reason.ACCOUNT


@pytest.mark.parametrize("code", [0, 3, 10, 190, 200, 250, 299])
def test_what_pywa_calls_authorization_is_a_token_or_a_permission(code: int) -> None:
    assert issubclass(family(code), errors.AuthorizationError)
    assert isinstance(meaning(code), TokenExpired) or reason(code) is Reason.ACCOUNT


def test_the_window_and_the_person_are_told_apart() -> None:
    assert family(131047) is errors.ReEngagementMessage
    assert family(131026) is errors.MessageUndeliverable
    assert reason(131047) is Reason.WINDOW
    assert reason(131026) is Reason.RECIPIENT


def meaning(code: int) -> Outcome:
    return TABLE.meaning(Failure(code=code, subcode=0, why="x"))


def reason(code: int) -> Reason:
    meant = meaning(code)
    assert isinstance(meant, Refused)
    return meant.reason
