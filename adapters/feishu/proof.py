"""How Feishu proves an event: a cipher, a signature over the raw bytes, a token inside.

https://open.feishu.cn/document/server-docs/event-subscription-guide/event-subscription-configure-/encrypt-key-encryption-configuration-case
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from hmac import compare_digest
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from adapters._common.fields import word
from adapters._common.jsonin import read_object
from adapters.feishu.settings import Settings
from router.channel.contract import Malformed, Request, Unverified

CHALLENGE = "url_verification"
_BLOCK = 16


def proven(request: Request, settings: Settings) -> bytes:
    """Return the plain body of a proven request, or raise `Unverified`.

    The check of the address carries no signature, only the token; a card callback of the old kind
    is signed with the token over its raw body; everything else by the rules of the account.
    """
    outer = _object(request.body)
    sealed = word(outer, "encrypt")
    plain = opened(sealed, settings.encrypt_key) if sealed else request.body
    fields = _object(plain) if sealed else outer
    if is_old_card(fields):
        _check_signature(request, settings.verification_token, "sha1")
        return plain
    if settings.encrypt_key and not sealed:
        raise Unverified("a plain body, where the account has an encrypt_key")
    if word(fields, "type") != CHALLENGE and settings.encrypt_key:
        _check_signature(request, settings.encrypt_key, "sha256")
    _check_token(fields, settings.verification_token)
    return plain


def is_old_card(fields: Mapping[str, Any]) -> bool:
    """Return whether this is a press on a card in the shape from before events had a schema."""
    return "action" in fields and not {"schema", "uuid", "header"} & set(fields)


def opened(sealed: str, encrypt_key: str) -> bytes:
    """Return the plain bytes of a Base64 ciphertext, or raise `Unverified`."""
    if not encrypt_key:
        raise Unverified("the body is encrypted: set encrypt_key")
    try:
        data = base64.b64decode(sealed.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError) as error:
        raise Unverified("the ciphertext is not Base64") from error
    if len(data) < 2 * _BLOCK or len(data) % _BLOCK:
        raise Unverified("the ciphertext is not made of whole blocks")
    key = hashlib.sha256(encrypt_key.encode()).digest()
    decryptor = Cipher(algorithms.AES(key), modes.CBC(data[:_BLOCK])).decryptor()
    plain = decryptor.update(data[_BLOCK:]) + decryptor.finalize()
    padding = plain[-1]
    if not 1 <= padding <= _BLOCK or plain[-padding:] != bytes([padding]) * padding:
        raise Unverified("the ciphertext was made with another key")
    return plain[:-padding]


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        return read_object(body)
    except Malformed as error:
        raise Unverified(f"the body proves nothing: {error}") from error


def _check_signature(request: Request, secret: str, algorithm: str) -> None:
    parts = (request.headers.get(f"x-lark-request-{name}", "") for name in ("timestamp", "nonce"))
    head = "".join((*parts, secret)).encode("utf-8", "replace")
    expected = hashlib.new(algorithm, head + request.body, usedforsecurity=False).hexdigest()
    given = request.headers.get("x-lark-signature", "")
    if not compare_digest(given.encode("utf-8", "replace"), expected.encode()):
        raise Unverified("x-lark-signature does not match")


def _check_token(fields: Mapping[str, Any], token: str) -> None:
    header = fields.get("header")
    given = word(header, "token") or word(fields, "token")
    if not compare_digest(given.encode("utf-8", "replace"), token.encode()):
        raise Unverified("the verification token does not match")
