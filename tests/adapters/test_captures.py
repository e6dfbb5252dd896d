"""Every case, told as a capture, is shown by ``decode_capture`` as the case tells it."""

import base64
import json

import pytest

from router.channel.capture import decode_capture, show
from router.channel.contract import Request
from router.channel.shapes import time_text
from tests.adapters.case_files import Case, cases, deliveries, played

DELIVERED = [case for case in cases() if case.steps()]


def a_step(request: Request) -> dict[str, object]:
    """Return a delivery as an operator's capture holds it."""
    return {
        "now": time_text(request.moment.now),
        "request": {
            "method": request.method,
            "path": request.url,
            "headers": dict(request.headers),
            "body_b64": base64.b64encode(request.body).decode(),
        },
    }


@pytest.mark.parametrize(
    "case", DELIVERED, ids=lambda case: f"{case.channel.name}-{case.path.stem}"
)
def test_a_case_told_as_a_capture_is_shown_the_same(case: Case) -> None:
    capture = {
        "config": case.told.get("settings", {}),
        "now": time_text(case.now),
        "steps": [a_step(request) for _, request in deliveries(case)],
    }
    shown = json.loads(decode_capture(case.channel, json.dumps(capture).encode()))
    assert shown["steps"] == [json.loads(json.dumps(show(taken))) for _, taken in played(case)]
    assert (shown["ignored_config"], shown["assumed_config"]) == ([], [])
