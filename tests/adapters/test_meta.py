"""WhatsApp, Messenger and Instagram against pywa: the signature that all of Meta shares."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pywa.utils import webhook_updates_validator

from adapters._common.meta import signature
from router.channel.capture import Taken
from router.channel.contract import Request
from tests.adapters.case_files import cases, deliveries, played
from tests.adapters.vectors import vector

VECTORS = ("whatsapp-message", "whatsapp-message-escaped-body", "messenger-message")
SECRET = vector("messenger-message")["inputs"]["app_secret"]
DELIVERED = [
    pytest.param(request, taken, id=f"{channel}-{case.path.stem}")
    for channel in ("whatsapp", "messenger", "instagram")
    for case in cases(channel)
    for (_, request), (_, taken) in zip(deliveries(case), played(case), strict=True)
    if request.method == "POST"
]


@pytest.mark.parametrize("name", VECTORS)
def test_the_recorded_signatures_are_ours(name: str) -> None:
    told = vector(name)
    ours = signature(told["inputs"]["app_secret"], told["inputs"]["body"].encode())
    assert ours == told["outputs"]["x_hub_signature_256"]


@given(secret=st.text(st.characters(codec="ascii"), min_size=1), body=st.binary())
def test_what_we_sign_pywa_accepts(secret: str, body: bytes) -> None:
    assert webhook_updates_validator(secret, body, signature(secret, body))


@pytest.mark.parametrize(("delivered", "taken"), DELIVERED)
def test_pywa_accepts_and_refuses_the_same_deliveries(delivered: Request, taken: Taken) -> None:
    header = delivered.headers.get("x-hub-signature-256", "")
    if not (header.isascii() and header.startswith("sha256=")):
        assert not taken.verified, "pywa takes a bare digest and stumbles over other alphabets"
        return
    assert webhook_updates_validator(SECRET, delivered.body, header) == taken.verified
