"""Alibaba Cloud's signature of a call in RPC style: parameters in the query, HMAC-SHA1.

https://help.aliyun.com/zh/sdk/product-overview/rpc-mechanism (read 2025-10)
"""

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import datetime
from urllib.parse import parse_qsl, quote

from router.channel.contract import HttpCall

_SAFE = "-_.~"


def rpc_call(base: str, action: str, version: str, **asked: str) -> HttpCall:
    """Return the call of ``action``, unsigned."""
    given = {"Action": action, "Version": version, "Format": "JSON", **asked}
    return HttpCall(method="GET", url=f"{base}/?{_canonical(given)}", note=action)


def signed_rpc(
    call: HttpCall, *, key_id: str, secret: str, now: datetime, entropy: bytes
) -> HttpCall:
    """Return ``call`` with time, nonce and signature in its query."""
    root, _, query = call.url.partition("?")
    given = dict(parse_qsl(query, keep_blank_values=True)) | {
        "AccessKeyId": key_id,
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "SignatureNonce": entropy.hex(),
        "Timestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    canonical = _canonical(given)
    text = f"{call.method}&{quote('/', safe='')}&{quote(canonical, safe=_SAFE)}"
    made = hmac.new(f"{secret}&".encode(), text.encode(), hashlib.sha1).digest()
    signature = quote(base64.b64encode(made).decode(), safe=_SAFE)
    return replace(call, url=f"{root}?{canonical}&Signature={signature}")


def _canonical(given: dict[str, str]) -> str:
    return "&".join(
        f"{quote(name, safe=_SAFE)}={quote(value, safe=_SAFE)}"
        for name, value in sorted(given.items())
    )
