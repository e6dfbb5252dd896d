"""How X proves a delivery, asks whether we are there, and wants our calls signed (OAuth 1.0a).

https://docs.x.com/x-api/webhooks/quickstart and https://www.rfc-editor.org/rfc/rfc5849
"""

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import datetime
from urllib.parse import parse_qsl, quote, urlsplit

from adapters.x.settings import Settings
from router.channel.contract import HttpCall, Moment, Request, Trusted, Unverified

_HEADER = "x-twitter-webhooks-signature"


def signature(consumer_secret: str, said: bytes) -> str:
    """Return what a header or an answer holds for ``said``: Base64, unlike Meta's hex."""
    digest = hmac.digest(consumer_secret.encode(), said, hashlib.sha256)
    return "sha256=" + base64.b64encode(digest).decode()


def proven(request: Request, settings: Settings) -> Trusted:
    """Return a delivery as trusted by its signature; a check of the address proves nothing.

    The body of a GET is nobody's word and is left behind; its token is only answered.
    """
    if request.method == "GET":
        if not request.one("crc_token"):
            raise Unverified("crc_token is empty")
        return Trusted(request=request, body=b"")
    given = request.headers.get(_HEADER, "").encode("utf-8", "replace")
    expected = signature(settings.consumer_secret, request.body).encode()
    if not hmac.compare_digest(given, expected):
        raise Unverified(f"{_HEADER} does not match")
    return Trusted(request=request, body=request.body)


# ----- our calls ---------------------------------------------------------------------------------


def authorised(call: HttpCall, settings: Settings, moment: Moment) -> HttpCall:
    """Return the call with an ``Authorization`` header; a JSON body is not part of the proof."""
    oauth = {
        "oauth_consumer_key": settings.consumer_key,
        "oauth_nonce": moment.entropy.hex(),
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": _seconds(moment.now),
        "oauth_token": settings.access_token,
        "oauth_version": "1.0",
    }
    oauth["oauth_signature"] = oauth_signature(call, oauth, settings)
    held = ", ".join(f'{name}="{_escaped(value)}"' for name, value in sorted(oauth.items()))
    return replace(call, headers=(*call.headers, ("authorization", f"OAuth {held}")))


def oauth_signature(call: HttpCall, oauth: dict[str, str], settings: Settings) -> str:
    """Return the HMAC-SHA1 of method, address and all parameters, RFC 5849 §3.4."""
    address = urlsplit(call.url)
    base = f"{address.scheme}://{address.netloc}{address.path}"
    given = [*oauth.items(), *parse_qsl(address.query, keep_blank_values=True)]
    pairs = sorted((_escaped(name), _escaped(value)) for name, value in given)
    parameters = "&".join(f"{name}={value}" for name, value in pairs)
    said = "&".join(_escaped(part) for part in (call.method, base, parameters))
    key = f"{_escaped(settings.consumer_secret)}&{_escaped(settings.access_token_secret)}"
    digest = hmac.digest(key.encode(), said.encode(), hashlib.sha1)
    return base64.b64encode(digest).decode()


def _escaped(text: str) -> str:
    return quote(text.encode("utf-8", "replace"), safe="~")


def _seconds(moment: datetime) -> str:
    return str(int(moment.timestamp()))
