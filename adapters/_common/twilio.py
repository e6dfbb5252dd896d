"""What Twilio's channels share: the signature of callbacks, forms, and basic authentication.

https://www.twilio.com/docs/usage/webhooks/webhooks-security (read 2025-10). There is no time in the
signature, so that only the external ids stop a replay.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha1, sha256
from hmac import compare_digest
from hmac import new as hmac
from types import MappingProxyType
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from router.channel.contract import HttpCall, Request, Unverified

Fields = tuple[tuple[str, str], ...]
_MOST_FIELDS = 500
_LONGEST_BODY = 1024 * 1024
_PORTS = MappingProxyType({"https": 443, "http": 80})
_SHARED_KEY = "HMAC_SHA256"
_AUTH_TOKEN = "HMAC_SHA1"  # noqa: S105 - the name of an algorithm


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What proves a callback. ``public_url`` is the scheme and host that Twilio calls, if set."""

    auth_token: str
    shared_key_secret: str = ""
    public_url: str = ""


def with_basic(call: HttpCall, user: str, secret: str) -> HttpCall:
    """Return ``call`` with basic authentication."""
    given = b64encode(f"{user}:{secret}".encode()).decode()
    return replace(call, headers=(*call.headers, ("authorization", f"Basic {given}")))


def prove(keys: Keys, request: Request) -> None:
    """Return if Twilio sent ``request``, or raise `Unverified`."""
    given = _given(request)
    address = _public(keys, request.url)
    fields = _signed_fields(request)
    text = "".join(
        name + value
        for name in sorted({name for name, _ in fields})
        for value in sorted({held for key, held in fields if key == name})
    )
    for url in _spellings(address):
        made = _mac(keys, request.headers, (url + text).encode("utf-8", "surrogatepass"))
        if compare_digest(made, given):
            return
    raise Unverified("signature does not match")


def form(body: bytes) -> Fields:
    """Return the fields of a form body; Unverified if there are too many."""
    if len(body) > _LONGEST_BODY:
        raise Unverified("body is larger than 1 MiB")
    try:
        text = body.decode("utf-8", "replace")
        return tuple(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError as error:
        raise Unverified("form has too many fields") from error


def _given(request: Request) -> bytes:
    header = request.headers.get("x-twilio-signature", "")
    try:
        return b64decode(header.encode("ascii"), validate=True)
    except (UnicodeError, binascii.Error, ValueError) as error:
        raise Unverified("signature is not Base64") from error


def _signed_fields(request: Request) -> Fields:
    """Return the form fields that the signature covers; none where the URL holds a body's hash."""
    hashes = [value for name, value in request.query if name == "bodySHA256"]
    if not hashes:
        return form(request.body) if request.method == "POST" else ()
    expected = sha256(request.body).hexdigest().encode()
    if len(hashes) != 1 or not compare_digest(
        expected, hashes[0].lower().encode("utf-8", "surrogatepass")
    ):
        raise Unverified("body does not match bodySHA256")
    return ()


def _mac(keys: Keys, headers: Mapping[str, str], signed: bytes) -> bytes:
    match _algorithm(headers.get("x-twilio-webhooks-signature-settings", "")):
        case "HMAC_SHA1":
            return hmac(keys.auth_token.encode(), signed, sha1).digest()
        case "HMAC_SHA256" if keys.shared_key_secret:
            return hmac(keys.shared_key_secret.encode(), signed, sha256).digest()
        case _:
            raise Unverified("signature algorithm is unknown or has no secret here")


def _algorithm(header: str) -> str:
    for part in header.split(","):
        name, _, value = part.partition("=")
        if name.strip() == "algorithm" and value.strip():
            found = value.strip().upper()
            return found if found in (_AUTH_TOKEN, _SHARED_KEY) else ""
    return _AUTH_TOKEN


def _public(keys: Keys, url: str) -> str:
    """Return the address as Twilio called it: the configured host, our path and query."""
    if not keys.public_url:
        return url
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return keys.public_url.rstrip("/") + parts.path + query


def _spellings(url: str) -> Iterator[str]:
    """Yield the address without and with its port: Twilio signs the one or the other."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
        host = parts.netloc.rpartition(":")[0] if parts.port else parts.netloc
    except (ValueError, KeyError) as error:
        raise Unverified("address cannot be read") from error
    yield urlunsplit(parts._replace(netloc=host))
    yield urlunsplit(parts._replace(netloc=f"{host}:{port}"))
