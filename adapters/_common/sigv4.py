"""Amazon's signature of a call, version 4.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote, unquote, urlsplit

from router.channel.contract import HttpCall

_ALGORITHM = "AWS4-HMAC-SHA256"
_UNRESERVED = "-_.~"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsKey:
    """An access key; ``session_token`` only with temporary ones."""

    id: str
    secret: str
    session_token: str = ""


def signed_v4(call: HttpCall, key: AwsKey, *, region: str, service: str, now: datetime) -> HttpCall:
    """Return ``call`` with Amazon's headers on it. Its path is encoded already, its query is not
    repeated.
    """  # noqa: D205
    parts = urlsplit(call.url)
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(call.body).hexdigest()
    added = [("x-amz-date", stamp), ("x-amz-content-sha256", digest)]
    if key.session_token:
        added.append(("x-amz-security-token", key.session_token))
    given = [(name.lower(), " ".join(value.split())) for name, value in (*call.headers, *added)]
    headers = sorted([*given, ("host", parts.netloc)])
    names = ";".join(name for name, _ in headers)
    path = parts.path or "/"
    canonical = "\n".join(
        (
            call.method,
            path if service == "s3" else quote(path, safe="/" + _UNRESERVED),
            _canonical_query(parts.query),
            "".join(f"{name}:{value}\n" for name, value in headers),
            names,
            digest,
        )
    )
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    made = _hex(key.secret, scope, f"{_ALGORITHM}\n{stamp}\n{scope}\n{hashed}")
    credential = (
        f"{_ALGORITHM} Credential={key.id}/{scope}, SignedHeaders={names}, Signature={made}"
    )
    return replace(call, headers=(*call.headers, *added, ("authorization", credential)))


def object_call(bucket: str, name: str, *, region: str, base: str = "") -> HttpCall:
    """Return the download of an object of S3; ``base`` is another address than Amazon's own."""
    root = base or f"https://s3.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"
    path = quote(f"/{bucket}/{name}", safe="/" + _UNRESERVED)
    return HttpCall(method="GET", url=f"{root}{path}", note="s3")


def _canonical_query(query: str) -> str:
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    encoded = [
        (quote(unquote(name), safe=_UNRESERVED), quote(unquote(value), safe=_UNRESERVED))
        for name, _, value in pairs
    ]
    return "&".join(f"{name}={value}" for name, value in sorted(encoded))


def _hex(secret: str, scope: str, text: str) -> str:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
