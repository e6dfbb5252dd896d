"""The signature and cipher that WeChat, WeCom and DingTalk share.

https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/Before_Develop/Technical_Plan.html
AES-256-CBC, IV = the key's first 16 bytes, PKCS#7 to blocks of 32, and inside
16 random bytes, a big-endian length, the message and the receiver's id.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from hmac import compare_digest

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from router.channel.contract import Request, Unverified

_BLOCK = 32
_AES_BLOCK = 16
_HEAD = 20  # 16 random bytes and the length
_KEY_CHARACTERS = 43


def sorted_sha1(*parts: str) -> str:
    """Return the lower-case hex SHA-1 of ``parts``, sorted as bytes and joined."""
    joined = b"".join(sorted(part.encode("utf-8", "replace") for part in parts))
    return hashlib.sha1(joined, usedforsecurity=False).hexdigest()


def check_sorted_sha1(request: Request, name: str, secret: str, *more: str) -> None:
    """Raise `Unverified` unless query parameter ``name`` signs secret, timestamp, nonce and more.

    The timestamp must be digits; the platforms give no window for it, so none is enforced.
    """
    given = request.one(name)
    timestamp, nonce = request.one("timestamp"), request.one("nonce")
    if not (timestamp.isascii() and timestamp.isdigit()):
        raise Unverified("timestamp must be digits")
    expected = sorted_sha1(secret, timestamp, nonce, *more)
    if not compare_digest(given.encode("utf-8", "replace"), expected.encode()):
        raise Unverified(f"{name} does not match")


def key_from(encoding_aes_key: str) -> bytes:
    """Return the 32 bytes of an EncodingAESKey; ValueError unless it is one."""
    wrong = "expected an EncodingAESKey: 43 letters and digits as the platform's console shows it"
    if len(encoding_aes_key) != _KEY_CHARACTERS:
        raise ValueError(wrong)
    try:
        return base64.b64decode(f"{encoding_aes_key}=", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(wrong) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Opens and seals messages for one receiver (an appid, a corpid, a suite key)."""

    key: bytes = field(repr=False)
    receiver: str

    def open(self, sealed: str) -> bytes:
        """Return the message in Base64 ciphertext, or raise `Unverified`."""
        try:
            data = base64.b64decode(sealed.encode("ascii"), validate=True)
        except (UnicodeEncodeError, binascii.Error, ValueError) as error:
            raise Unverified("the ciphertext is not Base64") from error
        if not data or len(data) % _AES_BLOCK:
            raise Unverified("the ciphertext is not made of whole blocks")
        decryptor = self._cipher().decryptor()
        plain = _unpadded(decryptor.update(data) + decryptor.finalize())
        if len(plain) < _HEAD:
            raise Unverified("the ciphertext is too short")
        end = _HEAD + int.from_bytes(plain[_AES_BLOCK:_HEAD], "big")
        if end > len(plain):
            raise Unverified("the ciphertext says a length that it does not have")
        if not compare_digest(plain[end:], self.receiver.encode()):
            raise Unverified("the message is sealed for another receiver")
        return plain[_HEAD:end]

    def seal(self, message: bytes, *, entropy: bytes) -> str:
        """Return ``message`` as Base64 ciphertext; ``entropy`` is 16 unpredictable bytes."""
        if len(entropy) != _AES_BLOCK:
            raise ValueError("sealing takes 16 random bytes")
        plain = entropy + len(message).to_bytes(4, "big") + message + self.receiver.encode()
        padding = _BLOCK - len(plain) % _BLOCK
        encryptor = self._cipher().encryptor()
        data = encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()
        return base64.b64encode(data).decode()

    def _cipher(self) -> "Cipher[modes.CBC]":
        return Cipher(algorithms.AES(self.key), modes.CBC(self.key[:_AES_BLOCK]))


def _unpadded(plain: bytes) -> bytes:
    padding = plain[-1]
    if not 1 <= padding <= _BLOCK or plain[-padding:] != bytes([padding]) * padding:
        raise Unverified("the ciphertext was made with another key")
    return plain[:-padding]
