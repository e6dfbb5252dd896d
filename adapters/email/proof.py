"""How a relay proves a delivery: Mailgun's HMAC, SendGrid's ECDSA, Amazon's RSA, or a password.

https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509 import load_pem_x509_certificate

from adapters._common.fields import moment_of, word
from adapters._common.formin import read_form
from adapters._common.jsonin import read_object
from adapters.email.settings import Settings, key_bytes
from router.channel.contract import Malformed, Request, Trusted, Unverified

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
_SNS = (
    ("Notification", ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")),
    ("*", ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")),
)


class Way(StrEnum):
    """What a delivery is; what `Trusted` carries as its proof."""

    FORM = "form"
    SNS = "sns"
    EVENTS = "events"


def proven(request: Request, settings: Settings) -> Trusted:
    """Return the delivery as trusted, or raise `Unverified`."""
    if request.method != "POST":
        raise Unverified("a mail is delivered by POST")
    password = _password(request, settings)
    start = request.body[:64].lstrip()[:1]
    if start == b"{":
        return _sns(request, settings, password=password)
    if SIGNATURE in request.headers:
        _check_ecdsa(request, settings)
        return Trusted(
            request=request, body=request.body, proof=Way.EVENTS if start == b"[" else Way.FORM
        )
    if not password:
        _check_mailgun(request, settings)
    return Trusted(
        request=request, body=request.body, proof=Way.EVENTS if start == b"[" else Way.FORM
    )


def _password(request: Request, settings: Settings) -> bool:
    """Return whether the address's user and password came with the request."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if not settings.basic_password or scheme.lower() != "basic":
        return False
    wanted = base64.b64encode(f"{settings.basic_user}:{settings.basic_password}".encode())
    return hmac.compare_digest(given.strip().encode("utf-8", "replace"), wanted)


def _in_time(request: Request, given: str, settings: Settings) -> None:
    at = moment_of(given)
    if at is None:
        raise Unverified("the timestamp must be seconds since 1970")
    if abs(request.moment.now - at) > timedelta(minutes=settings.max_age_minutes):
        raise Unverified(f"the timestamp is more than {settings.max_age_minutes} minutes away")


# ----- Mailgun -----------------------------------------------------------------------------------


def _check_mailgun(request: Request, settings: Settings) -> None:
    """Prove timestamp and token; the mail itself is not signed, so the path's secret counts too."""
    if not settings.signing_key:
        raise Unverified("this account knows no such proof")
    try:
        form = read_form(request.headers.get("content-type", ""), request.body)
    except Malformed as error:
        raise Unverified(f"no form: {error}") from error
    said = form.fields.get("timestamp", b"") + form.fields.get("token", b"")
    made = hmac.new(settings.signing_key.encode(), said, hashlib.sha256).hexdigest()
    given = form.fields.get("signature", b"")
    if not form.fields.get("token") or not hmac.compare_digest(given, made.encode()):
        raise Unverified("signature does not match")
    _in_time(request, form.text("timestamp"), settings)


# ----- SendGrid ----------------------------------------------------------------------------------


def _check_ecdsa(request: Request, settings: Settings) -> None:
    if not settings.public_key_b64:
        raise Unverified("a signed delivery, where the account has no public_key_b64")
    timestamp = request.headers.get(TIMESTAMP, "")
    signature = _decoded(request.headers[SIGNATURE])
    key = load_der_public_key(key_bytes(settings.public_key_b64))
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Unverified("public_key_b64 is no key of an elliptic curve")
    signed = timestamp.encode("utf-8", "replace") + request.body
    try:
        key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise Unverified("signature does not match") from error
    _in_time(request, timestamp, settings)


def _decoded(given: str) -> bytes:
    try:
        return base64.b64decode(given.encode("ascii"), validate=True)
    except (UnicodeError, binascii.Error, ValueError) as error:
        raise Unverified("signature is not Base64") from error


# ----- Amazon ------------------------------------------------------------------------------------


def _sns(request: Request, settings: Settings, *, password: bool) -> Trusted:
    """Prove a message of SNS: its topic is ours, and it is signed or came with the password."""
    try:
        found = read_object(request.body)
    except Malformed as error:
        raise Unverified(f"no message of SNS: {error}") from error
    topic = word(found, "TopicArn").encode("utf-8", "replace")
    if not (settings.topic_arn and hmac.compare_digest(topic, settings.topic_arn.encode())):
        raise Unverified("the topic is not ours")
    if not password:
        _check_rsa(found, settings)
    return Trusted(request=request, body=request.body, proof=Way.SNS)


def _check_rsa(found: Mapping[str, Any], settings: Settings) -> None:
    kind = word(found, "Type")
    names = next(names for of, names in _SNS if of in (kind, "*"))
    text = "".join(f"{name}\n{word(found, name)}\n" for name in names if word(found, name))
    sha2 = word(found, "SignatureVersion") == "2"
    algorithm = hashes.SHA256() if sha2 else hashes.SHA1()  # noqa: S303  Amazon's version 1
    signature = _decoded(word(found, "Signature"))
    for pem in settings.sns_certificates:
        key = load_pem_x509_certificate(pem.encode()).public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            continue
        try:
            key.verify(signature, text.encode("utf-8", "replace"), padding.PKCS1v15(), algorithm)
        except InvalidSignature:
            continue
        return
    raise Unverified("no certificate of sns_certificates fits the signature")
