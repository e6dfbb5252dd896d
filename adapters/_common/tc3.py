"""Tencent Cloud's signature of a call, TC3-HMAC-SHA256.

https://cloud.tencent.com/document/api/679/33768 (read 2025-10)
"""

import hashlib
import hmac
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from adapters._common.calls import raw_json
from router.channel.contract import HttpCall

_ALGORITHM = "TC3-HMAC-SHA256"
_TYPE = "application/json"


def tc3_call(base: str, action: str, version: str, asked: object) -> HttpCall:
    """Return the call of ``action``, unsigned."""
    headers = (("content-type", _TYPE), ("x-tc-action", action), ("x-tc-version", version))
    return HttpCall(method="POST", url=f"{base}/", headers=headers, body=raw_json(asked))


def signed_tc3(
    call: HttpCall, *, secret_id: str, secret_key: str, service: str, now: datetime
) -> HttpCall:
    """Return ``call`` with time and signature in its headers."""
    host, stamp = urlsplit(call.url).netloc, str(int(now.timestamp()))
    date = now.strftime("%Y-%m-%d")
    digest = hashlib.sha256(call.body).hexdigest()
    headers = f"content-type:{_TYPE}\nhost:{host}\n"
    canonical = f"POST\n/\n\n{headers}\ncontent-type;host\n{digest}"
    scope = f"{date}/{service}/tc3_request"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"TC3{secret_key}".encode()
    for part in (date, service, "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = f"{_ALGORITHM}\n{stamp}\n{scope}\n{hashed}"
    made = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    proof = (
        f"{_ALGORITHM} Credential={secret_id}/{scope}, "
        f"SignedHeaders=content-type;host, Signature={made}"
    )
    added = (("x-tc-timestamp", stamp), ("authorization", proof))
    return replace(call, headers=(*call.headers, *added))
