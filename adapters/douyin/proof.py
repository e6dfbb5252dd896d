"""How Douyin proves a webhook and a live room's data push, and asks whether we are there.

https://developer.open-douyin.com/docs/resource/zh-CN/dop/develop/webhooks/overview
https://developer.open-douyin.com/docs/resource/zh-CN/interaction/develop/server/live/danmu
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from enum import StrEnum
from hmac import compare_digest

import msgspec

from adapters._common.fields import word
from adapters._common.jsonin import read_object
from adapters.douyin.settings import Settings
from router.channel.contract import Malformed, Request, Trusted, Unverified

PROBE = "verify_webhook"
_SIGNED = ("x-msg-type", "x-nonce-str", "x-roomid", "x-timestamp")
_PLAIN = re.compile(rb'-?[0-9]{1,30}|"[ -!#-\[\]-~]{1,256}"')


class Way(StrEnum):
    """What a delivery was proven to be; what `Trusted` carries as its proof."""

    MESSAGE = "message"
    LIVE = "live"
    PROBE = "probe"


def proven(request: Request, settings: Settings) -> Trusted:
    """Return the request as trusted, or raise `Unverified`.

    The probe of the address may come without a signature; then only its challenge is answered.
    """
    if "x-signature" in request.headers:
        _check(request.headers["x-signature"], _live_signature(request, settings))
        return Trusted(request=request, body=request.body, proof=Way.LIVE)
    if "x-douyin-signature" not in request.headers and _is_probe(request.body):
        return Trusted(request=request, body=request.body, proof=Way.PROBE)
    if not settings.client_secret:
        raise Unverified("a private message, where the account has no client_secret")
    _check(
        request.headers.get("x-douyin-signature", ""),
        hashlib.sha1(
            settings.client_secret.encode() + request.body, usedforsecurity=False
        ).hexdigest(),
    )
    return Trusted(request=request, body=request.body, proof=Way.MESSAGE)


def live_signature(headers: Mapping[str, str], body: bytes, secret: str) -> str:
    """Return the Base64 MD5 of the four headers by name, the body and the secret."""
    said = "&".join(f"{name}={headers[name]}" for name in _SIGNED).encode("utf-8", "replace")
    digest = hashlib.md5(said + body + secret.encode(), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def _live_signature(request: Request, settings: Settings) -> str:
    if not settings.secret:
        raise Unverified("a live room's push, where the account has no secret")
    missing = [name for name in _SIGNED if not request.headers.get(name)]
    if missing:
        raise Unverified(f"a live room's push without {', '.join(missing)}")
    return live_signature(request.headers, request.body, settings.secret)


def _check(given: str, expected: str) -> None:
    if not compare_digest(given.encode("utf-8", "replace"), expected.encode()):
        raise Unverified("the signature does not match")


# ----- the probe ---------------------------------------------------------------------------------


def _is_probe(body: bytes) -> bool:
    try:
        return word(read_object(body), "event") == PROBE
    except Malformed:
        return False


class _Challenge(msgspec.Struct):
    challenge: msgspec.Raw


class _Probe(msgspec.Struct):
    content: msgspec.Raw


def challenge_of(body: bytes) -> bytes:
    """Return the challenge as the JSON that it was, a number or a text, or raise `Malformed`."""
    try:
        content = msgspec.json.decode(body, type=_Probe).content
        if bytes(content)[:1] == b'"':
            content = msgspec.Raw(msgspec.json.decode(content, type=str).encode())
        challenge = bytes(msgspec.json.decode(content, type=_Challenge).challenge)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Malformed(f"{PROBE} without a challenge: {error}") from error
    if not _PLAIN.fullmatch(challenge):
        raise Malformed(f"{PROBE} with a challenge that is neither a number nor a plain text")
    return challenge
