"""How platforms and the shop sign and seal what they send us, from their side of the wire.

Written apart from the adapters on purpose: what plays a platform must not check itself.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

import jwt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

#: WeChat pads to blocks of 32 bytes, which are 256 bits.
_WECHAT_BLOCK_BITS = 256
_IV_BYTES = 16


def sha1_of(*parts: str) -> str:
    """Return the SHA-1 of ``parts``, sorted and joined: how WeChat and Weibo sign an address."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def aes_key_text(secret: str) -> str:
    """Return an EncodingAESKey (43 characters) made of ``secret``."""
    return base64.b64encode(hashlib.sha256(secret.encode()).digest()).decode()[:43]


def sealed(message: str, *, aes_key: str, receiver: str, entropy: bytes) -> str:
    """Return ``message`` as WeChat's safe mode sends it; ``entropy`` is 16 unpredictable bytes."""
    key = base64.b64decode(f"{aes_key}=")
    words = message.encode()
    plain = entropy + len(words).to_bytes(4, "big") + words + receiver.encode()
    padder = PKCS7(_WECHAT_BLOCK_BITS).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:_IV_BYTES])).encryptor()
    padded = padder.update(plain) + padder.finalize()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def twilio_signature(url: str, fields: Mapping[str, str], *, auth_token: str) -> str:
    """Return the header ``X-Twilio-Signature`` of a form that is posted to ``url``."""
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    digest = hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def member_token(
    *, member: str, name: str, number: str, issuer: str, secret: str, now: datetime
) -> str:
    """Return the token that the shop's server gives the page of a signed-in member."""
    claims = {
        "iss": issuer,
        "aud": "pam-webchat",
        "sub": member,
        "name": name,
        "phone": number,
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(hours=1)).timestamp()),
    }
    return jwt.encode(claims, secret, algorithm="HS256")
