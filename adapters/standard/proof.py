"""How a delivery is signed and proven: Standard Webhooks, symmetric (v1).

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from router.channel.contract import Request, Trusted, Unverified

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
_SECONDS = re.compile(r"[0-9]{1,10}")
_VERSION = "v1,"
#: What the reference libraries tolerate.
_WINDOW = timedelta(minutes=5)


def signature(key: bytes, external_id: str, timestamp: str, body: bytes) -> str:
    """Return what ``webhook-signature`` holds for the raw ``body``."""
    signed = f"{external_id}.{timestamp}.".encode("utf-8", "replace") + body
    digest = hmac.digest(key, signed, hashlib.sha256)
    return _VERSION + base64.b64encode(digest).decode()


def proven(request: Request, keys: Sequence[bytes]) -> Trusted:
    """Return the request as trusted: signed with one of ``keys``, within five minutes of now.

    Signatures of other versions may stand beside; one that fits is enough.
    """
    external_id = request.headers.get(ID, "")
    timestamp = request.headers.get(TIMESTAMP, "")
    if not external_id:
        raise Unverified(f"{ID} is missing")
    if not _SECONDS.fullmatch(timestamp):
        raise Unverified(f"{TIMESTAMP} must be seconds since 1970")
    sent_at = datetime.fromtimestamp(int(timestamp), UTC)
    if abs(request.moment.now - sent_at) > _WINDOW:
        raise Unverified("the request was signed more than five minutes ago or ahead")
    given = request.headers.get(SIGNATURE, "").encode("utf-8", "replace").split(b" ")
    expected = [signature(key, external_id, timestamp, request.body).encode() for key in keys]
    if not any(hmac.compare_digest(one, other) for one in given for other in expected):
        raise Unverified(f"{SIGNATURE} does not match")
    return Trusted(request=request, body=request.body, proof=external_id)
