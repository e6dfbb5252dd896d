"""How Xiaohongshu checks an address, and how its two kinds of pushes are proven."""

import hashlib
from enum import StrEnum
from hmac import compare_digest
from urllib.parse import urlsplit

from adapters._common.fields import word
from adapters._common.jsonin import read_json
from adapters._common.wecrypt import check_sorted_sha1
from adapters.xiaohongshu.settings import Settings
from router.channel.contract import Malformed, Request, Trusted, Unverified


class Way(StrEnum):
    """By which of its ways a delivery came; what `Trusted` carries as its proof."""

    CHECK = "check"
    PROGRAM = "program"
    SHOP = "shop"


def proven(request: Request, settings: Settings) -> Trusted:
    """Return the request as trusted, its body opened, or raise `Unverified`.

    A shop's push is proven by the secret in the path: how its ``sign`` is made is unverified, and
    is looked at only where the account asks for it.
    """
    if request.method == "GET":
        check_sorted_sha1(request, "signature", _token(settings))
        return Trusted(request=request, body=b"", proof=Way.CHECK)
    if any(name in ("signature", "msg_signature") for name, _ in request.query):
        return Trusted(request=request, body=_opened(request, settings), proof=Way.PROGRAM)
    if settings.check_sign:
        _check_sign(request, settings)
    return Trusted(request=request, body=request.body, proof=Way.SHOP)


def shop_sign(path: str, headers: dict[str, str], query: str, app_secret: str) -> str:
    """Return the signature as one code base makes it (unverified)."""
    more = f"&{query}" if query else ""
    said = f"{path}?app-key={headers['app-key']}{more}&timestamp={headers['timestamp']}{app_secret}"
    return hashlib.md5(said.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


def _check_sign(request: Request, settings: Settings) -> None:
    headers = {name: request.headers.get(name, "") for name in ("app-key", "timestamp")}
    address = urlsplit(request.url)
    expected = shop_sign(address.path, headers, address.query, settings.app_secret)
    given = request.headers.get("sign", "").encode("utf-8", "replace")
    if headers["app-key"] != settings.app_key or not compare_digest(given, expected.encode()):
        raise Unverified("sign does not match")


def _opened(request: Request, settings: Settings) -> bytes:
    """Return the opened body; that it is sealed as WeChat seals is unverified."""
    envelope = settings.envelope
    if envelope is None:
        raise Unverified("a mini program's push, where the account has no encoding_aes_key")
    sealed = _sealed(request.body)
    if any(name == "msg_signature" for name, _ in request.query):
        check_sorted_sha1(request, "msg_signature", _token(settings), sealed)
    else:
        check_sorted_sha1(request, "signature", _token(settings))
    return envelope.open(sealed)


def _sealed(body: bytes) -> str:
    """Return the ciphertext: the body itself, a JSON text, or what stands under ``Encrypt``."""
    text = body.decode("utf-8", "replace").strip()
    if text[:1] not in ('"', "{"):
        return text
    try:
        read = read_json(body)
    except Malformed as error:
        raise Unverified(f"the body holds no ciphertext: {error}") from error
    return read if isinstance(read, str) else word(read, "Encrypt", "encrypt")


def _token(settings: Settings) -> str:
    if not settings.token:
        raise Unverified("signed for a mini program, where the account has no token")
    return settings.token
