"""How DingTalk proves a callback, a frame of its stream, and an encrypted push.

https://open.dingtalk.com/document/orgapp/receive-message
https://open.dingtalk.com/document/orgapp/configure-event-subcription
"""

import base64
import hashlib
import hmac
from datetime import timedelta
from enum import StrEnum

from adapters._common.calls import raw_json
from adapters._common.fields import moment_of, word
from adapters._common.jsonin import read_object
from adapters._common.wecrypt import check_sorted_sha1, sorted_sha1
from adapters.dingtalk.settings import Settings
from router.channel.contract import Malformed, Moment, Request, Response, Trusted, Unverified

_WINDOW = timedelta(hours=1)
_NONCE = 16


class Way(StrEnum):
    """By which of its three ways a delivery came; what `Trusted` carries as its proof."""

    ROBOT = "robot"
    STREAM = "stream"
    PUSH = "push"


def proven(request: Request, settings: Settings) -> Trusted:
    """Return the request as trusted, its body opened, or raise `Unverified`.

    A frame is trusted for its connection, which we opened ourselves with a ticket: its address is
    the ``wss://`` endpoint, which no webhook's public address can be.
    """
    if request.method == "FRAME":
        if not request.url.startswith("wss://"):
            raise Unverified("a frame that came over no stream")
        return Trusted(request=request, body=request.body, proof=Way.STREAM)
    if any(name in ("signature", "msg_signature") for name, _ in request.query):
        return Trusted(request=request, body=_opened(request, settings), proof=Way.PUSH)
    _check_sign(request, settings.app_secret)
    return Trusted(request=request, body=request.body, proof=Way.ROBOT)


def robot_sign(timestamp: str, app_secret: str) -> str:
    """Return the Base64 HMAC-SHA256 of the time and the secret; the body is not part of it."""
    said = f"{timestamp}\n{app_secret}".encode("utf-8", "replace")
    return base64.b64encode(hmac.digest(app_secret.encode(), said, hashlib.sha256)).decode()


def _check_sign(request: Request, app_secret: str) -> None:
    timestamp = request.headers.get("timestamp", "")
    at = moment_of(timestamp)
    if at is None:
        raise Unverified("the timestamp must be milliseconds since 1970")
    if abs(request.moment.now - at) > _WINDOW:
        raise Unverified("the timestamp is more than an hour away")
    given = request.headers.get("sign", "").encode("utf-8", "replace")
    if not hmac.compare_digest(given, robot_sign(timestamp, app_secret).encode()):
        raise Unverified("sign does not match")


# ----- encrypted pushes --------------------------------------------------------------------------


def _opened(request: Request, settings: Settings) -> bytes:
    if not settings.aes_key:
        raise Unverified("an encrypted push, where the account has no token and aes_key")
    try:
        sealed = word(read_object(request.body), "encrypt")
    except Malformed as error:
        raise Unverified(f"the body holds no ciphertext: {error}") from error
    if not sealed:
        raise Unverified("a body without ciphertext")
    names = [name for name, _ in request.query if name in ("signature", "msg_signature")]
    for name in dict.fromkeys(names):
        check_sorted_sha1(request, name, settings.token, sealed)
    return settings.envelope.open(sealed)


def success(moment: Moment, settings: Settings) -> Response:
    """Return the word ``success``, sealed and signed: the only answer that a push accepts."""
    timestamp = str(int(moment.now.timestamp() * 1000))
    nonce = hashlib.sha256(moment.entropy).hexdigest()[:_NONCE]
    sealed = settings.envelope.seal(b"success", entropy=moment.entropy)
    answer = {
        "msg_signature": sorted_sha1(settings.token, timestamp, nonce, sealed),
        "timeStamp": timestamp,
        "nonce": nonce,
        "encrypt": sealed,
    }
    return Response(body=raw_json(answer), content_type="application/json; charset=utf-8")
